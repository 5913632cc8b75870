"""Where two densities are equal, and what follows: how far apart the two distribution functions come.

With D = F - G, the difference of the distribution functions, D is monotone between neighbours among the crossings and
the ends of the supports. So total variation is half of what D rises and falls in all, and the greatest |D| is at one of
these places (Tsybakov, Introduction to Nonparametric Estimation, lemma 2.1; Scheffe 1947).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.domain import real_line
from ..core.exact import Exact, atom
from ..core.family import Distribution
from ..core.sampling import draw
from .cdf import cumulative
from .invert import invert
from .linear import ONE, Combination, combine, linear
from .views import views

# A distribution function at a larger count stays an incomplete integral: as a sum it has a term for each outcome.
LONGEST = 20


@dataclass(frozen=True)
class Crossings:
    """The places where p = q, and the coefficient that must not be 0 for there to be so many; None if none need be.

    Of two places one may lie outside the support, unless they are `inside`.
    """

    places: tuple[sp.Expr, ...]
    leading: sp.Expr | None
    inside: bool


@dataclass(frozen=True)
class Apart:
    """The values of D at the places in order from left to right, the condition, and the places where p = q."""

    values: tuple[sp.Expr, ...]
    when: Boolean
    places: tuple[sp.Expr, ...]

    @property
    def variation(self) -> sp.Expr:
        """Half of the sum of |D(b) - D(a)| over neighbours, D being 0 at both ends"""
        inner = self.values
        if len(inner) == 1:
            return sp.Abs(inner[0])
        if len(inner) == 2 and len(self.places) == 2:  # D rises, falls and rises, or the other way round
            return sp.Abs(inner[0] - inner[1])
        ends = (sp.S.Zero, *inner, sp.S.Zero)
        return sp.Add(*(sp.Abs(b - a) for a, b in pairwise(ends))) / 2

    @property
    def greatest(self) -> sp.Expr:
        """The greatest |D|"""
        return sp.Max(*(sp.Abs(value) for value in self.values))


def apart(p: Distribution, q: Distribution) -> list[Apart]:
    """What D is where it turns, in cases of which the first that holds counts; [] where that is not known."""
    if p.family.discrete != q.family.discrete or (found := crossings(p, q)) is None:
        return []
    same = p.support == q.support
    if same and not found.places:
        return []
    values = _on_one_support(p, q, found) if same else _on_two(p, q, found.places)
    if values is None:
        return []
    if found.leading is None or (found.leading.is_nonzero or found.leading.is_number) or (same and len(values) == 1):
        return [Apart(values, sp.true, found.places)]
    for i, (mine, theirs) in enumerate(zip(p.values, q.values, strict=False)):
        tied = Distribution(q.family, (*q.values[:i], mine, *q.values[i + 1 :]))
        if mine.is_Symbol and theirs.is_Symbol and mine != theirs and _vanishes(found.leading.xreplace({theirs: mine})):
            return [
                Apart(special.values, sp.Eq(mine, theirs), special.places)
                for special in apart(p, tied)
                if special.when == sp.true
            ] + [Apart(values, sp.true, found.places)]
    return [Apart(values, sp.Ne(found.leading, 0), found.places)]


def crossings(p: Distribution, q: Distribution) -> Crossings | None:
    """The solutions of log p = log q, in the first coordinate in which the difference is linear, quadratic or such.

    >>> from klsym import Poisson
    >>> crossings(Poisson.member("_p"), Poisson.member("_q")).places
    ((lam_p - lam_q)/(log(lam_p) - log(lam_q)),)
    """
    for y, to_x, difference in _differences(p, q):
        if (found := _roots(difference, y)) is not None:
            places = tuple(to_x.xreplace({y: root}) for root in found.places)
            return _midpoint(
                p, q, replace(found, places=places, inside=found.inside or len(places) < 2 or p.support == real_line)
            )
    return None


def _differences(p: Distribution, q: Distribution) -> Iterator[tuple[sp.Symbol, sp.Expr, Combination]]:
    """log p - log q in the outcome itself, and in the coordinates of p."""
    positive = p.support.lower.is_nonnegative and not p.family.discrete
    x = sp.Dummy("x", positive=True) if positive else sp.Dummy("x", real=True)
    yield x, x, combine([(linear(p.log_density(x), x), ONE), (linear(q.log_density(x), x), -ONE)])
    for view in views(p):
        if len(view.branches) == 1:
            (branch,), (own,) = view.branches, view.log_density
            theirs = linear(q.log_density(branch.to_x), branch.y)
            yield branch.y, branch.to_x, combine([(own, ONE), (theirs, -ONE)])


def _roots(difference: Combination, y: sp.Symbol) -> Crossings | None:
    """The zeros of a difference of log densities in a coordinate"""
    atoms = {atom: sp.cancel(c) if c.is_rational_function() else c for atom, c in difference.items() if atom != ONE}
    atoms = {atom: c for atom, c in atoms.items() if c != 0}
    constant = difference.get(ONE, sp.S.Zero)
    if not atoms:
        return Crossings((), None, True)
    for rule in (_moduli, _polynomial, _quotient):
        if (found := rule(atoms, constant, y)) is not None:
            return found
    return None


def _moduli(atoms: Combination, constant: sp.Expr, y: sp.Symbol) -> Crossings | None:
    """a |y - s| = a |y - t|, and a |y - s| = c"""
    if not all(isinstance(atom, sp.Abs) and sp.diff(atom.args[0], y) == 1 for atom in atoms):
        return None
    (first, a), *others = atoms.items()
    centre = y - first.args[0]
    if not others:
        return Crossings((centre + constant / a, centre - constant / a), a, True)
    ((second, b),) = others if len(others) == 1 else ((first, a),)
    if sp.cancel(a + b) != 0 or sp.expand(constant) != 0:
        return None
    return Crossings(((centre + y - second.args[0]) / 2,), None, True)


def _polynomial(atoms: Combination, constant: sp.Expr, y: sp.Symbol) -> Crossings | None:
    """c + b g = 0, c + b g + a g^2 = 0 and c + b g + a/g = 0 for a monotone g of y"""
    for g in atoms:
        others = set(atoms) - {g}
        if not others and g == y**2 and not y.is_positive:
            coefficients, g = (constant, sp.S.Zero, atoms[g]), y
        elif not others:
            coefficients = (constant, atoms[g], sp.S.Zero)
        elif others == {g**2}:
            coefficients = (constant, atoms[g], atoms[g**2])
        elif others == {1 / g}:
            coefficients = (atoms[1 / g], constant, atoms[g])
        else:
            continue
        solved = _solved(*coefficients)
        found = [_inverse(g, y, root, len(solved.places)) for root in solved.places]
        if None not in found:
            return replace(solved, places=tuple(found), inside=g == sp.log(y))
    return None


def _inverse(g: sp.Expr, y: sp.Symbol, root: sp.Expr, count: int) -> sp.Expr | None:
    """The y with g(y) = root; of two roots, of which one may be outside the range of g, where g is y or its log."""
    plain = g in (y, sp.log(y)) or (count == 1 and (y.is_positive or isinstance(g, sp.exp)))
    return invert(g, y, root) if plain else None


def _quotient(atoms: Combination, constant: sp.Expr, y: sp.Symbol) -> Crossings | None:
    """a log u = c, and a log(u/v) = c, for polynomials u and v of degree 1 or 2"""
    (first, a), *others = atoms.items()
    if len(others) > 1 or not all(isinstance(atom, sp.log) for atom in atoms):
        return None
    if others and sp.cancel(a + others[0][1]) != 0:
        return None
    level = sp.exp(-constant / a)
    u, v = first.args[0], others[0][0].args[0] if others else ONE
    terms = combine([(linear(u, y), ONE), (linear(v, y), -level)])
    if not set(terms) <= {ONE, y, y**2}:
        return None
    return _solved(*(terms.get(power, sp.S.Zero) for power in (ONE, y, y**2)))


def _solved(c: sp.Expr, b: sp.Expr, a: sp.Expr) -> Crossings:
    """The roots of c + b y + a y^2, and the leading coefficient"""
    if a == 0:
        return Crossings((-c / b,), b, False)
    root = sp.sqrt(b**2 - 4 * a * c)
    return Crossings(((-b - root) / (2 * a), (-b + root) / (2 * a)), a, False)


def _on_one_support(p: Distribution, q: Distribution, found: Crossings) -> tuple[sp.Expr, ...] | None:
    """D at the crossings: one of two may lie outside the support, where it is 0."""
    values, support = [], p.support
    for place in found.places:
        difference = _difference(p, q, place)
        if difference is None:
            return None
        ends = [place > support.lower] * (support.lower != -sp.oo) + [place < support.upper] * (support.upper != sp.oo)
        inside = sp.true if found.inside else sp.And(*ends)
        values.append(sp.Piecewise((difference, inside), (0, True)))
    return tuple(values)


def _on_two(p: Distribution, q: Distribution, places: tuple[sp.Expr, ...]) -> tuple[sp.Expr, ...] | None:
    """D at the ends of what the supports have in common, and at a crossing between them"""
    if len(places) > 1 or (p.family.discrete and p.support.upper != q.support.upper):
        return None
    lower, upper = sp.Max(p.support.lower, q.support.lower), sp.Min(p.support.upper, q.support.upper)
    inner = [sp.Min(sp.Max(place, lower), upper) for place in places]
    step = sp.Integer(p.family.discrete)
    inner = (
        [lower - step] * (p.support.lower != q.support.lower) + inner + [upper] * (p.support.upper != q.support.upper)
    )
    values = [_difference(p, q, place) for place in inner]
    return None if None in values else tuple(values)


def _difference(p: Distribution, q: Distribution, place: sp.Expr) -> sp.Expr | None:
    """F - G at a place"""
    x = sp.Dummy("x", positive=p.support.lower.is_nonnegative or None, real=True)
    mine, theirs = cumulative(p, x), cumulative(q, x)
    if mine is None or theirs is None:
        return None
    if p.family.discrete and place.is_number and (last := sp.floor(place)) > LONGEST:
        place = Exact(last)
    # Of an exponential of rational times logarithm SymPy writes the rational power out.
    place = place.xreplace({r: atom(r) for r in place.atoms(sp.Rational)})
    # A place is real, though SymPy cannot know it of a root.
    at_place = (mine.below - theirs.below).xreplace({x: place})
    return at_place.replace(sp.log, lambda u: u.exp if isinstance(u, sp.exp) else sp.log(u))


def _midpoint(p: Distribution, q: Distribution, found: Crossings) -> Crossings:
    """The one crossing written as the midpoint of two locations, where it is: so it is under symmetric laws."""
    if len(found.places) == 1 and p.family == q.family and not p.family.discrete:
        for mine, theirs in zip(p.values, q.values, strict=True):
            middle = (mine + theirs) / 2
            if mine != theirs and not mine.is_positive and _equal_at(p, q, middle):
                return replace(found, places=(middle,))
    return found


def _equal_at(p: Distribution, q: Distribution, place: sp.Expr) -> bool:
    """Whether p = q there, at random members to 25 digits: an identity that holds at random points holds everywhere."""
    rng = random.Random(0)
    for _ in range(2):
        if (point := draw((p, q), sp.true, rng)) is None:
            return False
        gap = (p.log_density(place) - q.log_density(place)).xreplace(point)
        if not abs(sp.N(gap, 30)) < sp.Rational(1, 10**25):
            return False
    return True


def _vanishes(e: sp.Expr) -> bool:
    return (sp.cancel(sp.together(e)) if e.is_rational_function() else sp.expand(e)) == 0
