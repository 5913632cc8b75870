"""One class of two categorical distributions given by logits, and what the sums over classes come to.

With a and b the logits, d = b - a and p = softmax(a), the divergence is log(sum p e^x), x = d - c, c = sum p d; it is
log1p(sum p (e^x - 1 - x)), a sum of terms that are not negative. Here d is taken relative to that of P's modal class:
that class has at least 1/K of the mass, so c and d are at most sqrt(K) standard deviations of d apart from it.
"""

# pyright: basic, reportMissingParameterType=false

from .coefficients import EXP, LN2, LN2_TAIL
from .elementary import INVERSE_LN2, exp_sum, log, log1p
from .machine import absolute, fma, power_of_two, rint, select

FAINT, BELOW = -708.0, 720.0  # e^-708 is the least normal number, about; what is less counts as none
ABSENT = 1e300  # the x of a class without mass, which is multiplied by 0
LARGE = 300.0


def _gap(a, b):
    """a - b in two parts (Knuth, The Art of Computer Programming 2, 4.2.2)."""
    head = a - b
    back = head - a
    return head, (a - (head - back)) - (b + back)


def _series(z):
    """e^z - 1 - z for |z| <= 1."""
    series = EXP[0]
    for c in EXP[1:]:
        series = fma(series, z, c)
    return z * z * series


def _below(a, top):
    """u, k, z with u = a - top = k log 2 + z."""
    u, low = _gap(select(a < top - BELOW, top - BELOW, a), top)
    k = rint(INVERSE_LN2 * u)
    return u, k, fma(-k, LN2, u) - fma(k, LN2_TAIL, -low)


def _weighed(a, b, top, mode, mode_tail):
    """e^(a - top), and b - a less that of the mode, in two parts; where the weight is 0 it does not matter."""
    u, k, z = _below(a, top)
    weight = select(u < FAINT, 0.0, power_of_two(k) * (1.0 + (z + _series(z))))
    d, d_tail = _gap(b, a)
    y, y_tail = _gap(d, mode)
    none = weight == 0.0
    return weight, select(none, ABSENT, y), select(none, 0.0, y_tail + (d_tail - mode_tail))


def _term(b, weight, x, top):
    """weight (e^x - 1 - x) = near + far scale: far is e^(b - top), and `scale` the same for all classes."""
    u, k, z = _below(b, top)
    close = absolute(x) <= 1.0
    q = _series(select(close, x, z))
    return (
        weight * select(close, q, -(1.0 + x)),
        select(close | (u < FAINT), 0.0, power_of_two(k) * (1.0 + (z + q))),
    )


def _logit_slopes(b, weight, x, top, kl, mass_p, mass_q):
    """The derivatives by the class's logits: p (log(p/q) - KL) = -p x and q - p = p (e^(x - KL) - 1)."""
    u, k, z = _below(b, top)
    p, gap = weight / mass_p, x - kl
    close = (absolute(gap) <= 1.0) & (absolute(x) <= 1.0)
    q = _series(select(close, gap, z))
    other = select(u < FAINT, 0.0, power_of_two(k) * (1.0 + (z + q))) / mass_q
    return select(weight == 0.0, 0.0, -p * x), select(close, p * (gap + q), other - p)


def _scale(top_q, mode_q, centre):
    """log e^(top - mode) of Q in two parts, and less a centre, which is that of the scale."""
    t, t_tail = _gap(top_q, mode_q)
    head, tail = _gap(t, centre)
    return t, t_tail, head, tail + t_tail


def _joined(mass, sum_y, near, far, sum_x, centre, t, t_tail):
    """A block's sums, taken about its own centre, about that of all: the two parts of e^x - 1 - x, x, and e^(b - top).

    A block that is far from the centre is far as a whole: e^x is then that of Q's logits. By halves that exponential,
    whose factor may be as small as a weight, does not overflow.
    """
    own = select(mass > 0.0, sum_y / select(mass > 0.0, mass, 1.0), centre)
    s = own - centre
    close = absolute(s) <= 1.0
    q = _series(select(close, s, 0.0))
    terms = near + ((s + q) * (near + sum_x) + mass * q)
    lift, lift_tail = _gap(own, t)
    half = exp_sum(0.5 * lift, 0.5 * (lift_tail - t_tail))
    mass_q = far + (((mass + sum_x) + near) * half) * half
    moved_x = sum_x + mass * s
    return select(close, terms, -(mass + moved_x)), select(close, far, mass_q), moved_x, mass_q


def _divergence(mass, terms, far, sum_x, mass_q, scale, scale_tail):
    """log1p(A + E) - E, where E, the sum of p x, is what rounding left of 0; or log(sum p e^x) where that is large."""
    large = scale > LARGE
    a, e = (terms + far * exp_sum(select(large, 0.0, scale), scale_tail)) / mass, sum_x / mass
    lean = e / (1.0 + a)
    return select(large, scale + (log(mass_q / mass) + (scale_tail - e)), log1p(a) - lean * (a + 0.5 * lean))
