"""Log1pMellin in balls: the sum over real nodes and the Mellin-Barnes line are two proofs of one number."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klsym import FisherF, kl
from klsym.backends import ball_mellin, ball_quadrature

flint = pytest.importorskip("flint")
KINDS = (None, 0, 1, 2, 4, 5)
wide = st.floats(-4, 4).map(math.exp)


@settings(max_examples=25, deadline=None)
@given(st.floats(-12, 12).map(math.exp), wide, wide, st.booleans(), wide, st.sampled_from(KINDS))
def test_two_proofs_hold_the_same_number(c, a, rho, mirrored, b, kind):
    rho = -rho if mirrored else rho
    numbers = [flint.arb(x) for x in (c, a, rho, 1, b, -rho, 1)]
    rows = [tuple(numbers[1:4]), tuple(numbers[4:])]
    with flint.ctx.workprec(128):
        real = ball_mellin._real_sum(kind, numbers[0], rows, ball_quadrature.NODES)
        line = ball_mellin._Line(kind, numbers[0], rows)
        assert real is not None and real.is_finite()
        if line.usable and line.count < 3000:
            assert real.overlaps(line.sum())


@pytest.mark.parametrize("c, a, b", [(1.0, 0.5, 0.5), (1.0, 1e-7, 3e-8), (1.0, 200.0, 1e-3), (1.0, 1e6, 2e6)])
def test_at_1_it_is_a_difference_of_digammas(c, a, b):
    """log(1 + G/H) = log(G + H) - log(H)"""
    with flint.ctx.workprec(256):
        a, b, one = flint.arb(a), flint.arb(b), flint.arb(1)
        value = ball_mellin.log1p_mellin(flint.arb(c), a, one, one, b, -one, one)
        assert value.overlaps((a + b).digamma() - b.digamma()) and value.rel_accuracy_bits() > 180


def test_small_shapes_are_decided():
    f = kl(FisherF, FisherF).compile("numpy", report=True)
    value, error, second = f(0.0003697757800569139, 7.067317939440394e-08, 0.0003697757800569139, 7.067317939440393e-08)
    assert second and error == 2.0**-53 and value == pytest.approx(1.753482184998791e-32, rel=1e-15)
