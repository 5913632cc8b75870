"""The table of antiderivatives that flat laws need, each a rule whose docstring is its identity."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp

from .linear import ONE, linear

# A positive number, for sums inside powers and logarithms.
U = sp.Dummy("u", positive=True)


def antiderivative(a: sp.Expr, y: sp.Symbol) -> tuple[sp.Expr, str] | None:
    """An antiderivative by the first rule that has one, and the rule's identity."""
    for rule in ANTIDERIVATIVES:
        if (found := rule(a, y)) is not None:
            return found, rule.__doc__ or ""
    return None


def power(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y^s dy = y^(s+1)/(s+1), or log y at s = -1"""
    powers = [f.as_base_exp() for f in sp.Mul.make_args(a)]
    s = sp.Add(*(exponent for _, exponent in powers))
    if any(base != y for base, _ in powers) or y in s.free_symbols:
        return None
    if s == -1:
        return sp.log(y)
    general = y ** (s + 1) / (s + 1)
    return general if (s + 1).is_nonzero else sp.Piecewise((sp.log(y), sp.Eq(s, -1)), (general, True))


def log_power(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y^m log^n y dy and int y^m log y log(1 - y) dy by parts, m = 0 or 1, n = 1 or 2 (DLMF 25.12.2)"""
    log, other = sp.log(y), sp.log(1 - y)
    table = {
        log: y * log - y,
        log**2: y * log**2 - 2 * y * log + 2 * y,
        y * log: y**2 * (2 * log - 1) / 4,
        y * log**2: y**2 * (2 * log**2 - 2 * log + 1) / 4,
        log * other: (1 - y) * (1 - log) * other - y * log + 2 * y - sp.polylog(2, y),
        y * log * other: ((1 - y**2) * (1 - 2 * log) * other - (y**2 + 2 * y) * log + y**2 + 3 * y) / 4
        - sp.polylog(2, y) / 2,
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


def log_polynomial_moment(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int y log(c + b y + a y^2) dy = ((y + h) (y - h) + c/a) log(...)/2 - (y - h)^2/2 - h int log(...), h = b/(2a)

    The square is completed: int u log(a (u^2 + k)) du = ((u^2 + k) log(a (u^2 + k)) - u^2)/2.
    """
    if y not in a.args or not isinstance(a / y, sp.log):
        return None
    terms = linear((a / y).args[0], y)
    if not {y**2} <= set(terms) <= {ONE, y, y**2}:
        return None
    second, middle = terms[y**2], terms.get(y, sp.S.Zero) / (2 * terms[y**2])
    shifted = y + middle
    inside = terms.get(ONE, sp.S.Zero) / second + 2 * middle * y + y**2
    plain = log_polynomial(a / y, y)
    return None if plain is None else (inside * (a / y) - shifted**2) / 2 - middle * plain


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
    """int y^(m-1) log(1 + c y^k) dy = y^m/m (log(1 + c y^k) - k/m + k/m 2F1(1, m/k; 1 + m/k; -c y^k)), m = 1 or 2

    (DLMF 15.6.1)
    """
    m, log = (2, a / y) if y in a.args else (1, a)
    if not isinstance(log, sp.log):
        return None
    terms = linear(log.args[0], y)
    rest = {atom: c for atom, c in terms.items() if atom != ONE}
    if terms.get(ONE) != 1 or len(rest) != 1:
        return None
    ((atom, c),) = rest.items()
    base, k = atom.as_base_exp()
    if base != y or not k.is_positive:
        return None
    return y**m / m * (log - k / m + k / m * sp.hyper([1, m / k], [1 + m / k], -c * atom))


def log_exponential(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int log(c + d e^y) dy = y^2/2 + y log d + Li_2(-c e^-y/d), or y log c - Li_2(-d e^y/c) for d < 0

    (DLMF 25.12.1)
    """
    if not isinstance(a, sp.log):
        return None
    terms = linear(a.args[0], y)
    if set(terms) != {ONE, sp.exp(y)}:
        return None
    c, d = terms[ONE], terms[sp.exp(y)]
    if d.is_positive:
        return y**2 / 2 + y * sp.log(d) + sp.polylog(2, -c / d * sp.exp(-y))
    return y * sp.log(c) - sp.polylog(2, -d / c * sp.exp(y)) if d.is_negative else None


def exponential_integral(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int exp(-k e^y) dy = -E_1(k e^y) for k > 0 (DLMF 6.2.1)"""
    terms = linear(a.exp, y) if isinstance(a, sp.exp) else {}
    k = -terms.get(sp.exp(y), sp.S.Zero)
    return -sp.expint(1, k * sp.exp(y)) if set(terms) == {sp.exp(y)} and k.is_positive else None


def shifted(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int f(c + s y) dy = F(c + s y)/s"""
    for inside in _sums(a, y):
        terms = linear(inside, y)
        c, s = terms[ONE], terms[y]
        moved = linear(a.xreplace({inside: U}).xreplace({y: (U - c) / s}), U)
        found = [(factor, antiderivative(atom, U)) for atom, factor in moved.items()]
        if all(part is not None for _, part in found):
            total = sp.Add(*(factor * part[0] for factor, part in found if part is not None))
            return total.xreplace({U: inside}) / s
    return None


def _sums(a: sp.Expr, y: sp.Symbol) -> Iterator[sp.Expr]:
    """The sums c + s y inside powers and logarithms."""
    for e in sorted(a.atoms(sp.Pow, sp.log), key=sp.default_sort_key):
        inside = e.args[0]
        if y != U and inside.is_Add and set(linear(inside, y)) == {ONE, y}:
            yield inside


def constant(a: sp.Expr, y: sp.Symbol) -> sp.Expr | None:
    """int 1 dy = y"""
    return y if a == 1 else None


ANTIDERIVATIVES: tuple[Callable[[sp.Expr, sp.Symbol], sp.Expr | None], ...] = (
    constant,
    power,
    log_power,
    first_moment,
    log_polynomial,
    log_polynomial_moment,
    exponential,
    modulus,
    circular,
    softplus,
    log1p_power,
    log_exponential,
    exponential_integral,
    shifted,
)
