"""Divergences of families of arrays from textbook formulas in mpmath, which share nothing with klsym."""

from __future__ import annotations

import mpmath as mp
import numpy as np

DIGITS = 120
LKJ_SIZE = 3  # which no parameter tells


def number(x):
    return x if isinstance(x, mp.mpf) else mp.mpf(float(x))


def matrix(x):
    return mp.matrix([[number(entry) for entry in row] for row in np.atleast_2d(x)])


def normal(mu_p, s_p, mu_q, s_q):
    """Kullback, Information Theory and Statistics, section 9.1."""
    inverse = s_q**-1
    product, gap = inverse * s_p, mu_p - mu_q
    trace = sum(product[i, i] for i in range(product.rows))
    return (trace - s_p.rows - mp.log(mp.det(product)) + (gap.T * inverse * gap)[0]) / 2


def wishart(nu_p, v_p, nu_q, v_q):
    """Penny, KL-divergences of Normal, Gamma, Dirichlet and Wishart densities, 2001."""
    k = v_p.rows
    product = v_q**-1 * v_p
    trace = sum(product[i, i] for i in range(k))
    gammas = sum(mp.loggamma((nu_q - i) / 2) - mp.loggamma((nu_p - i) / 2) for i in range(k))
    psi = sum(mp.digamma((nu_p - i) / 2) for i in range(k))
    return gammas + (nu_p - nu_q) / 2 * psi - nu_q / 2 * mp.log(mp.det(product)) + nu_p / 2 * (trace - k)


def dirichlet(a, b):
    def log_beta(x):
        return sum(map(mp.loggamma, x)) - mp.loggamma(sum(x))

    total = mp.digamma(sum(a))
    return log_beta(b) - log_beta(a) + sum((x - y) * (mp.digamma(x) - total) for x, y in zip(a, b, strict=True))


def shares(p, q):
    """The sum of p log(p/q) - p + q, which does not ask for sums of exactly 1."""
    return sum((x * mp.log(x / y) if x else 0) - x + y for x, y in zip(p, q, strict=True))


def von_mises_fisher(mu, kappa, nu, lam):
    """Diethe, A Note on the Kullback-Leibler Divergence for the von Mises-Fisher distribution, 2015.

    With what the squares of mu and nu miss of 1, so that it is 0 where P = Q.
    """
    order = mp.mpf(mu.rows) / 2 - 1

    def log_c(x):
        return order * mp.log(x) - mp.log(mp.besseli(order, x))

    def ratio(x):
        return mp.besseli(order + 1, x) / mp.besseli(order, x)

    missed = sum(ratio(x) * x * ((v.T * v)[0] - 1) / 2 for v, x in ((mu, kappa), (nu, lam)))
    return ratio(kappa) * (kappa - lam * (mu.T * nu)[0]) + log_c(kappa) - log_c(lam) + missed


def lkj(eta, zeta, k):
    """By independent canonical partial correlations (Joe, Journal of Multivariate Analysis 97, 2006, theorem 1).

    The jth of them, k - j of each, are symmetric beta distributions on (-1, 1) of parameter eta + (k - 1 - j)/2.
    """
    eta, zeta = number(eta), number(zeta)
    shifts = [(k - j, mp.mpf(k - 1 - j) / 2) for j in range(1, k)]
    return sum(count * dirichlet([eta + c] * 2, [zeta + c] * 2) for count, c in shifts)


def softmax(x):
    top = max(x)
    weights = [mp.exp(each - top) for each in x]
    return [w / sum(weights) for w in weights]


def kron(a, b):
    rows, columns = a.rows * b.rows, a.cols * b.cols
    found = mp.matrix(rows, columns)
    for i in range(rows):
        for j in range(columns):
            found[i, j] = a[i // b.rows, j // b.cols] * b[i % b.rows, j % b.cols]
    return found


def stacked(m):
    return mp.matrix([m[i, j] for j in range(m.cols) for i in range(m.rows)])


def vector(x):
    return mp.matrix([number(entry) for entry in x])


def entries(x):
    return [number(entry) for entry in x]


def low_rank(w, d):
    return matrix(w) * matrix(w).T + diagonal(d)


def diagonal(d):
    return mp.diag(entries(d))


COVARIANCE = {
    "": matrix,
    "covariance": matrix,
    "diagonal": diagonal,
    "factor+diagonal": low_rank,
    "precision": lambda x: matrix(x) ** -1,
    "scale_tril": lambda x: matrix(x) * matrix(x).T,
}


def gamma(a, b, c, d):
    """Penny, KL-divergences of Normal, Gamma, Dirichlet and Wishart densities, 2001; b and d are rates."""
    return (a - c) * mp.digamma(a) - mp.loggamma(a) + mp.loggamma(c) + c * mp.log(b / d) + a * (d / b - 1)


def normal_gamma(m, k, a, b, n, h, c, d):
    """Soch, Allefeld, Kullback-Leibler divergence for the normal-gamma distribution, 2016, equation 17."""
    m, k, a, b, n, h, c, d = map(number, (m, k, a, b, n, h, c, d))
    return (h * a / b * (n - m) ** 2 + h / k - mp.log(h / k) - 1) / 2 + gamma(a, b, c, d)


def normal_wishart(m, k, nu, v, n, h, mu, w):
    """The divergence of the precision matrices, and the mean one of the normal vectors at the mean precision."""
    gap, k, h, nu = vector(m) - vector(n), number(k), number(h), number(nu)
    square = (gap.T * v * gap)[0]
    return (h * nu * square + v.rows * (h / k - mp.log(h / k) - 1)) / 2 + wishart(nu, v, number(mu), w)


def gauss(form_p, form_q):
    def divergence(*given):
        count = 2 + form_p.count("+")
        (a, *s), (b, *t) = given[:count], given[count:]
        return normal(vector(a), COVARIANCE[form_p](*s), vector(b), COVARIANCE[form_q](*t))

    return divergence


# By the family's name and its form; a family's form of keyword "" is the usual one.
REFERENCES = {
    ("Dirichlet", ""): lambda a, b: dirichlet(entries(a), entries(b)),
    ("Categorical", ""): lambda p, q: shares(entries(p), entries(q)),
    ("Categorical", "logits"): lambda p, q: shares(softmax(entries(p)), softmax(entries(q))),
    ("Multinomial", ""): lambda n, p, m, q: number(n) * shares(entries(p), entries(q)),
    ("Multinomial", "logits"): lambda n, p, m, q: number(n) * shares(softmax(entries(p)), softmax(entries(q))),
    ("Wishart", ""): lambda nu, v, mu, w: wishart(number(nu), matrix(v), number(mu), matrix(w)),
    ("InverseWishart", ""): lambda nu, v, mu, w: wishart(number(nu), matrix(v) ** -1, number(mu), matrix(w) ** -1),
    ("VonMisesFisher", ""): lambda a, s, b, t: von_mises_fisher(vector(a), number(s), vector(b), number(t)),
    ("LKJ", ""): lambda eta, zeta: lkj(eta, zeta, LKJ_SIZE),
    ("MatrixNormal", ""): lambda m, u, v, n, a, b: normal(
        stacked(matrix(m)), kron(matrix(v), matrix(u)), stacked(matrix(n)), kron(matrix(b), matrix(a))
    ),
    **dict.fromkeys([("NormalGamma", ""), ("NormalInverseGamma", "")], normal_gamma),
    ("NormalWishart", ""): lambda m, k, nu, v, n, h, mu, w: normal_wishart(m, k, nu, matrix(v), n, h, mu, matrix(w)),
    ("NormalInverseWishart", ""): lambda m, k, nu, v, n, h, mu, w: normal_wishart(
        m, k, nu, matrix(v) ** -1, n, h, mu, matrix(w) ** -1
    ),
    **{
        (family, form): gauss(form, form)
        for family in ("MultivariateNormal", "MultivariateLogNormal")
        for form in ("", "precision", "scale_tril", "diagonal", "factor+diagonal")
    },
}
