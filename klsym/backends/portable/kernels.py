"""Divergences of arrays, and their derivatives, in operations that NumPy, torch and JAX have; all in doubles.

Written once and printed for each: see `backends/library.py`. Event axes come last, batches broadcast before them, and
what lies outside a domain is NaN. The forms are those of `backends/arrays`, in doubles where these work in pairs, so
that errors grow with the condition of matrices; near P = Q they do not.
"""

# pyright: basic, reportMissingParameterType=false, reportPrivateUsage=false

from ..double_double.arithmetic import minus, over, plus, times, two_sum
from ..kernels.dirichlet import _component, _component_slopes
from ..kernels.elementary import INF, phi
from ..kernels.gamma import GREATEST, LEAST, _beta_larger, reduced_digamma_difference, reduced_trigamma
from ..kernels.logits import _divergence, _gap, _joined, _logit_slopes, _scale, _term, _weighed
from ..kernels.machine import absolute, maximum, minimum, select
from ..kernels.probabilities import _summand, _surprise
from .machine import cholesky, finite, first_largest, joined, largest, lower, solve, solve_transposed, spread

NAN = float("nan")


def squares(x):
    """The sum of the squares of a matrix's entries."""
    return (x * x).sum(-1).sum(-1)


def standardised(l, mu_p, mu_q):  # noqa: E741
    """L^-1 (mu_p - mu_q) as a column."""
    return solve(l, (mu_p - mu_q)[..., None])


def numbers(*arrays):
    """Where all vectors are finite."""
    fine = finite(arrays[0]).all(-1)
    for array in arrays[1:]:
        fine = fine & finite(array).all(-1)
    return fine


def positive(*arrays):
    """Where all vectors are positive and finite."""
    fine = numbers(*arrays)
    for array in arrays:
        fine = fine & (array > 0.0).all(-1)
    return fine


def triangular(l):  # noqa: E741
    """Where a matrix is lower triangular with a positive diagonal."""
    return positive(l.diagonal(0, -2, -1)) & ((l == lower(l)) & finite(l)).all(-1).all(-1)


def symmetric(a):
    """Where a matrix is symmetric, and no NaN is in its factor, which is given."""
    return (a == a.swapaxes(-1, -2)).all(-1).all(-1)


def halved(a):
    """The symmetric part."""
    return 0.5 * (a + a.swapaxes(-1, -2))


def kl_tril(mu_p, l_p, mu_q, l_q):
    """sum phi(1, 1 + w_ii) + |W|^2/2 + |z|^2/2 with W = L_q^-1 (L_p - L_q), z = L_q^-1 (mu_p - mu_q)."""
    w, z = solve(l_q, l_p - l_q), standardised(l_q, mu_p, mu_q)
    p, q = l_p.diagonal(0, -2, -1), l_q.diagonal(0, -2, -1)
    value = phi(q, p, p - q).sum(-1) + 0.5 * (squares(w) + squares(z))
    return select(triangular(l_p) & triangular(l_q) & numbers(mu_p, mu_q), value, NAN)


def slopes_tril(mu_p, l_p, mu_q, l_q):
    """L_q^-T z, tril(L_q^-T (W + diag(w/(1 + w)))), and of Q -tril(L_q^-T (W + W^T + W W^T + z z^T))."""
    w, z = solve(l_q, l_p - l_q), standardised(l_q, mu_p, mu_q)
    p, q = l_p.diagonal(0, -2, -1), l_q.diagonal(0, -2, -1)
    across = w.swapaxes(-1, -2)
    by_mu = solve_transposed(l_q, z)[..., 0]
    by_p = solve_transposed(l_q, w + spread((p - q) / p))
    by_q = solve_transposed(l_q, w + across + (w @ across + z @ z.swapaxes(-1, -2)))
    return by_mu, lower(by_p), -by_mu, -lower(by_q)


def excess(l_p, l_q, s_p, s_q):
    """(tr E - log det(I + E))/2 for S_p = L_q (I + E) L_q^T, from W with (I + W)(I + W)^T = I + E.

    W is L_q^-1 (L_p - L_q), in which factors of near matrices cancel: there a step of Newton's makes it that of E,
    which is L_q^-1 (S_p - S_q) L_q^-T.
    """
    w, e = solve(l_q, l_p - l_q), congruent(l_q, s_p - s_q)
    near = (largest(absolute(e))[..., 0] < 0.5).all(-1)[..., None]
    whole = w + spread(1.0 + 0.0 * w[..., 0])
    rest = e - (w + w.swapaxes(-1, -2) + w @ w.swapaxes(-1, -2))
    step = lower(solve(whole, solve(whole, rest).swapaxes(-1, -2)))
    moved = w + whole @ (step - spread(0.5 * step.diagonal(0, -2, -1)))
    w = select(near[..., None], moved, w)
    d, p, q = w.diagonal(0, -2, -1), l_p.diagonal(0, -2, -1), l_q.diagonal(0, -2, -1)
    one = 1.0 + 0.0 * d
    return phi(one, select(near, one + d, p / q), d).sum(-1) + 0.5 * squares(w)


def congruent(l, a):  # noqa: E741
    """L^-1 A L^-T for symmetric A."""
    return halved(solve(l, solve(l, a).swapaxes(-1, -2)))


def by_matrices(l_p, l_q, gap):
    """(S_q^-1 - S_p^-1)/2 and (S_q^-1 - S_q^-1 S_p S_q^-1)/2, from S_p - S_q and the factors."""
    first = solve_transposed(l_q, solve(l_p, solve(l_q, gap).swapaxes(-1, -2)).swapaxes(-1, -2))
    by_p = solve_transposed(l_p, first.swapaxes(-1, -2))
    second = solve_transposed(l_q, congruent(l_q, gap))
    by_q = solve_transposed(l_q, second.swapaxes(-1, -2))
    return 0.5 * halved(by_p), -0.5 * halved(by_q)


def kl_covariance(mu_p, s_p, mu_q, s_q):
    """`excess` and |z|^2/2."""
    l_p, l_q = cholesky(s_p), cholesky(s_q)
    value = excess(l_p, l_q, s_p, s_q) + 0.5 * squares(standardised(l_q, mu_p, mu_q))
    return select(symmetric(s_p) & symmetric(s_q) & numbers(mu_p, mu_q), value, NAN)


def slopes_covariance(mu_p, s_p, mu_q, s_q):
    """z' = S_q^-1 (mu_p - mu_q), those of `excess`, and of S_q also -z' z'^T/2."""
    l_p, l_q = cholesky(s_p), cholesky(s_q)
    by_mu = solve_transposed(l_q, standardised(l_q, mu_p, mu_q))
    by_p, by_q = by_matrices(l_p, l_q, s_p - s_q)
    return by_mu[..., 0], by_p, -by_mu[..., 0], by_q - 0.5 * (by_mu @ by_mu.swapaxes(-1, -2))


def kl_precision(mu_p, t_p, mu_q, t_q):
    """`excess` of the precisions, Q's over P's, and |L_q^T (mu_p - mu_q)|^2/2."""
    l_p, l_q = cholesky(t_p), cholesky(t_q)
    bent = l_q.swapaxes(-1, -2) @ (mu_p - mu_q)[..., None]
    value = excess(l_q, l_p, t_q, t_p) + 0.5 * squares(bent)
    return select(symmetric(t_p) & symmetric(t_q) & numbers(mu_p, mu_q), value, NAN)


def slopes_precision(mu_p, t_p, mu_q, t_q):
    """T_q d with d = mu_p - mu_q, those of `excess`, and of T_q also d d^T/2."""
    d = (mu_p - mu_q)[..., None]
    by_mu = (t_q @ d)[..., 0]
    by_q, by_p = by_matrices(cholesky(t_q), cholesky(t_p), t_q - t_p)
    return by_mu, by_p, -by_mu, by_q + 0.5 * (d @ d.swapaxes(-1, -2))


def kl_diagonal(mu_p, d_p, mu_q, d_q):
    """The sum of phi(d_q, d_p)/2 + (mu_p - mu_q)^2/(2 d_q)."""
    terms = phi(d_q, d_p, d_p - d_q) + (mu_p - mu_q) / d_q * (mu_p - mu_q)
    return select(positive(d_p, d_q) & numbers(mu_p, mu_q), 0.5 * terms.sum(-1), NAN)


def slopes_diagonal(mu_p, d_p, mu_q, d_q):
    """z = (mu_p - mu_q)/d_q, (d_p - d_q)/(2 d_p d_q), -z and (d_q - d_p)/(2 d_q^2) - z^2/2."""
    z, w = (mu_p - mu_q) / d_q, 0.5 * ((d_p - d_q) / d_q)
    return z, w / d_p, -z, -w / d_q - 0.5 * z * z


def kl_probabilities(p, q):
    """The sum of p log(p/q) - p + q, of which no term is negative; infinite where q = 0 < p."""
    fine = numbers(p, q) & (p >= 0.0).all(-1) & (q >= 0.0).all(-1)
    return select(fine, _summand(p, q).sum(-1), NAN)


def slopes_probabilities(p, q):
    """log(p/q) and (q - p)/q; along the simplex the derivatives of the sum of p log(p/q)."""
    return _surprise(p, q), select(p == q, 0.0, (q - p) / q)


def weighed(a, b):
    """Of rows of logits the divergence and what their derivatives need besides: see `kernels/logits.py`."""
    at, top, top_q = first_largest(a), largest(a), largest(b)
    mode, mode_tail = _gap(select(at, b, 0.0).sum(-1)[..., None], top)
    weight, y, tail = _weighed(a, b, top, mode, mode_tail)
    mass, sum_y = added(weight), added(weight * y)
    mean = sum_y / mass
    x = (y - mean) + tail
    near, far = _term(b, weight, x, top_q)
    t, t_tail, scale, scale_tail = _scale(top_q, select(at, b, 0.0).sum(-1)[..., None], mean)
    sums = _joined(mass, sum_y, added(near), added(far), added(weight * x), mean, t, t_tail)
    value = _divergence(mass, *sums, scale, scale_tail)
    fine = ((a < INF) & (b < INF)).all(-1) & (a > -INF).any(-1) & (b > -INF).any(-1)
    infinite = ((b == -INF) & (a > -INF)).any(-1)[..., None]
    value = select(fine[..., None], select(infinite, INF, value), NAN)
    return value, top_q, weight, x - sums[2] / mass, mass, sums[3]


def added(x):
    """The sum over the last axis, which stays."""
    return x.sum(-1)[..., None]


def kl_logits(a, b):
    """log sum p e^x with x = d - sum p d, d = b - a and p = softmax(a), as log1p of the sum of p (e^x - 1 - x)."""
    return weighed(a, b)[0][..., 0]


def slopes_logits(a, b):
    """p (log(p/q) - KL) and q - p."""
    value, top_q, weight, x, mass, mass_q = weighed(a, b)
    by_p, by_q = _logit_slopes(b, weight, x, top_q, value, mass, mass_q)
    known = finite(value)
    return select(known, by_p, NAN), select(known, by_q, NAN)


def in_pairs(high, low):
    """The sum of pairs of doubles over the last axis, by halves."""
    while high.shape[-1] > 1:
        half, whole = high.shape[-1] // 2, high.shape[-1]
        ends = (high[..., :half], low[..., :half]), (high[..., half : 2 * half], low[..., half : 2 * half])
        head, tail = plus(*ends)
        high, low = joined(head, high[..., 2 * half : whole]), joined(tail, low[..., 2 * half : whole])
    return high, low


def shares(p, q):
    """What the parts of a Dirichlet divergence are made of: see `arrays/dirichlet.py`."""
    at = first_largest(p)
    gap = two_sum(q, -p)
    x, x_end = (added(select(at, side, 0.0)) for side in (p, q))
    rest, rest_end = (select(at, 0.0, side) for side in (p, q))
    y, y_end = in_pairs(rest, 0.0 * rest), in_pairs(rest_end, 0.0 * rest_end)
    dy, dx = in_pairs(*two_sum(rest_end, -rest)), two_sum(x_end, -x)
    s, ds = plus(y, (x, 0.0 * x)), plus(dy, dx)
    spin = minus(times(dx, y), times((x, 0.0 * x), dy))[0]
    return at, gap, s, ds, y_end[0] + x_end, (x, y[0], x_end, y_end[0], dx[0], dy[0], spin)


def turned(p, gap, growth):
    """p (1 + growth) - q, of pairs."""
    return minus(times((p, 0.0 * p), growth), gap)[0]


def kl_dirichlet(p, q):
    """A part for every component but the greatest, and that of the greatest and the sum together, none negative."""
    at, gap, s, ds, end, larger = shares(p, q)
    up = plus(s, (1.0 + 0.0 * s[0], 0.0 * s[0]))
    terms = _component(p, q, gap[0], turned(p, gap, over(ds, up)), (end + 1.0) / up[0])
    fine = (minimum(p, q) >= LEAST) & (maximum(p, q) <= GREATEST)
    value = select(at, 0.0, terms).sum(-1) + _beta_larger(*larger)[..., 0]
    return select(fine.all(-1), value, NAN)


def slopes_dirichlet(p, q):
    """(p_j - q_j) psi'(p_j) - (p_0 - q_0) psi'(p_0) and psi(q_j) - psi(p_j) - (psi(q_0) - psi(p_0))."""
    _at, gap, s, ds, end, _larger = shares(p, q)
    curved, bent = ds[0] * reduced_trigamma(s[0]), reduced_digamma_difference(s[0], end, ds[0])
    return _component_slopes(p, q, gap[0], turned(p, gap, over(ds, s)), end / s[0], curved, bent)
