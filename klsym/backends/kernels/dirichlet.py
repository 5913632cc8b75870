"""Parts of the divergence of Dirichlet distributions, at numbers between LEAST and GREATEST.

With x the largest component, y another and s the sum of all, they are the remainder of lgamma at y and, of that at s,
what falls to y. How much the sum grows is known to all components, so that each has a turn, its p grown so less its q.
"""

# pyright: basic, reportMissingParameterType=false

from .coefficients import ATANH_NEAREST, BINET_CURVE, BINET_SLOPE, LN2, LN2_TAIL
from .gamma import SHIFT_1, _binet_remainder, _reciprocals
from .machine import fma, nearest_octaves, select

LOG_2 = 0.6931471805599453


def _logarithm_parts(a, b, d):
    """r, T, k, 2^k - 1, e as in `_ratio`, k being the nearest, so that r and k need not be of one sign."""
    c, power, k = nearest_octaves(a, b)
    e = select(k == 0.0, d, c - a)
    r = e / fma(0.5, e, a)
    q = r * r
    t = ATANH_NEAREST[0]
    for x in ATANH_NEAREST[1:]:
        t = fma(t, q, x)
    return r, q * t, k, power - 1.0, e


def _weighted_phi(a, b, d, weight, share):
    """weight phi(a, b, d), where `share` is weight/a."""
    r, t, k, rise, e = _logarithm_parts(a, b, d)
    quotient = share * e
    return fma(r, fma(-weight, t, 0.5 * quotient), fma(rise, quotient, weight * fma(-k, LOG_2, rise)))


def _component(a, b, gap, turn, unit):
    """A component's part, a of P and b of Q, where S = s + 1 grows by `unit` and `turn` is a unit - b.

    It is b phi(b, a unit) + B phi(a B, b A) + phi(A, B)/2 + what Binet's function leaves: four terms, none negative.
    """
    a_up, b_up = a + 1.0, b + 1.0
    share = _weighted_phi(b, a * unit, turn, b, 1.0)
    own = _weighted_phi(a * b_up, b * a_up, gap, b_up, 1.0 / a)
    return share + (own + fma(0.5, _weighted_phi(a_up, b_up, gap, 1.0, 1.0 / a_up), _binet_remainder(a, b, gap)))


def _component_slopes(a, b, gap, turn, unit, curved, bent):
    """The derivatives by a and by b, s growing by `unit`; `curved` and `bent` are what s contributes.

    [a unit - b]/a - gap (psi'(a) - 1/a) + curved, and psi - log from a to b, less bent, less log(a unit/b); see
    `reduced_trigamma` and `reduced_digamma_difference`.
    """
    swap = gap < 0.0
    a_shift, b_shift = _reciprocals(a + SHIFT_1, b + SHIFT_1)
    a_down, b_down, a_up_down, b_up_down = 1.0 / a, 1.0 / b, 1.0 / (a + 1.0), 1.0 / (b + 1.0)
    series = BINET_CURVE[0]
    for c in BINET_CURVE[1:]:
        series = fma(series, a_shift, c)
    smooth = fma(0.5 * a_up_down, a_up_down, a_shift * a_shift * a_shift * series)
    by_a = fma(a_down, fma(-gap, a_down * a_up_down, turn), fma(-gap, smooth, curved))
    p = BINET_SLOPE[0]
    q = p
    for c in BINET_SLOPE[1:]:
        p = fma(p, b_shift, c)
        q = fma(q, a_shift, p)
    low, high, step = select(swap, b, a), select(swap, a, b), select(swap, -gap, gap)
    high_up_down = select(swap, a_up_down, b_up_down)
    share = select(swap, b_down, a_down) * high_up_down
    poles = fma(share, select(swap, a_down, b_down), 0.5 * (a_up_down * b_up_down))
    smooth = fma(a_shift * b_shift, fma(b_shift, p, a_shift * q), poles)
    total = fma(step, smooth, _weighted_phi(low * (high + 1.0), high * (low + 1.0), step, 1.0, share))
    r, t, k, _rise, _e = _logarithm_parts(b, a * unit, turn)
    logarithm = fma(k, LN2, fma(r, t, fma(k, LN2_TAIL, r)))
    return by_a, (select(swap, -total, total) - bent) - logarithm
