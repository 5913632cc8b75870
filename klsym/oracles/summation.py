"""The sum of a mass function, and of a mass function times a factor, over a range of the integers.

Terms are added directly while that is enough; a long range is closed by the Euler-Maclaurin formula (DLMF 2.10.1),
whose integral is the quadrature of the continuous extension, and which is tried on terms that were added as well.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import mpmath as mp
import sympy as sp
from mpmath.libmp import NoConvergence
from sympy.logic.boolalg import Boolean

from .integrand import Integrand, compiled
from .quadrature import Integral, integral, precision
from .ray import Ray, end

_SHORT = 64
_LONG = 512
_DIRECT = 4096
_CHECK = 160
_ORDER = 10


def total(integrand: Integrand, lower: sp.Expr, upper: sp.Expr, condition: Boolean, digits: int) -> Integral:
    """Sum exp(first expression), and that times the second where the condition holds, over lower <= k <= upper."""
    with mp.workprec(precision(digits)):
        if lower == -sp.oo:
            x = integrand.variable
            mirrored = compiled(x, tuple(e.xreplace({x: -x}) for e in integrand.expressions), integrand.bindings)
            left = total(mirrored, max(sp.S.One, -sp.floor(upper)), sp.oo, condition.xreplace({x: -x}), digits)
            return left if upper < 0 else left + total(integrand, sp.S.Zero, upper, condition, digits)
        first = int(sp.ceiling(lower))
        last = None if upper == sp.oo else int(sp.floor(upper))
        limits = compiled(integrand.variable, (sp.Piecewise((1, condition), (0, True)),))
        breaks = {int(sp.floor(zero)) for zero in (*integrand.zeros, *limits.zeros)}
        starts = [first, *sorted(b + 1 for b in breaks if first <= b and (last is None or b < last))]
        smooth = not (integrand.turns or limits.turns)
        stretches = [*pairwise(starts), (starts[-1], None if last is None else last + 1)]
        sums = Integral()
        for start, stop in stretches:
            try:
                sums += _stretch(_Terms(integrand, limits, condition), start, stop, smooth, digits, sums)
            except (ArithmeticError, NoConvergence) as error:
                return Integral(doubt=f"a term cannot be computed: {error or type(error).__name__}")
        return sums


class _Terms:
    """The mass and the factor at real k, the factor 0 where the condition fails."""

    def __init__(self, integrand: Integrand, limits: Integrand, condition: Boolean) -> None:
        self.integrand, self.condition = integrand, condition
        self._point = integrand.at(sp.S.Zero, 1)
        self._holds = limits.at(sp.S.Zero, 1) if condition != sp.true else None

    def __call__(self, k: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
        weight, factor = self._point(mp.mpf(k))
        if weight == -mp.inf:
            return mp.mpf(0), mp.mpf(0)
        mass = mp.exp(weight)
        return mass, mass * factor if self._holds is None or self._holds(mp.mpf(k))[0] else mp.mpf(0)

    def add(self, start: int, stop: int) -> Integral:
        """The sum over start <= k < stop."""
        pairs = [self(k) for k in range(start, stop)]
        if any(isinstance(value, mp.mpc) or mp.isnan(value) for pair in pairs for value in pair):
            return Integral(doubt=f"no real value at one of the integers from {start} to {stop - 1}")
        mass, mid, size = (mp.fsum(column) for column in zip(*((m, t, abs(t)) for m, t in pairs), strict=True))
        if mp.isinf(mass):
            # As -log(1 - p) is where p is smaller than the last digit: no infinite sum, but too few digits.
            return Integral(doubt=f"the mass is infinite at one of the integers from {start} to {stop - 1}")
        note = "the factor is infinite where there is mass" if mp.isinf(mid) else ""
        # The logarithms are rounded relative to their own size, and keep that error when they cancel.
        lost = mp.fsum((m + abs(t)) * (1 + abs(mp.log(m))) for m, t in pairs if m)
        return Integral(mass, mp.mpf(0), mid, mp.ldexp(lost, 8 - mp.mp.prec), size, note=note)

    def tail(self, start: int, sums: Integral, digits: int) -> tuple[str, mp.mpf, mp.mpf]:
        """What becomes of the sum over k >= start, and bounds on it by Cauchy condensation if it is negligible."""
        counted = self.condition.xreplace({self.integrand.variable: sp.Integer(start)}) == sp.true
        ray = Ray(self.integrand, sp.Integer(start - 1), 1, mp.inf, counted, precision(digits))
        ray.survey()
        goal = mp.mpf(10) ** -(digits + 2)
        fates, bounds = [], []
        for index, reached in ((1, mp.mpf(1)), (2, sums.size)):
            levels = [(x[0], x[index]) for x in ray.samples if x[0] >= 0]
            seen = [(s, level) for s, level in levels if level is not None]
            top = max([mp.log(reached)] * (reached > 0) + [level for _, level in seen], default=mp.ninf)
            fates.append(end(levels, top - (digits + 5) * mp.log(10)))
            steps = [(max(a[1], b[1]), b[0] - a[0]) for a, b in pairwise(seen)]
            bounds.append(mp.fsum(2 * mp.exp(level) * step for level, step in steps if level > -(10**6)))
        masses = [level - s for s, level, _ in ray.samples if s >= 0 and level is not None]
        falling = all(b <= a for a, b in pairwise(masses))
        negligible = falling and bounds[0] < goal and bounds[1] <= goal * sums.size
        if fates[0] != "decays":
            return "the mass function is not seen to decay", *bounds
        if fates[1] == "diverges":
            return "diverges", *bounds
        if fates[1] == "unseen":
            return "the terms decay too slowly to be followed", *bounds
        return "negligible" if negligible else "", *bounds


def _stretch(terms: _Terms, start: int, stop: int | None, smooth: bool, digits: int, before: Integral) -> Integral:
    """The sum over start <= k < stop, on which the terms have no kink if they are smooth; stop None is infinity."""
    if stop is not None and stop - start <= _DIRECT:
        return terms.add(start, stop)
    sums, reached = Integral(), start
    if stop is None:
        for length in (_SHORT, _LONG, _DIRECT):
            sums += terms.add(reached, start + length)
            reached = start + length
            if sums.doubt or mp.isinf(sums.mid):
                return sums
            fate, mass_bound, bound = terms.tail(reached, before + sums, digits)
            if fate == "negligible":
                return sums + Integral(mass_error=mass_bound, error=bound)
            if fate == "diverges":
                sign = terms(mp.mpf(reached) ** 9)[1] or terms(reached)[1]
                return Integral(mid=mp.sign(sign) * mp.inf, note="the terms of the sum do not decay fast enough")
            if fate:
                return Integral(doubt=fate)
            if length == _LONG and not _soon(terms, reached, before + sums, digits):
                break
    if not smooth:
        return Integral(doubt=f"more than {_DIRECT} terms, with kinks that were not located")
    sums = _closed(terms, start, start + _LONG, stop, digits)
    if sums.doubt or mp.isinf(sums.mid):
        return sums
    first, after = start + _LONG, start + _LONG + _CHECK
    known, formula = terms.add(first, after + 1), _between(terms, first, after, digits)
    return sums + Integral(mass_error=abs(known.mass - formula.mass), error=abs(known.mid - formula.mid))


def _soon(terms: _Terms, reached: int, sums: Integral, digits: int) -> bool:
    """Whether the terms are negligible before the direct limit."""
    mass, product = terms(reached + _DIRECT - _LONG)
    goal = mp.mpf(10) ** -(digits + 5)
    return sums.mass > mp.mpf("0.1") and mass < goal and abs(product) <= goal * sums.size


def _closed(terms: _Terms, start: int, cut: int, stop: int | None, digits: int) -> Integral:
    """Direct sums at the ends of the stretch, and Euler-Maclaurin between."""
    last = None if stop is None else stop - (cut - start)
    ends = terms.add(start, cut)
    if stop is not None and last is not None:
        ends += terms.add(last + 1, stop)
    return ends if ends.doubt else ends + _between(terms, cut, last, digits)


def _between(terms: _Terms, first: int, last: int | None, digits: int) -> Integral:
    """The sum over first <= k <= last by the Euler-Maclaurin formula."""
    upper = sp.oo if last is None else sp.Integer(last)
    sums = integral(terms.integrand, sp.Integer(first), upper, terms.condition, digits)
    if sums.doubt or mp.isinf(sums.mid):
        return sums
    sums += _correction(terms, first, -1)
    return sums if last is None else sums + _correction(terms, last, 1)


def _correction(terms: _Terms, place: int, way: int) -> Integral:
    """f(a)/2 + way * sum of B_2j/(2j)! f^(2j-1)(a), for the mass and the product, from the terms around a."""
    around = {m: terms(place + m) for m in range(-_ORDER, _ORDER + 1)}
    parts = []
    for index in (0, 1):
        steps = [around[m][index] - around[-m][index] for m in range(1, _ORDER + 1)]
        rough, fine = (way * mp.fdot(_differences(n, mp.mp.prec), steps[:n]) for n in (_ORDER - 1, _ORDER))
        parts += [around[0][index] / 2 + fine, abs(fine - rough)]
    return Integral(*parts)


@lru_cache(maxsize=16)
def _differences(n: int, bits: int) -> list[mp.mpf]:
    """d with sum of d_m (f(a+m) - f(a-m)) = sum of B_2j/(2j)! f^(2j-1)(a) for polynomials of degree up to 2n."""
    with mp.workprec(2 * bits):
        powers = mp.matrix(n, n)
        for j in range(1, n + 1):
            for m in range(1, n + 1):
                powers[j - 1, m - 1] = 2 * mp.mpf(m) ** (2 * j - 1)
        return list(mp.lu_solve(powers, mp.matrix([mp.bernoulli(2 * j) / (2 * j) for j in range(1, n + 1)])))
