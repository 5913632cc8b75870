"""What holds between the divergences, for every pair: at random members of families, and for vectors.

The inequalities are those of Tsybakov, Introduction to Nonparametric Estimation, 2.4, of Lin, IEEE Trans. Inf. Theory
37, 1991, and of van Erven and Harremoes, arXiv 1206.2459.
"""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import klsym
from klsym import divergences, families
from klsym.api import measured
from klsym.core.divergence import Divergence
from klsym.core.sampling import draw
from klsym.divergences import ordered

DIGITS = 20
FEW = "Normal Gamma Poisson Bernoulli Pareto Uniform".split()
ALL = {name: found for name, found in vars(divergences).items() if isinstance(found, Divergence)}
ORDERS = [Fraction(1, 5), Fraction(1, 2), Fraction(4, 5), Fraction(3, 2), Fraction(2)]


def members(name, seed=0):
    """Two members of the family, the support of the first in that of the second where there are such."""
    family = families.find(name)
    p, q = family.member("_p"), family.member("_q")
    found = klsym.kl(p, q)
    when = found.condition if found.kind == "closed" else sp.true
    point = draw((p, q), when, random.Random(f"{name} {seed}"))
    return p.subs(point), q.subs(point)


class Values:
    """The divergences of a pair, each computed when it is asked for."""

    def __init__(self, p, q, number):
        self.p, self.q, self.number = p, q, number

    def __getattr__(self, name):
        value = self.number(getattr(klsym, name)(self.p, self.q))
        setattr(self, name, value)
        return value

    def of_order(self, name, order, swapped=False):
        p, q = (self.q, self.p) if swapped else (self.p, self.q)
        return self.number(getattr(klsym, name)(p, q, order))


def at_most(*values):
    """Whether they do not fall, up to the digits that they have."""
    with mp.workdps(DIGITS):
        return all(mp.mpf(a) <= b or abs(a - b) <= mp.mpf(10) ** -13 * abs(b) for a, b in pairwise(values))


def equal(a, b):
    return at_most(a, b, a)


def times(fraction, value):
    return fraction.numerator * mp.mpf(value) / fraction.denominator


def renyi(v, order):
    return v.of_order("renyi", order)


INEQUALITIES = {
    "Pinsker": lambda v: at_most(v.total_variation, mp.sqrt(mp.mpf(v.kl) / 2)),
    "Bretagnolle and Huber": lambda v: at_most(v.total_variation, mp.sqrt(-mp.expm1(-mp.mpf(v.kl)))),
    "Le Cam": lambda v: at_most(
        v.hellinger2, v.total_variation, mp.sqrt(v.hellinger2 * (2 - v.hellinger2)), mp.sqrt(2) * v.hellinger
    ),
    "Lin": lambda v: at_most(v.jensen_shannon, mp.log(2) * v.total_variation, mp.log(2)),
    "Jensen-Shannon and Jeffreys": lambda v: at_most(v.jensen_shannon, v.jeffreys / 4),
    "chi-square above KL": lambda v: at_most(v.kl, mp.log1p(v.chi2), v.chi2),
    "KL above Hellinger": lambda v: at_most(v.hellinger2 * 2, 2 * v.bhattacharyya, v.kl),
    "hellinger is the root": lambda v: equal(v.hellinger**2, v.hellinger2),
    "Jeffreys is the sum": lambda v: equal(v.jeffreys, v.kl + v.reverse_kl),
    "the distance is the root": lambda v: equal(v.jensen_shannon_distance**2, v.jensen_shannon),
}
ORDERED = {
    "grows with its order": lambda v: at_most(
        0, *(renyi(v, a) for a in ORDERS[:3]), v.kl, *(renyi(v, a) for a in ORDERS[3:])
    ),
    "skew symmetry": lambda v: all(
        equal(times(1 - a, renyi(v, a)), times(a, v.of_order("renyi", 1 - a, True))) for a in ORDERS[:3]
    ),
    "duality": lambda v: all(
        equal(v.of_order("alpha_divergence", a), v.of_order("alpha_divergence", 1 - a, True)) for a in ORDERS[:3]
    ),
    "Tsallis is Renyi's exponential": lambda v: all(
        equal(times(a - 1, v.of_order("tsallis", a)), mp.expm1(times(a - 1, renyi(v, a)))) for a in ORDERS
    ),
}


def number(f):
    """To 20 digits, or as many as an integral has."""
    return f.evaluate(DIGITS).value


def holds(v, table):
    with mp.workdps(DIGITS + 10):
        return {name: check(v) for name, check in table.items()}


def assert_all(found):
    assert not [name for name, held in found.items() if not held]


@pytest.mark.parametrize("name", FEW)
def test_members_of_a_family(name):
    assert_all(holds(Values(*members(name), number), INEQUALITIES | ORDERED))


@pytest.mark.slow
@pytest.mark.parametrize("name", families.catalog)
def test_members_of_every_family(name):
    for seed in (1, 2, 3):
        p, q = members(name, seed)
        if klsym.renyi(p, q, Fraction(1, 2)).kind == "numeric":
            continue
        assert_all(holds(Values(p, q, number), INEQUALITIES | ORDERED))


LIMITS = [name for name, found in ALL.items() if "kl-at-1" in found.axioms]


@pytest.mark.parametrize("divergence", LIMITS)
@pytest.mark.parametrize("name", ["Gamma", "Geometric"])
def test_kl_is_the_limit(divergence, name):
    """From both sides, as fast as the order comes to 1: the divergence has a derivative there."""
    p, q = members(name, 4)
    kl = number(klsym.kl(p, q))
    for sign in (1, -1):
        gaps = []
        for k in (6, 8):
            near = ordered(ALL[divergence], 1 + sign * sp.Rational(1, 10**k))
            gaps.append(abs(number(measured(near, p, q, None, (), False, {})) - kl))
        assert gaps[0] < 1e-5 * kl and float(gaps[0] / gaps[1]) == pytest.approx(100, rel=1e-4)


def test_what_has_the_limit():
    assert set(LIMITS) == {"renyi", "tsallis", "alpha_divergence"}


def vectors(seed, size, count=2):
    """Vectors of every kind: even and uneven, near each other, with zeros of one and of both."""
    rng = np.random.default_rng(seed)
    found = rng.dirichlet(np.full(size, rng.choice([0.2, 0.5, 3.0])), count)
    if seed % 4 == 1:
        found[1:] = found[0] * (1 + 10.0 ** rng.uniform(-9, -1) * rng.uniform(-1, 1, (count - 1, size)))
    if seed % 4 == 2:
        found[0, found[0].argmin()] = 0
    if seed % 4 == 3:
        found[:, found.sum(axis=0).argmin()] = 0
    return found / found.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(24))
def test_probability_vectors(seed):
    p, q = vectors(seed, 3 + seed % 7)
    assert_all(holds(Values(p, q, mp.mpf), INEQUALITIES | ORDERED))


METRICS = [name for name, found in ALL.items() if "triangle" in found.axioms]


@pytest.mark.parametrize("name", ["hellinger", *METRICS])
def test_triangle_inequality(name):
    distance = getattr(klsym, name)
    for seed in range(20):
        p, q, r = vectors(seed, 3 + seed % 5, 3)
        assert at_most(distance(p, r), distance(p, q) + distance(q, r))
        assert distance(p, q) == pytest.approx(distance(q, p), rel=1e-14)
