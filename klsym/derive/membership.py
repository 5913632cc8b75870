"""Which families are members of which others, found from their log densities alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice

import sympy as sp

from ..core.family import Distribution, Family
from ..core.sampling import draw
from .linear import ONE, linear

Values = dict[sp.Symbol, sp.Expr]

# Exponents at which a power of a sum is something plainer; and how many points of a finite support are looked at.
PLAIN, POINTS = (sp.S.One, sp.Integer(2)), 4

# How near two log densities in 40 digits are that count as equal.
CLOSE = sp.Rational(1, 10**30)

# How many candidates are tried before two families count as strangers.
TRIED = 12


@cache
def member(family: Family, of: Family) -> tuple[sp.Expr, ...] | None:
    """The parameters of `of`, in terms of those of `family`, at which it is the same law; None where it is not known.

    What is found is an identity: it holds at random members and points to 30 digits.

    >>> from klsym import Exponential, Gamma, Normal
    >>> member(Exponential, Gamma), member(Gamma, Exponential), member(Normal, Normal)
    ((1, rate), None, (mu, sigma))
    """
    if family == of:
        return tuple(parameter.symbol for parameter in family.parameters)
    return None if len(family.parameters) > len(of.parameters) else as_member(family, of)


def as_member(family: Family, of: Family) -> tuple[sp.Expr, ...] | None:
    """As `member`, where the family may have more parameters than it needs."""
    if family.discrete != of.discrete:
        return None
    if family.support.periodic != of.support.periodic:
        return None
    stand_ins = {p.symbol: sp.Dummy(p.name, **p.domain.assumptions) for p in of.parameters}
    general = Distribution(of, tuple(stand_ins.values()))
    for found in islice(_candidates(family, general), TRIED):
        values = tuple(found.get(s, sp.S.One if s.is_positive else sp.S.Zero) for s in general.values)
        image = Distribution(of, tuple(value.xreplace(found) for value in values))
        if not image.symbols & set(general.values) and _same_law(family, image):
            return image.values
    return None


def _candidates(family: Family, general: Distribution) -> Iterator[Values]:
    """Values for the parameters of the general member: first its support, then its density."""
    unknowns, x = set(general.values), family.variable
    ends = [
        (theirs, mine)
        for theirs, mine in zip(_ends(general.support), _ends(family.support), strict=True)
        if theirs.is_finite or mine.is_finite
    ]
    for given in _solve([theirs - mine for theirs, mine in ends], unknowns):
        theirs = general.subs(given).log_density(x)
        left = unknowns - given.keys()
        size = family.support.upper - family.support.lower
        if family.discrete and size.is_Integer and size < POINTS:
            places = [family.support.lower + k for k in range(int(size) + 1)]
            equations = [(theirs - family.log_density).subs(x, place) for place in places]
            found = (values for values in _solve([_single(e) for e in equations], left))
        else:
            found = matches(theirs, family.log_density, x, left)
        for values in found:
            yield {symbol: value.xreplace(values) for symbol, value in given.items()} | values
    # At a closed end of its domain a parameter may leave the density without what is not in the other one.
    for p, symbol in zip(general.family.parameters, general.values, strict=True):
        if p.domain.left_closed and not p.domain.integer and symbol in unknowns:
            yield {symbol: p.domain.lower}


def _ends(support) -> tuple[sp.Expr, sp.Expr]:
    return support.lower, support.upper


def _single(equation: sp.Expr) -> sp.Expr:
    """log p - log q = 0 -> p - q = 0"""
    terms = [term.as_coeff_Mul() for term in sp.Add.make_args(sp.expand_log(sp.expand_func(equation), force=True))]
    if not all(isinstance(own, sp.log) and c.is_Integer for c, own in terms):
        return equation
    inside = sp.Mul(*(own.args[0] ** c for c, own in terms))
    above, below = inside.as_numer_denom()
    return above - below


def matches(
    theirs: sp.Expr, mine: sp.Expr, x: sp.Symbol, unknowns: set[sp.Symbol], whole: bool = False
) -> Iterator[Values]:
    """Values at which `theirs` is `mine` as a function of x: up to a constant, unless `whole`."""
    ours, other = linear(mine, x), linear(theirs, x)
    for atom, coefficient in other.items():
        if atom.free_symbols & unknowns:
            known = [a for a in (*ours, *other) if a != ONE and not a.free_symbols & unknowns]
            for given in _bindings(atom, coefficient, known, x, unknowns):
                rest = unknowns - given.keys()
                for found in matches(theirs.xreplace(given), mine, x, rest, whole):
                    yield {symbol: value.xreplace(found) for symbol, value in given.items()} | found
            return
    atoms = [a for a in (*ours, *other) if whole or a != ONE]
    yield from _solve([other.get(a, sp.S.Zero) - ours.get(a, sp.S.Zero) for a in dict.fromkeys(atoms)], unknowns)


def _bindings(
    atom: sp.Expr, coefficient: sp.Expr, known: Sequence[sp.Expr], x: sp.Symbol, unknowns: set[sp.Symbol]
) -> Iterator[Values]:
    """Values at which an atom is one that is known, or plainer, or has no weight."""
    for target in dict.fromkeys(known):
        yield from _unify(atom, target, x, unknowns)
    exponent = atom.as_base_exp()[1]
    if exponent in unknowns:
        yield from ({exponent: value} for value in PLAIN)
    yield from _solve([coefficient], unknowns)


def _unify(atom: sp.Expr, target: sp.Expr, x: sp.Symbol, unknowns: set[sp.Symbol]) -> Iterator[Values]:
    """Values at which two atoms are equal."""
    if isinstance(atom, sp.exp) or isinstance(target, sp.exp) or atom.func == target.func != sp.Pow:
        if atom.func == target.func and len(atom.args) == 1 and x in target.free_symbols:
            yield from matches(atom.args[0], target.args[0], x, unknowns, whole=True)
        return
    (base, exponent), (other, power) = atom.as_base_exp(), target.as_base_exp()
    if base == other:
        yield from _solve([exponent - power], unknowns)
    elif base.func == other.func and (base, other) != (atom, target):
        for given in _solve([exponent - power], unknowns):
            for found in _unify(base.xreplace(given), other, x, unknowns - given.keys()):
                yield given | found


def _solve(equations: Sequence[sp.Expr], unknowns: set[sp.Symbol]) -> Iterator[Values]:
    """Values of some unknowns at which every equation holds, the one with the fewest unknowns first."""
    left = [e for e in (sp.expand(e) for e in equations) if e != 0]
    if not left:
        yield {}
        return
    first = min(left, key=lambda e: (len(e.free_symbols & unknowns), e.count_ops()))
    for symbol in sorted(first.free_symbols & unknowns, key=lambda s: s.name):
        for value in _roots(first, symbol):
            given = {symbol: value}
            rest = unknowns - {symbol}
            for found in _solve([e.xreplace(given) for e in left if e != first], rest):
                yield {symbol: value.xreplace(found)} | found


def _roots(equation: sp.Expr, symbol: sp.Symbol) -> list[sp.Expr]:
    try:
        return sp.solve(equation, symbol)
    except NotImplementedError:
        return []


def _same_law(family: Family, image: Distribution) -> bool:
    """Whether the two log densities are one function on one support, at random members and points."""
    rng, own = random.Random(f"{family.name} {image}"), family.member("")
    back = dict(zip((p.symbol for p in family.parameters), own.values, strict=True))
    image = image.subs(back)
    for _ in range(3):
        point = draw((own,), sp.true, rng)
        if point is None:
            return False
        p, q = own.subs(point), image.subs(point)
        inside = (a.domain.contains(v) for a, v in zip(q.family.parameters, q.values, strict=True))
        if p.support != q.support or sp.false in (*inside, q.constraint):
            return False
        for x in places(p, rng):
            mine, theirs = (sp.N(law.log_density(x), 40) for law in (p, q))
            if not (mine.is_comparable and theirs.is_comparable and abs(mine - theirs) <= CLOSE * (1 + abs(mine))):
                return False
    return True


def places(p: Distribution, rng: random.Random) -> list[sp.Expr]:
    """Four points of the support."""
    lower, upper = _ends(p.support)
    if p.family.discrete:
        start = lower if lower.is_finite else sp.S.Zero
        return [start + k for k in range(4) if upper.is_infinite or start + k <= upper]
    parts = [sp.Rational(rng.randint(50, 950), 1000) for _ in range(4)]
    if lower.is_finite and upper.is_finite:
        return [lower + (upper - lower) * part for part in parts]
    if lower.is_finite:
        return [lower + part / (1 - part) for part in parts]
    return [part / (1 - part) - (1 - part) / part for part in parts]
