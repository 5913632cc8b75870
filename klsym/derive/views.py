"""Coordinates in which a distribution is a known kernel: found from its log density alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp
from sympy.logic.boolalg import Boolean

from ..core.domain import Interval, half_line, real_line
from ..core.family import Distribution
from .flat import Finite, Flat, FlatCounts
from .kernel import Kernel, Law, Restricted, Weighted, ratio
from .kernels import KERNELS, counts
from .linear import ONE, linear
from .poisson import poisson_kernel
from .standard import standardise
from .urns import urn

ABOVE_ONE = Interval(sp.S.One, sp.oo)
# Dummies: a parameter that a user calls y is another symbol.
Y = sp.Dummy("y", positive=True)
Z = sp.Dummy("z", real=True)
K = sp.Dummy("k", integer=True)


@dataclass(frozen=True)
class Branch:
    """One piece of a coordinate: x = to_x(y) on the part of the support where `where` holds."""

    y: sp.Symbol
    to_x: sp.Expr
    from_x: sp.Expr
    kernel: Law
    weight: sp.Expr = ONE
    where: Boolean = sp.true

    @property
    def rising(self) -> bool:
        """Whether the outcome grows with the coordinate."""
        return not sp.diff(self.to_x, self.y).is_negative

    def label(self, number: int, taken: set[str]) -> sp.Symbol:
        """The coordinate's name in print: y, or y_1 and y_2 for two branches; one that no parameter has."""
        if self.to_x == self.y and self.where == sp.true:
            return self.from_x
        stem = self.y.name if self.where == sp.true else f"{self.y.name}_{number}"
        name = next(name for name in (stem, *(stem + "'" * i for i in range(1, 9))) if name not in taken)
        return sp.Symbol(name, **self.y.assumptions0)


@dataclass(frozen=True)
class View:
    branches: tuple[Branch, ...]
    log_density: tuple[dict, ...]


@dataclass(frozen=True)
class Coordinate:
    """z = inverse(y), y = forward(z), taking the support of z to that of y."""

    y: sp.Symbol
    forward: Callable[[sp.Expr], sp.Expr]
    inverse: Callable[[sp.Expr], sp.Expr]
    support: Interval


def _shift_one(z: sp.Expr) -> sp.Expr:
    return z + 1


def _same(z: sp.Expr) -> sp.Expr:
    return z


COORDINATES: dict[tuple, tuple[Coordinate, ...]] = {
    (-sp.oo, sp.oo): (
        Coordinate(Z, _same, _same, real_line),
        Coordinate(Y, lambda z: sp.exp(-z), lambda y: -sp.log(y), half_line),
        Coordinate(Y, sp.exp, sp.log, half_line),
    ),
    (0, sp.oo): (
        Coordinate(Y, _same, _same, half_line),
        Coordinate(Z, sp.log, sp.exp, real_line),
        Coordinate(Y, sp.exp, sp.log, ABOVE_ONE),
        Coordinate(Y, _shift_one, lambda y: y - 1, ABOVE_ONE),
    ),
    (1, sp.oo): (
        Coordinate(Y, sp.log, sp.exp, half_line),
        Coordinate(Y, _same, _same, ABOVE_ONE),
    ),
    (0, 1): (Coordinate(Y, _same, _same, Interval(sp.S.Zero, ONE)),),
    (-sp.pi, sp.pi): (Coordinate(Z, _same, _same, Interval(-sp.pi, sp.pi, periodic=True)),),
}


@lru_cache(maxsize=4096)
def views(p: Distribution) -> tuple[View, ...]:
    """Every view of the distribution, the plainest first."""
    if p.family.origin is not None:
        return _transported(p)
    if p.family.whole is not None:
        return _restricted(p)
    if p.family.discrete:
        return _counted(p)
    standard = standardise(p.family)
    loc, scale = standard.loc.xreplace(p.bindings), standard.scale.xreplace(p.bindings)
    values = p.bindings | {s: v for s, v in standard.absorbed}
    x = p.family.variable
    density = p.family.log_density.xreplace(values)
    support = standard.support.subs(values)
    found = []
    for forward, inverse in ((x, Z), (sp.log(x), sp.exp(Z))):
        weight = p.log_density(inverse) + sp.log(sp.diff(inverse, Z))
        if set(linear(weight, Z)) <= {ONE} and p.support.upper.is_finite is not False:
            lower, upper = (forward.xreplace({x: end}) for end in (p.support.lower, p.support.upper))
            found.append(_view(p, (Branch(Z, inverse, forward, Flat(Z, lower, upper, ((ONE, 1 / (upper - lower)),))),)))
    found += _pieces(p)
    z_of_x = (x - loc) / scale
    for coordinate in COORDINATES.get((support.lower, support.upper), ()):
        y = coordinate.y
        inverse = coordinate.inverse(y)
        log_density = linear(density.xreplace({x: inverse}) + sp.log(sp.diff(inverse, y)), y)
        kernel = kernel_of(log_density, y, coordinate.support)
        if kernel is not None:
            found.append(_view(p, (Branch(y, loc + scale * inverse, coordinate.forward(z_of_x), kernel),)))
    if (support.lower, support.upper) == (-sp.oo, sp.oo):
        found += _split(p, density, loc, scale)
    return tuple(found)


def kernel_of(log_density: dict, y: sp.Symbol, support: Interval) -> Law | None:
    atoms = {atom: c for atom, c in log_density.items() if atom != 1}
    if (special := poisson_kernel(atoms, y, support)) is not None:
        return special
    for kernel in KERNELS:
        if (matched := kernel(atoms, y, support)) is not None:
            return matched
    for atom, c in atoms.items():
        if isinstance(atom, sp.log) and c == 1 and atom.args[0].is_polynomial(y) and atom != sp.log(y):
            rest = {a: b for a, b in atoms.items() if a != atom}
            for kernel in KERNELS:
                if (matched := kernel(rest, y, support)) is not None:
                    return Weighted(matched, linear(atom.args[0], y))
    return None


def _view(p: Distribution, branches: tuple[Branch, ...]) -> View:
    return View(branches, tuple(linear(p.log_density(branch.to_x), branch.y) for branch in branches))


def _split(p: Distribution, density: sp.Expr, loc: sp.Expr, scale: sp.Expr) -> list[View]:
    """The law of |z| on either side of 0, each side weighted by its mass."""
    x, branches = p.family.variable, []
    for sign in (1, -1):
        log_density = linear(density.xreplace({x: sign * Y}), Y)
        kernel = kernel_of(log_density, Y, half_line)
        if not isinstance(kernel, Kernel):
            return []
        mass = ratio(log_density.get(ONE, sp.S.Zero) + kernel.log_z(*kernel.eta))
        where = x > loc if sign == 1 else x < loc
        branches.append(Branch(Y, loc + sign * scale * Y, sign * (x - loc) / scale, kernel, mass, where))
    return [_view(p, tuple(branches))]


def _pieces(p: Distribution) -> list[View]:
    """The two pieces of a piecewise density that rises and falls linearly, each from its own end."""
    x = p.family.variable
    switches = p.log_density().atoms(sp.Piecewise)
    if len(switches) != 1:
        return []
    ((switch),) = switches
    (_, first), *_ = switch.args
    if len(switch.args) != 2 or x not in (first.lhs, first.rhs):
        return []
    turn = first.rhs if first.lhs == x else first.lhs
    branches, densities = [], []
    for (piece, _), end, sign, where in zip(
        switch.args, (p.support.lower, p.support.upper), (1, -1), (x < turn, x > turn), strict=True
    ):
        log_density = linear(p.log_density().xreplace({switch: piece}).xreplace({x: end + sign * Y}), Y)
        constant = log_density.pop(ONE, sp.S.Zero)
        if log_density != {sp.log(Y): ONE}:
            return []
        length = sign * (turn - end)
        mass = sp.cancel(ratio(constant) * length**2 / 2)
        flat = Flat(Y, sp.S.Zero, length, ((Y, 2 / length**2),))
        branches.append(Branch(Y, end + sign * Y, sign * (x - end), flat, mass, where))
        densities.append({sp.log(Y): ONE, ONE: constant})
    return [View(tuple(branches), tuple(densities))]


def _counted(p: Distribution) -> tuple[View, ...]:
    support, x = p.support, p.family.variable
    log_density = linear(p.log_density(K), K)
    size = support.upper - support.lower
    if size.is_Integer and size <= 64:
        points = range(int(support.lower), int(support.upper) + 1)
        kernel = Finite(K, tuple((sp.Integer(k), ratio(p.log_density(sp.Integer(k)))) for k in points))
    elif set(log_density) <= {ONE}:
        kernel = FlatCounts(K, support.lower, support.upper)
    else:
        kernel = counts(log_density, K, support) or urn({a: c for a, c in log_density.items() if a != ONE}, K)
    return () if kernel is None else (View((Branch(K, K, x, kernel),), (log_density,)),)


def _transported(p: Distribution) -> tuple[View, ...]:
    """The views of the base, through the bijection."""
    origin, x = p.family.origin, p.family.variable
    assert origin is not None
    forward, inverse = origin.forward.xreplace(p.bindings), origin.inverse.xreplace(p.bindings)
    found = []
    for view in views(p.base):
        branches = []
        for branch in view.branches:
            where = branch.where.xreplace({x: inverse}) if branch.where != sp.true else sp.true
            moved = replace(
                branch,
                to_x=forward.xreplace({x: branch.to_x}),
                from_x=branch.from_x.xreplace({x: inverse}),
                where=where,
            )
            branches.append(moved)
        found.append(_view(p, tuple(branches)))
    return tuple(found)


def _restricted(p: Distribution) -> tuple[View, ...]:
    """The views of the whole of one branch, which the ends cut; those of few points as they are."""
    if p.family.discrete and (finite := _counted(p)) and isinstance(finite[0].branches[0].kernel, Finite):
        return finite
    x, whole = p.family.variable, p.whole
    step = sp.Integer(p.family.discrete)  # what is below k = 1 is what is up to 0
    cuts = ((p.support.lower - step, whole.support.lower - step), (p.support.upper, whole.support.upper))
    found = []
    for view in views(whole):
        branch, *others = view.branches
        if others:
            continue
        ends = [None if end == own else branch.from_x.xreplace({x: end}) for end, own in cuts]
        low, high = ends if branch.rising else ends[::-1]
        found.append(_view(p, (replace(branch, kernel=Restricted(branch.kernel, low, high)),)))
    return tuple(found)
