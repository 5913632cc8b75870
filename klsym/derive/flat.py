"""Uniform and finite laws: expectations by antiderivatives and by sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from .kernel import Known
from .linear import ONE, linear


@dataclass(frozen=True)
class Finite:
    """Finitely many points with their probabilities."""

    y: sp.Symbol
    points: tuple[tuple[sp.Expr, sp.Expr], ...]
    name: str = "finite"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = sum_k p_k a(k)"""
        value = sp.Add(*(probability * atom.xreplace({self.y: k}).doit() for k, probability in self.points))
        return Known(value, sp.true, "sum", f"a sum over {len(self.points)} points")


@dataclass(frozen=True)
class FlatCounts:
    """The uniform law on lower, ..., upper."""

    y: sp.Symbol
    lower: sp.Expr
    upper: sp.Expr
    name: str = "uniform on integers"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[Y] = (a + b)/2, E[Y^2] = ((a+b)/2)^2 + ((b-a+1)^2 - 1)/12, E[log Y] = log(b!/(a-1)!)/(b-a+1)"""
        mean, size = (self.lower + self.upper) / 2, self.upper - self.lower + 1
        moments = {
            self.y: mean,
            self.y**2: mean**2 + (size**2 - 1) / 12,
            sp.log(self.y): (sp.loggamma(self.upper + 1) - sp.loggamma(self.lower)) / size,
        }
        if atom not in moments:
            return None
        return Known(moments[atom], sp.true, "sum", "power sums (Faulhaber; DLMF 24.4.7), and Gamma(b + 1)/Gamma(a) = a (a+1) ... b")


@dataclass(frozen=True)
class Flat:
    """A polynomial density of degree 0 or 1 on (lower, upper), not normalised: a piece of a law."""

    y: sp.Symbol
    lower: sp.Expr
    upper: sp.Expr
    weight: tuple[tuple[sp.Expr, sp.Expr], ...]
    name: str = "polynomial"

    @property
    def mass(self) -> sp.Expr | None:
        """The mass of a constant density: coefficient times length."""
        ((factor, coefficient), *rest) = self.weight
        return coefficient * (self.upper - self.lower) if factor == 1 and not rest else None

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = A(upper) - A(lower) for an antiderivative A of the density times a"""
        total, identities = [], []
        for factor, coefficient in self.weight:
            found = antiderivative(factor * atom, self.y)
            if found is None:
                return None
            difference = self._at(found[0], self.upper) - self._at(found[0], self.lower)
            total.append(coefficient * difference)
            identities.append(found[1])
        return Known(sp.Add(*total), sp.true, "antiderivative", "; ".join(identities))

    def _at(self, primitive: sp.Expr, place: sp.Expr) -> sp.Expr:
        if place != 0:
            return primitive.xreplace({self.y: place})
        return sp.Add(*(c * self._at_zero(atom) for atom, c in linear(primitive, self.y).items()))

    def _at_zero(self, atom: sp.Expr) -> sp.Expr:
        """The limit at 0+, where y^m log^n y vanishes."""
        powers = {f.as_base_exp()[0]: f.as_base_exp()[1] for f in sp.Mul.make_args(atom)}
        if powers.get(self.y, sp.S.Zero).is_positive and set(powers) <= {self.y, sp.log(self.y)}:
            return sp.S.Zero
        return atom.xreplace({self.y: sp.S.Zero})


def antiderivative(a: sp.Expr, y: sp.Symbol) -> tuple[sp.Expr, str] | None:
    """An antiderivative by the first rule that has one, and the rule's identity."""
    for rule in ANTIDERIVATIVES:
        if (found := rule(a, y)) is not None:
            return found, rule.__doc__ or ""
    return None


def power(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y^s dy = y^(s+1)/(s+1), or log y at s = -1"""
    base, s = a.as_base_exp()
    if base != y or y in s.free_symbols:
        return None
    if s == -1:
        return sp.log(y)
    general = y ** (s + 1) / (s + 1)
    return general if (s + 1).is_nonzero else sp.Piecewise((sp.log(y), sp.Eq(s, -1)), (general, True))


def log_power(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y^m log^n y dy by parts, m = 0 or 1, n = 1 or 2"""
    log = sp.log(y)
    table = {
        log: y * log - y,
        log**2: y * log**2 - 2 * y * log + 2 * y,
        y * log: y**2 * (2 * log - 1) / 4,
        y * log**2: y**2 * (2 * log**2 - 2 * log + 1) / 4,
    }
    return table.get(a)


def first_moment(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y f(y) dy for f = log(c + b y), exp(k y), |u|^b, cos y, sin y"""
    f = a / y
    if y not in a.args or y in (f.args if f.is_Mul else ()):
        return None
    base, b = f.as_base_exp() if not isinstance(f, sp.exp) else (f, ONE)
    inside = linear(f.args[0], y) if isinstance(f, sp.log) else {}
    if isinstance(f, sp.log) and set(inside) == {ONE, y}:
        c, d = inside[ONE], inside[y]
        return (y**2 / 2 - c**2 / (2 * d**2)) * f - y**2 / 4 + c * y / (2 * d)
    if isinstance(f, sp.exp) and set(linear(f.exp, y)) == {y}:
        k = linear(f.exp, y)[y]
        return f * (y / k - 1 / k**2)
    if isinstance(base, sp.Abs) and sp.diff(base.args[0], y).is_number:
        u, slope = base.args[0], sp.diff(base.args[0], y)
        return (y - u / slope) * u * sp.Abs(u) ** b / ((b + 1) * slope) + sp.Abs(u) ** (b + 2) / ((b + 2) * slope**2)
    return {sp.cos(y): sp.cos(y) + y * sp.sin(y), sp.sin(y): sp.sin(y) - y * sp.cos(y)}.get(f)


def log_polynomial(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int log(c + b y + a y^2) dy by parts, with an arctangent where the quadratic has no real root"""
    if not isinstance(a, sp.log):
        return None
    terms = linear(a.args[0], y)
    if not set(terms) <= {ONE, y, y**2}:
        return None
    c, b, second = terms.get(ONE, sp.S.Zero), terms.get(y, sp.S.Zero), terms.get(y**2, sp.S.Zero)
    inside = c + b * y + second * y**2
    if second == 0:
        return inside / b * sp.log(inside) - y
    root = sp.sqrt(sp.expand(4 * second * c - b**2))
    return (y + b / (2 * second)) * sp.log(inside) - 2 * y + root / second * sp.atan((2 * second * y + b) / root)


def exponential(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int exp(k y) dy = exp(k y)/k"""
    if not isinstance(a, sp.exp):
        return None
    inside = linear(a.exp, y)
    return a / inside[y] if set(inside) == {y} else None


def modulus(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int |u|^b dy = u |u|^b / ((b + 1) u') for u linear in y"""
    base, b = a.as_base_exp()
    if not isinstance(base, sp.Abs) or y in b.free_symbols:
        return None
    u = base.args[0]
    slope = sp.diff(u, y)
    return u * sp.Abs(u) ** b / ((b + 1) * slope) if slope.is_number else None


def circular(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int cos y dy = sin y, int sin y dy = -cos y"""
    return {sp.cos(y): sp.sin(y), sp.sin(y): -sp.cos(y)}.get(a)


def softplus(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int log(1 + c e^(k y)) dy = -Li_2(-c e^(k y))/k (DLMF 25.12.1)"""
    if not isinstance(a, sp.log):
        return None
    rest = {atom: c for atom, c in linear(a.args[0], y).items() if atom != ONE}
    if linear(a.args[0], y).get(ONE) != 1 or len(rest) != 1:
        return None
    ((atom, c),) = rest.items()
    if not isinstance(atom, sp.exp) or set(linear(atom.exp, y)) != {y}:
        return None
    return -sp.polylog(2, -c * atom) / linear(atom.exp, y)[y]


def log1p_power(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int log(1 + c y^k) dy = y (log(1 + c y^k) - k + k 2F1(1, 1/k; 1 + 1/k; -c y^k)) (DLMF 15.6.1)"""
    if not isinstance(a, sp.log):
        return None
    terms = linear(a.args[0], y)
    rest = {atom: c for atom, c in terms.items() if atom != ONE}
    if terms.get(ONE) != 1 or len(rest) != 1:
        return None
    ((atom, c),) = rest.items()
    base, k = atom.as_base_exp()
    if base != y or not k.is_positive:
        return None
    return y * (a - k + k * sp.hyper([1, 1 / k], [1 + 1 / k], -c * atom))


ANTIDERIVATIVES: tuple[Callable[[sp.Expr, sp.Symbol], sp.Expr | None], ...] = (
    power,
    log_power,
    first_moment,
    log_polynomial,
    exponential,
    modulus,
    circular,
    softplus,
    log1p_power,
)
