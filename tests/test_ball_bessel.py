"""Bessel functions of large order in balls: beside Arb's own, which is another method, and slow."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klsym.backends import ball_bessel

flint = pytest.importorskip("flint")


@settings(max_examples=30, deadline=None)
@given(st.integers(31, 3000), st.floats(-9, 12).map(math.exp), st.booleans())
def test_the_sum_is_the_function(nu, z, negative):
    with flint.ctx.workprec(128):
        order, argument = flint.arb(-nu if negative else nu), flint.arb(z)
        log_k, mean, variance = ball_bessel._moments(abs(order), argument)
        norm = argument.bessel_k(abs(order), scaled=True)
        assert norm.is_finite() and log_k.overlaps(norm.log()) and log_k.rel_accuracy_bits() > 100
        # The logarithm is convex in the order: its slope lies between two chords.
        below, above = (argument.bessel_k(abs(order) + d, scaled=True).log() - norm.log() for d in (-1, 1))
        assert -below < mean < above and variance > 0
        slope = ball_bessel.bessel_k_order(order, argument)
        assert slope.overlaps(-mean if negative else mean) and slope.rel_accuracy_bits() > 80


@pytest.mark.parametrize("nu, z", [(75.25, 3.0), (0.3, 0.5), (0.0625, 20.0), (2.0, 1.0)])
def test_the_derivatives_by_the_order_are_those_of_a_difference(nu, z):
    with flint.ctx.workprec(300):
        nu, z, t = flint.arb(nu), flint.arb(z), flint.arb(2) ** -40
        low, middle, high = (z.bessel_k(x, scaled=True).log() for x in (nu - t, nu, nu + t))
        assert abs(ball_bessel.bessel_k_order(nu, z) - (high - low) / (2 * t)) < 2.0**-70
        assert abs(ball_bessel.bessel_k_order_slope(nu, z) - (high - 2 * middle + low) / t**2) < 2.0**-70
