"""Whether a user's density is one: nonnegative, with total mass 1, measured at a few members of the family."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from copy import copy
from itertools import pairwise
from typing import Any

import mpmath as mp
import numpy as np
import sympy as sp

from ..core.errors import DensityError
from ..core.family import Distribution, Family

TOLERANCE = 1e-8
MEMBERS = 3
EVALUATIONS = 30_000
TERMS = 500

# What lies below the largest value by this much, as a logarithm, does not count: exp(-36) is 2e-16.
NEGLIGIBLE = 36.0

# Where the integrand is first looked at, in the coordinate of `Mass.place`: the ends of the pieces, and the points
# between them that show the maxima; off zero, where densities have their kinks.
PIECES = sorted({sign * t + 0.03 for sign in (-1, 1) for t in [*range(40), *range(40, 201, 5)]})
SCAN = sorted({*PIECES, *(t / 8 + 0.03 for t in range(-96, 97))})
GAUSS = list(zip(*(array.tolist() for array in np.polynomial.legendre.leggauss(10)), strict=True))


def confirm(text: str, value: sp.Expr, family: Family) -> None:
    """Return if the value is a density of members of the family; otherwise DensityError says what was found."""
    for member in members(family):
        mass = Mass(text[:60], value.xreplace(member.bindings), member)
        with mp.workdps(mass.digits):
            total = mass.sum() if family.discrete else mass.integral()
        if not abs(total - 1) <= TOLERANCE:
            verb = "sums" if family.discrete else "integrates"
            raise DensityError(
                f"{text[:60]!r} {verb} to {mp.nstr(mp.mpf(total), 10)}{mass.where}, not to 1; "
                f"divide it by that, or mend the domain of {family.variable}"
            )


def members(family: Family) -> Iterator[Distribution]:
    """A few members with everyday values, the same ones each time; one if there are no parameters."""
    chance = random.Random(0)
    found = 0
    for _ in range(300):
        values: list[sp.Expr] = []
        for parameter in family.parameters:
            low, high = parameter.typical
            if parameter.domain.integer:
                values.append(sp.Integer(chance.randint(math.ceil(low), math.floor(high))))
            else:
                values.append(sp.Rational(round(chance.uniform(low, high) * 1000), 1000))
        member = Distribution(family, tuple(values))
        if member.constraint == sp.true:
            found += 1
            yield member
        if found == (MEMBERS if values else 1):
            return
    if not found:
        raise DensityError(f"no everyday values satisfy {family.constraint}; give each name its own interval")


class Mass:
    """The mass of one member, from its log density alone; `value` is the density that the user wrote."""

    def __init__(self, text: str, value: sp.Expr, member: Distribution) -> None:
        variable = member.family.variable
        bound = ", ".join(f"{symbol}={sp.N(number, 4)}" for symbol, number in member.bindings.items())
        self.text, self.where, self.variable = text, f" at {bound}" if bound else "", variable
        # Next to a finite end other than 0 the points differ from it in the hundredth digit only.
        self.digits = 30 if {member.support.lower, member.support.upper} <= {-sp.oo, sp.S.Zero, sp.oo} else 110
        if member.family.discrete:
            self.digits = 30
        ends = (_function(end, variable, self.digits) for end in (member.support.lower, member.support.upper))
        with mp.workdps(self.digits):
            self.lower, self.upper = (mp.mpf(end(0)) for end in ends)
        self.value = _function(value, variable, self.digits)
        self.log = _function(member.log_density(), variable, self.digits)
        self.evaluations = 0

    def level(self, x: Any) -> Any:
        """The log density at x, -oo where it is zero or out of reach; DensityError where it is not a real number."""
        self.evaluations += 1
        try:
            level = self.log(x)
        except (OverflowError, ZeroDivisionError):
            return mp.ninf
        except (ValueError, TypeError, NotImplementedError, mp.mp.NoConvergence) as error:
            raise DensityError(f"{self.text!r} cannot be evaluated at {self.at(x)}: {str(error)[:80]}") from None
        if mp.im(level) == 0 and not mp.isnan(level):
            return mp.re(level)
        value = self.value(x)
        if mp.im(value) == 0 and value <= 0:
            if value == 0:
                return mp.ninf
            raise DensityError(f"{self.text!r} is {mp.nstr(value, 5)} at {self.at(x)}; a density is never negative")
        raise DensityError(f"{self.text!r} is not a real number at {self.at(x)}; mend the domain of {self.variable}")

    def at(self, x: Any) -> str:
        return f"{self.variable}={mp.nstr(x, 5)}{self.where.replace(' at', ',')}"

    def place(self, t: Any) -> tuple[Any, float]:
        """The point of the support that t in (-oo, oo) stands for, and the logarithm of dx/dt."""
        t, far = mp.mpf(t), abs(float(t))
        if mp.isinf(self.lower) and mp.isinf(self.upper):
            return mp.sinh(t), far + math.log1p(math.exp(-2 * far)) - math.log(2)
        if mp.isinf(self.upper):
            return self.lower + mp.exp(t), float(t)
        if mp.isinf(self.lower):
            return self.upper - mp.exp(t), float(t)
        width = self.upper - self.lower
        part = width / (1 + mp.exp(abs(t)))
        slope = math.log(width) - far - 2 * math.log1p(math.exp(-far))
        return (self.upper - part if t > 0 else self.lower + part), slope

    def height(self, t: Any) -> float:
        """The logarithm of the integrand in t."""
        x, slope = self.place(t)
        return float(self.level(x)) + slope

    def integral(self) -> Any:
        """The integral over the support: Gauss's rule on pieces that are halved until they are stable.

        The pieces start from a scan and close in on each maximum that it shows, so that a narrow peak is seen.
        """
        seen = {t: self.height(t) for t in SCAN}
        heights = {t: seen[t] for t in PIECES}
        for left, middle, right in zip(SCAN, SCAN[1:], SCAN[2:], strict=False):
            if seen[left] <= seen[middle] >= seen[right] and seen[middle] > -math.inf:
                heights |= {t: self.height(t) for t in self.approach(left, right)}
        top = max(heights.values())
        if top == -math.inf or max(seen[SCAN[0]], seen[SCAN[-1]]) >= top - NEGLIGIBLE:
            raise self.unsettled()
        pieces = [(a, b) for a, b in pairwise(sorted(heights)) if max(heights[a], heights[b]) > top - NEGLIGIBLE]
        work = [(mp.mpf(a), mp.mpf(b), self.rule(a, b, top)) for a, b in pieces]
        scale = math.fsum(whole for _, _, whole in work)
        settled: list[float] = []
        while work:
            a, b, whole = work.pop()
            middle = (a + b) / 2
            left, right = self.rule(a, middle, top), self.rule(middle, b, top)
            if abs(left + right - whole) <= 1e-11 * scale or not a < middle < b:
                settled.append(left + right)
            else:
                work += [(a, middle, left), (middle, b, right)]
            if self.evaluations > EVALUATIONS:
                raise self.unsettled()
        return mp.exp(top) * math.fsum(settled)

    def approach(self, left: float, right: float) -> list[float]:
        """Points that close in on the maximum between two points, by golden section."""
        ratio = (math.sqrt(5) - 1) / 2
        for _ in range(60):
            first, second = right - ratio * (right - left), left + ratio * (right - left)
            if not left < first < second < right:
                break
            if self.height(first) < self.height(second):
                left = first
            else:
                right = second
        peak = (left + right) / 2
        top, width = self.height(peak), 1.0
        points = [peak]
        while width > 1e-15 * (1 + abs(peak)):
            points += [peak - width, peak + width]
            if min(self.height(peak - width), self.height(peak + width)) > top - 2:
                break
            width /= 4
        return points

    def rule(self, a: Any, b: Any, top: float) -> float:
        half, middle = float(b - a) / 2, (a + b) / 2
        return half * math.fsum(weight * math.exp(self.height(middle + half * node) - top) for node, weight in GAUSS)

    def sum(self) -> Any:
        """The sum over the support."""
        if mp.isinf(self.lower) and mp.isinf(self.upper):
            return self.series(mp.mpf(0), 1) + self.series(mp.mpf(-1), -1)
        if mp.isinf(self.upper):
            return self.series(self.lower, 1)
        if mp.isinf(self.lower):
            return self.series(self.upper, -1)
        if self.upper - self.lower > EVALUATIONS:
            raise self.unsettled()
        return mp.fsum(mp.exp(self.level(self.lower + k)) for k in range(int(self.upper - self.lower) + 1))

    def series(self, first: Any, step: int) -> Any:
        """The sum from the first point on: term by term, then by the midpoint rule and its first correction.

        The sum over k >= K of f(k) is the integral of f from K - 1/2, plus f'(K - 1/2)/24 (DLMF 2.10.1, 24.4.27).
        """
        total, quiet = mp.mpf(0), 0
        before = last = mp.mpf(0)
        for k in range(TERMS):
            before, last = last, mp.exp(self.level(first + step * k))
            total += last
            quiet = quiet + 1 if last <= total * 1e-17 else 0
            if quiet > 5 and total > 0:
                return total
        edge = first + step * (TERMS - mp.mpf(1) / 2)
        tail = copy(self)
        tail.lower, tail.upper = (edge, mp.inf) if step > 0 else (mp.ninf, edge)
        return total + tail.integral() + (last - before) / 24

    def unsettled(self) -> DensityError:
        return DensityError(
            f"the total mass of {self.text!r} does not settle{self.where}: it may be infinite, fall off too slowly, or "
            f"be spread too widely; mend the domain of {self.variable}"
        )


def _function(value: sp.Expr, variable: sp.Symbol, digits: int) -> Callable[[Any], Any]:
    """The value as a function of mpmath numbers; its only name is one that no text has chosen."""
    point = sp.Dummy("x", real=True)
    return sp.lambdify([point], sp.N(value.xreplace({variable: point}), digits), "mpmath")
