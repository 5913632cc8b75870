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


def test_the_derivatives_by_the_order_are_those_of_a_difference(monkeypatch):
    nu, z = flint.arb(75.25), flint.arb(3)
    large = ball_bessel.bessel_k_order(nu, z), ball_bessel.bessel_k_order_slope(nu, z)
    monkeypatch.setattr(ball_bessel, "LARGE", math.inf)
    small = ball_bessel.bessel_k_order(nu, z), ball_bessel.bessel_k_order_slope(nu, z)
    assert all(a.overlaps(b) for a, b in zip(large, small, strict=True))
