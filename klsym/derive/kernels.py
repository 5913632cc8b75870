"""The normalising integrals and sums: the only ones in klsym written by hand, each cited.

`KERNELS` is tried in order: each function looks at the atoms of a log density on its support and
answers with the kernel it is, or None.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy import exp, expand_log, log, loggamma, pi, sqrt

from ..core.domain import Interval
from ..core.functions import LogSinhc, ParabolicU, TricomiU
from . import incomplete, shortfalls
from .kernel import Extension, Kernel, Mellin, Triples
from .linear import ONE, Combination, linear
from .normalisers import LogBesselK, LogUpperGamma, LogZeta

HALF = sp.Rational(1, 2)


def powers(atoms: Combination, y: sp.Symbol) -> dict[sp.Expr, sp.Expr]:
    """{exponent: coefficient} of the atoms y^exponent."""
    found = {}
    for atom, coefficient in atoms.items():
        base, exponent = atom.as_base_exp()
        if base == y and y not in exponent.free_symbols:
            found[exponent] = coefficient
    return found


def only(atoms: Combination, y: sp.Symbol, *others: sp.Expr) -> bool:
    """Whether every atom is a power of y or among the others."""
    return len(powers(atoms, y)) + sum(atom in atoms for atom in others) == len(atoms)


def log_beta(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def gauss(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int exp(e0 y + e1 y^2) dy = sqrt(pi/-e1) exp(-e0^2/(4 e1)) over the real line (DLMF 7.7.3)"""
    found = powers(atoms, y)
    if (support.lower, support.upper) != (-sp.oo, sp.oo) or not only(atoms, y) or not {2} <= set(found) <= {1, 2}:
        return None
    return Kernel(
        "Gauss", y, (y, y**2), (found.get(ONE, sp.S.Zero), found[sp.Integer(2)]),
        lambda e0, e1: -(e0**2) / (4 * e1) + log(pi) / 2 - log(-e1) / 2,
        "DLMF 7.7.3",
        finite=lambda e0, e1: (-e1 > 0,),
        parts=incomplete.gauss(),
        lower=-sp.oo,
    )  # fmt: skip


def gen_gamma(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int y^e0 exp(e1 y^c) dy = Gamma((e0+1)/c) / (|c| (-e1)^((e0+1)/c)) over y > 0 (DLMF 5.9.1)"""
    found = powers(atoms, y)
    if (support.lower, support.upper) != (0, sp.oo) or len(found) != 1 or not only(atoms, y, log(y)):
        return None
    ((c, rate),) = found.items()
    size = -c if c.is_negative else c

    def log_z(e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        return loggamma((e0 + 1) / c) - (e0 + 1) / c * log(-e1) - log(size)

    extensions: list[Extension] = [(y**-c, *_bessel(c), _both_fall(c))]
    if c == 1:
        quadratic = (y**2, _parabolic(quadratic_last=True), "DLMF 12.5.1", lambda e0, e1, e2: (e0 + 1 > 0, -e2 > 0))
        extensions = [*extensions, quadratic]
    if c == 2:
        first_power = (y, _parabolic(quadratic_last=False), "DLMF 12.5.1", lambda e0, e1, e2: (e0 + 1 > 0, -e1 > 0))
        extensions = [first_power, *extensions]
    eta = (atoms.get(log(y), sp.S.Zero), rate)
    return Kernel(
        "generalized gamma", y, (log(y), y**c), eta, log_z, "DLMF 5.9.1",
        finite=lambda e0, e1: ((e0 + 1) / c > 0, -e1 > 0),
        parts=incomplete.gamma(c),
        extensions=tuple(extensions),
        mellin=_gamma_mellin(y, c),
        log_shortfall=shortfalls.gamma(c),
    )  # fmt: skip


def _gamma_mellin(y: sp.Symbol, c: sp.Expr) -> Mellin:
    """E[(y^k)^s], and E[(e^(ky))^s] = r/(r - k s) for the exponential density, as gamma functions of s"""

    def mellin(atom: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> tuple[sp.Expr, Triples] | None:
        base, k = atom.as_base_exp()
        rate = -e1
        if base == y:
            return rate ** (-k / c), (((e0 + 1) / c, k / c, ONE),)
        inside = linear(atom.exp, y) if isinstance(atom, exp) else {}
        if set(inside) != {y} or (e0, c) != (0, 1):
            return None
        return ONE, ((rate, -inside[y], ONE), (rate + 1, -inside[y], -ONE))

    return mellin


def _power_mellin(y: sp.Symbol, c: sp.Expr, d: sp.Expr, triples: Callable[..., Triples]) -> Mellin:
    """E[(y^k)^s] from that of d y^c: `triples(k/c, (e0 + 1)/c, e1)`"""

    def mellin(atom: sp.Expr, e0: sp.Expr, e1: sp.Expr) -> tuple[sp.Expr, Triples] | None:
        base, k = atom.as_base_exp()
        return (d ** (-k / c), triples(k / c, (e0 + 1) / c, e1)) if base == y else None

    return mellin


def _bessel(c: sp.Expr):
    """int y^e0 exp(e1 y^c + e2 y^-c) dy (DLMF 10.32.10; 5.9.1 where e1 is 0)"""
    sign = -1 if c.is_negative else 1

    def log_z(e0: sp.Expr, e1: sp.Expr, e2: sp.Expr) -> sp.Expr:
        nu = (e0 + 1) / c
        if e1 == 0:
            return loggamma(-nu) + nu * log(-e2) - log(sign * c)
        return log(2) - log(sign * c) + nu / 2 * (log(-e2) - log(-e1)) + LogBesselK(nu, 2 * sqrt(e1 * e2))

    return log_z, "DLMF 10.32.10"


def _both_fall(c: sp.Expr):
    """Where y^e0 exp(e1 y^c + e2 y^-c) falls exponentially at 0 and at oo, or as a power where e1 is 0."""
    return lambda e0, e1, e2: (-(e0 + 1) / c > 0 if e1 == 0 else -e1 > 0, -e2 > 0)


def _parabolic(quadratic_last: bool):
    """int y^e0 exp(-b y^2 - t y) dy = Gamma(s) (2b)^(-s/2) e^(z^2/4) U(s - 1/2, z), s = e0 + 1, z = t/sqrt(2b).

    (DLMF 12.5.1)
    """

    def log_z(e0: sp.Expr, e1: sp.Expr, e2: sp.Expr) -> sp.Expr:
        linear_term, square = (e1, e2) if quadratic_last else (e2, e1)
        s, z = e0 + 1, -linear_term / sqrt(-2 * square)
        scale = -s / 2 * log(-2 * square)
        if s.is_Integer and 1 <= s <= 5:
            return scale + log(_error_moment(int(s), z))
        return scale + loggamma(s) + z**2 / 4 + log(ParabolicU(s - HALF, z))

    return log_z


def _error_moment(s: int, z: sp.Expr) -> sp.Expr:
    """int u^(s-1) exp(-u^2/2 - z u) du over u > 0 for s = 1, 2, ...: by parts from erfc (DLMF 7.7.6)."""
    first = sqrt(pi / 2) * exp(z**2 / 2) * sp.erfc(z / sqrt(2))
    moments = [first, 1 - z * first]
    while len(moments) < s:
        moments.append((len(moments) - 1) * moments[-2] - z * moments[-1])
    return sp.collect(sp.expand(moments[s - 1]), first)


def gig(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int y^e0 exp(e1 y^c + e2 y^-c) dy = (2/c) (e2/e1)^(nu/2) K_nu(2 sqrt(e1 e2)), nu = (e0+1)/c (DLMF 10.32.10)"""
    found = powers(atoms, y)
    if (support.lower, support.upper) != (0, sp.oo) or len(found) != 2 or not only(atoms, y, log(y)):
        return None
    c, other = sorted(found, key=lambda exponent: bool(exponent.is_negative))
    if sp.expand(c + other) != 0:
        return None
    return Kernel(
        "generalized inverse Gaussian", y, (log(y), y**c, y**-c),
        (atoms.get(log(y), sp.S.Zero), found[c], found[other]),
        *_bessel(c), finite=_both_fall(c), regular=False, parts=incomplete.inverse_gauss(c),
    )  # fmt: skip


def beta_prime(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int y^e0 (1 + d y^c)^e1 dy = B(u, -e1-u) / (|c| d^u), u = (e0+1)/c, over y > 0 (DLMF 5.12.3)"""
    rest = [atom for atom in atoms if atom != log(y)]
    if (support.lower, support.upper) != (0, sp.oo) or len(rest) != 1 or not isinstance(rest[0], log):
        return None
    inside = linear(rest[0].args[0], y)
    slopes = powers({a: c for a, c in inside.items() if a != ONE}, y)
    if inside.get(ONE) != 1 or len(inside) != 2 or len(slopes) != 1:
        return None
    ((c, d),) = slopes.items()
    size = -c if c.is_negative else c
    eta = (atoms.get(log(y), sp.S.Zero), atoms[rest[0]])

    def log_z(e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        return log_beta((e0 + 1) / c, -e1 - (e0 + 1) / c) - (e0 + 1) / c * log(d) - log(size)

    def laplace(e0: sp.Expr, e1: sp.Expr, e2: sp.Expr) -> sp.Expr:
        return loggamma(e0 + 1) - (e0 + 1) * log(d) + log(TricomiU(e0 + 1, e0 + e1 + 2, -e2 / d))

    return Kernel(
        "beta prime", y, (log(y), rest[0]), eta, log_z, "DLMF 5.12.3",
        finite=lambda e0, e1: ((e0 + 1) / c > 0, -e1 - (e0 + 1) / c > 0),
        parts=incomplete.beta_prime(c, d),
        extensions=((y, laplace, "DLMF 13.4.4", lambda e0, e1, e2: (e0 + 1 > 0, -e2 > 0)),) if c == 1 else (),
        mellin=_power_mellin(y, c, d, lambda k, u, e1: ((u, k, ONE), (-e1 - u, -k, ONE))),
        log_shortfall=shortfalls.beta_prime(c, d),
    )  # fmt: skip


def beta(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int y^e0 (1 - y^c)^e1 dy = B((e0+1)/c, e1+1) / c over 0 < y < 1 (DLMF 5.12.1)"""
    rest = [atom for atom in atoms if atom != log(y)] or [log(1 - y)]
    if (support.lower, support.upper) != (0, 1) or len(rest) != 1 or not isinstance(rest[0], log):
        return None
    slopes = powers(linear(1 - rest[0].args[0], y), y)
    if len(slopes) != 1 or set(slopes.values()) != {ONE} or (1 - rest[0].args[0]).as_base_exp()[0] != y:
        return None
    (c,) = slopes
    eta = (atoms.get(log(y), sp.S.Zero), atoms.get(rest[0], sp.S.Zero))

    def kummer(e0: sp.Expr, e1: sp.Expr, e2: sp.Expr) -> sp.Expr:
        return log_beta(e0 + 1, e1 + 1) + log(sp.hyper([e0 + 1], [e0 + e1 + 2], e2))

    return Kernel(
        "beta", y, (log(y), rest[0]), eta,
        lambda e0, e1: log_beta((e0 + 1) / c, e1 + 1) - log(c),
        "DLMF 5.12.1",
        finite=lambda e0, e1: ((e0 + 1) / c > 0, e1 + 1 > 0),
        parts=incomplete.beta(c),
        extensions=((y, kummer, "DLMF 13.4.1", lambda e0, e1, e2: (e0 + 1 > 0, e1 + 1 > 0)),) if c == 1 else (),
        mellin=_power_mellin(y, c, ONE, lambda k, u, e1: ((u, k, ONE), (u + e1 + 1, k, -ONE))),
        log_shortfall=shortfalls.beta(c),
        upper=ONE,
    )  # fmt: skip


def above_one(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int y^e0 exp(e1 y) dy = Gamma(e0+1, -e1) / (-e1)^(e0+1) over y > 1 (DLMF 8.2.2)"""
    if (support.lower, support.upper) != (1, sp.oo) or not set(atoms) <= {log(y), y} or not atoms:
        return None

    def log_z(e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        return LogUpperGamma(e0 + 1, -e1) - (e0 + 1) * log(-e1)

    if y in atoms:
        return Kernel(
            "truncated gamma", y, (log(y), y), (atoms.get(log(y), sp.S.Zero), atoms[y]), log_z, "DLMF 8.2.2",
            finite=lambda e0, e1: (-e1 > 0,), regular=False, lower=ONE, parts=incomplete.upper_gamma(),
            log_shortfall=shortfalls.truncated_exponential,
        )  # fmt: skip
    return Kernel(
        "power tail", y, (log(y),), (atoms[log(y)],), lambda e0: -log(-e0 - 1), "DLMF 4.10.2",
        finite=lambda e0: (-e0 - 1 > 0,),
        parts=incomplete.power_tail(),
        extensions=((y, log_z, "DLMF 8.2.2", lambda e0, e1: (-e1 > 0,)),),
        lower=ONE,
    )  # fmt: skip


def interval_exponential(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int exp(e0 y) dy = exp(e0/2) sinh(e0/2)/(e0/2) over 0 < y < 1 (DLMF 4.10.18)

    With y^e1 it is M(e1+1, e1+2, e0)/(e1+1), whose derivative by e1 at 0 is -2F2(1, 1; 2, 2; e0) (DLMF 13.4.1).
    """
    if (support.lower, support.upper) != (0, 1) or set(atoms) != {y}:
        return None

    def log_z(e0: sp.Expr) -> sp.Expr:
        return e0 / 2 + LogSinhc(e0 / 2)

    def kummer(e0: sp.Expr, e1: sp.Expr) -> sp.Expr:
        return log(sp.hyper([e1 + 1], [e1 + 2], e0)) - log(e1 + 1)

    def log_mean(e0: sp.Expr) -> sp.Expr:
        return -sp.hyper([1, 1], [2, 2], e0) * exp(-log_z(e0))

    return Kernel(
        "interval exponential", y, (y,), (atoms[y],), log_z, "DLMF 4.10.18", parts=incomplete.interval_exponential(),
        extensions=((log(y), kummer, "DLMF 13.4.1", lambda e0, e1: (e1 + 1 > 0,)),),
        slopes=((log(y), log_mean), (log(1 - y), lambda e0: log_mean(-e0))), upper=ONE,
    )  # fmt: skip


def von_mises(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """int exp(e0 cos y + e1 sin y) dy = 2 pi I_0(sqrt(e0^2 + e1^2)) over a period (DLMF 10.32.1)"""
    if not support.periodic or not set(atoms) <= {sp.cos(y)}:
        return None
    return Kernel(
        "von Mises", y, (sp.cos(y), sp.sin(y)), (atoms.get(sp.cos(y), sp.S.Zero), sp.S.Zero),
        lambda e0, e1: log(2 * pi) + log(sp.besseli(0, sqrt(e0**2 + e1**2))),
        "DLMF 10.32.1",
        lower=-pi, upper=pi,
    )  # fmt: skip


KERNELS = (gauss, gen_gamma, gig, beta_prime, interval_exponential, beta, above_one, von_mises)


def counts(atoms: Combination, y: sp.Symbol, support: Interval) -> Kernel | None:
    """sum h(y) exp(e0 y) for the base measures h of the power series families (Johnson, Kemp, Kotz, 2.2)

    For I_|y|(z), over all integers, it is exp(z cosh e0) (DLMF 10.35.1).
    """
    rest = {atom: c for atom, c in atoms.items() if atom not in (y, ONE)}
    theta, lower = atoms.get(y, sp.S.Zero), support.lower
    factorial = loggamma(y + 1)
    log_z, falls, parts = None, True, None
    if support.upper == sp.oo and lower == 0 and not rest:
        log_z, parts = lambda e0: -log(1 - exp(e0)), incomplete.geometric()
    elif support.upper == sp.oo and rest == {factorial: -1} and lower in (0, 1):
        log_z, falls, parts = (exp, lambda e0: log(exp(exp(e0)) - 1))[lower], False, incomplete.poisson(lower)
    elif lower == -sp.oo and len(rest) == 1 and (z := _bessel_argument(rest, y)) is not None:
        falls = False
        log_z = lambda e0: z / 2 * exp(e0) + z / 2 * exp(-e0)  # noqa: E731
    elif support.upper == sp.oo and lower == 1 and rest == {log(y): -1}:
        log_z = lambda e0: log(-log(1 - exp(e0)))  # noqa: E731
    elif support.upper == sp.oo and lower == 1 and set(rest) == {log(y)} and y not in atoms:
        return Kernel(
            "zeta", y, (log(y),), (rest[log(y)],), lambda e0: LogZeta(-e0), "DLMF 25.2.1",
            finite=lambda e0: (-e0 > 1,), lower=ONE, parts=incomplete.zeta(),
        )  # fmt: skip
    elif lower == 0 and len(rest) == 2 and rest.get(factorial) == -1:
        ((other, c),) = ((a, c) for a, c in rest.items() if a != factorial)
        if isinstance(other, loggamma) and c == 1 and support.upper == sp.oo:
            r = sp.expand(other.args[0] - y)
            log_z, parts = lambda e0: loggamma(r) - r * log(1 - exp(e0)), incomplete.negative_binomial(r)
        elif isinstance(other, loggamma) and c == -1:
            n = sp.expand(other.args[0] + y - 1)
            if n == support.upper:
                log_z, falls, parts = (
                    lambda e0: n * log(1 + exp(e0)) - loggamma(n + 1),
                    False,
                    incomplete.binomial(n),
                )
    if log_z is None:
        return None
    finite = (lambda e0: (exp(e0) < 1,)) if falls else (lambda e0: ())
    return Kernel(
        "power series", y, (y,), (expand_log(theta),), log_z, "Johnson, Kemp, Kotz, 2.2",
        finite=finite, lower=lower, upper=support.upper, parts=parts,
    )  # fmt: skip


def _bessel_argument(rest: Combination, y: sp.Symbol) -> sp.Expr | None:
    """z, where the one atom is log I_|y|(z)"""
    ((atom, c),) = rest.items()
    inside = atom.args[0] if isinstance(atom, log) else atom
    return inside.args[1] if c == 1 and isinstance(inside, sp.besseli) and inside.args[0] == sp.Abs(y) else None
