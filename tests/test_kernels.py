"""Every normalising integral in klsym.derive.kernels against quadrature, one row each; a kernel without a row fails."""

import mpmath as mp
import pytest
import sympy as sp

from klsym import families
from klsym.core.domain import Interval, circle, half_line, real_line, unit_interval
from klsym.derive import antiderivatives, flat, kernels, urns
from klsym.derive.linear import linear
from klsym.derive.normalisers import plain

y = sp.Symbol("y", positive=True)
z = sp.Symbol("z", real=True)
k = sp.Symbol("k", integer=True)
R = sp.Rational
above_one = Interval(sp.S.One, sp.oo)
counts = Interval(sp.S.Zero, sp.oo)
positive_counts = Interval(sp.S.One, sp.oo)

ROWS = [
    (kernels.gauss, z, real_line, R(3, 10) * z - R(7, 10) * z**2),
    (kernels.gen_gamma, y, half_line, R(13, 10) * sp.log(y) - R(6, 10) * y),
    (kernels.gen_gamma, y, half_line, R(3, 10) * sp.log(y) - R(6, 10) * y**2),
    (kernels.gen_gamma, y, half_line, -R(23, 10) * sp.log(y) - R(6, 10) / y),
    (kernels.gen_gamma, y, half_line, R(7, 10) * sp.log(y) - R(6, 10) * y ** R(3, 2)),
    (kernels.gig, y, half_line, -R(3, 10) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, -R(3, 2) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, -R(1, 2) * sp.log(y) - R(6, 10) * y - R(8, 10) / y),
    (kernels.gig, y, half_line, R(3, 10) * sp.log(y) - R(6, 10) * y**2 - R(8, 10) / y**2),
    (kernels.beta_prime, y, half_line, R(3, 10) * sp.log(y) - R(36, 10) * sp.log(1 + R(7, 10) * y)),
    (kernels.beta_prime, y, half_line, -R(24, 10) * sp.log(y) - R(16, 10) * sp.log(1 + R(7, 10) / y**2)),
    (kernels.beta_prime, y, half_line, -sp.log(1 + R(7, 10) * y**2)),
    (kernels.beta_prime, y, half_line, -R(2, 10) * sp.log(y) - R(26, 10) * sp.log(1 + R(7, 10) * y**2)),
    (kernels.beta, y, unit_interval, R(3, 10) * sp.log(y) + R(6, 10) * sp.log(1 - y)),
    (kernels.beta, y, unit_interval, R(3, 10) * sp.log(y) + R(6, 10) * sp.log(1 - y ** R(5, 2))),
    (kernels.beta, y, unit_interval, -R(1, 2) * sp.log(y) - R(1, 2) * sp.log(1 - y)),
    (kernels.above_one, y, above_one, R(3, 10) * sp.log(y) - R(6, 10) * y),
    (kernels.above_one, y, above_one, -R(33, 10) * sp.log(y)),
    (kernels.interval_exponential, y, unit_interval, R(13, 10) * y),
    (kernels.von_mises, z, circle, R(13, 10) * sp.cos(z)),
    (kernels.counts, k, counts, -R(4, 10) * k),
    (kernels.counts, k, counts, R(4, 10) * k - sp.loggamma(k + 1)),
    (kernels.counts, k, positive_counts, R(4, 10) * k - sp.loggamma(k + 1)),
    (kernels.counts, k, positive_counts, -R(4, 10) * k - sp.log(k)),
    (kernels.counts, k, positive_counts, -R(31, 10) * sp.log(k)),
    (kernels.counts, k, counts, -R(4, 10) * k + sp.loggamma(k + R(17, 10)) - sp.loggamma(k + 1)),
    (kernels.counts, k, Interval(sp.S.Zero, sp.Integer(7)),
     R(4, 10) * k - sp.loggamma(k + 1) - sp.loggamma(8 - k)),
]  # fmt: skip
IDS = [f"{row[0].__name__}-{i}" for i, row in enumerate(ROWS)]


def end_point(end):
    return mp.mpf(str(end).replace("oo", "inf")) if end.is_infinite else mp.mpmathify(sp.N(end, 30))


def total(exponent, variable, support, upper=None):
    """The integral, or the sum, of exp(exponent) by mpmath."""
    f = sp.lambdify(variable, exponent, "mpmath")
    low, high = (end_point(end) for end in (support.lower, support.upper if upper is None else upper))
    if variable is k:
        if mp.isinf(high):
            method = "e" if exponent.atoms(k, sp.log) == {k, sp.log(k)} and not exponent.is_Add else "d"
            return mp.nsum(lambda i: mp.exp(f(i)), [low, mp.inf], method=method)
        return mp.fsum(mp.exp(f(i)) for i in range(int(low), int(high) + 1))
    if low == 0 and mp.isinf(high):
        return mp.quad(lambda t: mp.exp(f(mp.exp(t)) + t), [-200, -40, -8, -2, 0, 1, 2, 4, 8, 40])
    if low == 0:
        return mp.quad(lambda t: mp.exp(f(high * mp.exp(-t)) - t) * high, [0, 0.01, 0.5, 2, 8, 40, 200, 700])
    if low == 1 and mp.isinf(high):
        return mp.quad(lambda t: mp.exp(f(mp.exp(t)) + t), [0, 1, 2, 4, 8, 40])
    ends = [low, 1, high] if high > 1 else [low, high]
    if mp.isinf(high):
        ends = [-mp.inf, -4, -1, 0, 1, 4, mp.inf]
    return mp.quad(lambda t: mp.exp(f(t)), ends)


@pytest.fixture(autouse=True)
def precision():
    with mp.workdps(25):
        yield


def number(expr):
    return mp.mpmathify(plain(expr).evalf(25))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_normaliser(row):
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    reference = total(exponent, variable, support)
    assert abs(number(kernel.log_z(*kernel.eta)) - mp.log(reference)) < mp.mpf(10) ** -15


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_extensions(row):
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    for feature, log_z, *_ in kernel.extensions:
        reference = total(exponent - R(9, 10) * feature, variable, support)
        assert abs(number(log_z(*kernel.eta, -R(9, 10))) - mp.log(reference)) < mp.mpf(10) ** -14, feature


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_parts(row):
    """What is below a place by quadrature, and what is beyond it as the rest of the whole."""
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    if kernel.parts is None:
        return
    m = sp.Integer(3) if variable is k else R(7, 10) if support.upper == 1 else R(17, 10)
    f = sp.lambdify(variable, exponent, "mpmath")
    if variable is k or support.lower == 0:
        pieces = total(exponent, variable, Interval(support.lower, m), m)
    else:
        pieces = mp.quad(lambda t: mp.exp(f(t)), [max(end_point(support.lower), -9), 0, 1, mp.mpf(17) / 10])
    below, beyond = (part(m, *kernel.eta) for part in kernel.parts)
    if below is not None:
        whole = mp.exp(number(kernel.log_z(*kernel.eta)))
        assert abs(number(below) - pieces) < mp.mpf(10) ** -14
        assert abs(number(beyond) + pieces - whole) < mp.mpf(10) ** -14


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_log_shortfall(row):
    """E[log(m/Y); Y < m] by quadrature, where the kernel has it: at these exponents or at plainer ones."""
    build, variable, support, exponent = row
    kernel = build(linear(exponent, variable), variable, support)
    if kernel.log_shortfall is None:
        return
    m = R(7, 10) if support.upper == 1 else R(17, 10)
    for eta in (kernel.eta, (R(0), kernel.eta[1]), (R(1), -R(3)), (kernel.eta[0], R(0)), (kernel.eta[0], -R(23, 10))):
        found = kernel.log_shortfall(m, *eta)
        if found is None or not all(kernel.finite(*eta)):
            continue
        density = sp.Add(*(e * g for e, g in zip(eta, kernel.features, strict=True)))
        f = sp.lambdify(variable, sp.exp(density) * sp.log(m / variable) * variable, "mpmath")
        top = mp.log(mp.mpf(m.p) / m.q)
        low = mp.mpf(0) if support.lower == 1 else top - 80
        part = mp.quad(lambda t, f=f: f(mp.exp(t)), [low, *(top - s for s in (30, 10, 4, 1) if top - s > low), top])
        assert abs(number(found) - part / mp.exp(number(kernel.log_z(*eta)))) < mp.mpf(10) ** -12, eta


@pytest.mark.parametrize("rate", [R(13, 10), -R(13, 10), R(40)])
def test_means_of_logarithms_on_the_unit_interval(rate):
    kernel = kernels.interval_exponential({y: rate}, y, unit_interval)
    mass = mp.quad(lambda t: mp.exp(rate * t), [0, 1])
    for atom in (sp.log(y), sp.log(1 - y), y ** R(3, 2)):
        f = sp.lambdify(y, atom * sp.exp(rate * y), "mpmath")
        assert abs(number(kernel.expect(atom).value) - mp.quad(f, [0, 0.5, 1]) / mass) < mp.mpf(10) ** -15, atom


def test_bessel_sum():
    """The sum of exp(e0 k) I_|k|(z) over all integers."""
    kernel = kernels.counts({sp.log(sp.besseli(sp.Abs(k), R(13, 10))): 1, k: R(4, 10)}, k, real_line)
    reference = mp.fsum(mp.exp(0.4 * mp.mpf(i)) * mp.besseli(abs(i), mp.mpf(13) / 10) for i in range(-40, 41))
    assert abs(number(kernel.log_z(R(4, 10))) - mp.log(reference)) < mp.mpf(10) ** -12


@pytest.mark.parametrize(
    "law", [families.catalog["BetaBinomial"](7, R(3, 2), R(7, 3)), families.catalog["Hypergeometric"](15, 6, 5)]
)
def test_urns(law):
    p = law.family.member("")
    known = urns.urn({a: c for a, c in linear(p.log_density(k), k).items() if a != 1}, k)
    points = dict(zip(p.values, law.values, strict=True))
    for power in (1, 2):
        direct = mp.fsum(
            i**power * mp.exp(number(law.log_density(sp.Integer(i)))) for i in range(8) if i <= law.support.upper
        )
        assert abs(number(known.expect(k**power).value.xreplace(points)) - direct) < mp.mpf(10) ** -20


def test_every_kernel_has_a_row():
    assert {row[0] for row in ROWS} == {*kernels.KERNELS, kernels.counts}


A, C = R(3, 10), R(9, 10)


@pytest.mark.parametrize(
    "integrand",
    [
        y * (y + A) ** R(7, 2), y * (C - y) ** R(7, 2), y**3 / (y + A), y * sp.log(y + A) ** 2, sp.log(1 - y) ** 2,
        sp.log(y) * sp.log(1 - y), y * sp.log(C - y) * sp.log(1 - C + y), y * sp.log(R(7, 3) + y / 5 + R(2, 3) * y**2),
        y * sp.log(1 - (y + A) ** R(5, 2)), y * sp.log((y / 2 + A) ** R(3, 2) + 1), sp.log(3 * sp.exp(z) - 2),
        sp.log(3 - sp.exp(z)), sp.log(sp.exp(z) + R(1, 2)), sp.exp(-2 * sp.exp(z)), y * sp.exp(-2 * y), sp.cos(z),
    ],
    ids=str,
)  # fmt: skip
def test_antiderivatives(integrand):
    """Against quadrature between 1/5 and 1/2."""
    (variable,) = integrand.free_symbols
    found, _ = antiderivatives.antiderivative(integrand, variable)
    ends = [sp.re(sp.N(found.subs(variable, end), 25)) for end in (R(1, 5), R(1, 2))]
    whole = mp.quad(sp.lambdify(variable, integrand, "mpmath"), [mp.mpf(1) / 5, mp.mpf(1) / 2])
    assert abs(mp.mpmathify(ends[1] - ends[0]) - whole) < mp.mpf(10) ** -18


def test_kinks():
    """A kink inside, below and above the support of a flat law."""
    law = flat.Flat(z, R(1, 2), R(3, 2), ((sp.S.One, sp.S.One),))
    for function in (sp.Abs(sp.exp(z) - A), sp.Piecewise((z, z < A), (sp.exp(z), True))):
        for place in (R(-3), R(1), R(2), R(9)):
            bound = function.xreplace({A: place})
            whole = mp.quad(sp.lambdify(z, bound, "mpmath"), [0.5, *([mp.log(place)] if place == 2 else [1]), 1.5])
            assert abs(number(law.expect(bound).value) - whole) < mp.mpf(10) ** -10
