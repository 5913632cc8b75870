"""Tilting: E[exp(s.g) prod g^n] = d^n Z(eta + s) / Z(eta), from a normalising integral Z alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import sympy as sp
from sympy.logic.boolalg import Boolean

from .incomplete import Both
from .linear import ONE, Combination, linear, multiply
from .normalisers import UpperGammaOrder

Triples = tuple[tuple[sp.Expr, sp.Expr, sp.Expr], ...]
Mellin = Callable[..., tuple[sp.Expr, Triples] | None]


@dataclass(frozen=True)
class Known:
    """An expectation: its value, the condition under which it holds, the rule and the reason.

    `open` says that a positive integrand has no finite expectation where the condition fails.
    """

    value: sp.Expr
    when: Boolean
    rule: str
    why: str
    open: bool = False


Extension = tuple[sp.Expr, Callable[..., sp.Expr], str, Callable[..., tuple[Boolean, ...]]]


class Law(Protocol):
    """What every kernel is: a law of y under which some expectations are known, over all of it or on one side of m."""

    @property
    def name(self) -> str: ...

    def expect(self, atom: sp.Expr) -> Known | None: ...

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None: ...

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None: ...


@dataclass(frozen=True)
class Kernel:
    """The density exp(eta . g(y)) / Z(eta) on (lower, upper), for features g.

    `log_z(*eta)` is the logarithm of the normalising integral (or sum), `finite(*eta)` the conditions under which it
    converges, `parts` the same integral over y < m and over y > m, of (m, *eta), where they are known. The kernel is
    `regular` if it diverges on their boundary too (Barndorff-Nielsen, Information and Exponential Families, 8.1).
    An extension is a further feature, at 0 in this density, with the log_z that includes it, a citation, and
    conditions under which that converges: a tilt may leave the kernel for it. `mellin(u, *eta)` is (c, triples)
    where E[u^s] is c^s times the product over the triples (a, alpha, e) of (Gamma(a + alpha s)/Gamma(a))^e.
    `log_shortfall(m, *eta)` is E[log(m/Y); Y < m] where it is known. `slopes` has extensions with their means: the
    derivative at 0 of a log_z that includes one.
    """

    name: str
    y: sp.Symbol
    features: tuple[sp.Expr, ...]
    eta: tuple[sp.Expr, ...]
    log_z: Callable[..., sp.Expr]
    citation: str
    finite: Callable[..., tuple[Boolean, ...]] = lambda *eta: ()
    parts: Both | None = None
    regular: bool = True
    extensions: tuple[Extension, ...] = ()
    mellin: Mellin | None = None
    log_shortfall: Callable[..., sp.Expr | None] | None = None
    slopes: tuple[tuple[sp.Expr, Callable[..., sp.Expr]], ...] = ()
    lower: sp.Expr = sp.S.Zero
    upper: sp.Expr = sp.oo
    known: dict[sp.Expr, Known | None] = field(default_factory=dict, compare=False, repr=False)

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[exp(s.g) prod g^n] = d^n Z(eta + s) / Z(eta)"""
        if atom not in self.known:
            self.known[atom] = self._expect(atom)
        return self.known[atom]

    def _expect(self, atom: sp.Expr) -> Known | None:
        found = self.parse(atom, self.features)
        if found is not None and any(found[1]):
            return self._derived(*found)
        for feature, slope in self.slopes:
            if atom == feature:
                return Known(slope(*self.eta), sp.true, "tilt", f"{self.name} kernel, the derivative by {feature}")
        tilted = self.tilt(atom)
        if tilted is None or tilted.value.has(UpperGammaOrder):
            return None
        value = ratio(tilted.value)
        return replace(tilted, value=sp.cancel(value) if value.is_rational_function(*value.free_symbols) else value)

    def tilt(self, atom: sp.Expr) -> Known | None:
        """log E[exp(s.g)] = log Z(eta + s) - log Z(eta)"""
        found = self.parse(atom, self.features)
        if found is not None and not any(found[1]):
            at = self.shifted(found[0])
            if not any(found[0]):
                return Known(sp.S.Zero, sp.true, "tilt", self._why(*found), True)
            difference = self.log_z(*at) - self.log_z(*self.eta)
            return Known(difference, sp.And(*self.finite(*at)), "tilt", self._why(*found), self.regular)
        for feature, log_z, citation, finite in self.extensions:
            found = self.parse(atom, (*self.features, feature))
            if found is not None and not any(found[1]):
                shifted = self.shifted(found[0])
                difference = log_z(*shifted) - self.log_z(*self.eta)
                why = f"{self.name} kernel extended by {feature}; {citation}"
                return Known(difference, sp.And(*finite(*shifted)), "tilt", why)
        return None

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a(Y); Y < m] = (integral of the tilted kernel below m) / Z(eta)"""
        return self._part(0, atom, m)

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        """E[a(Y); Y > m] = (integral of the tilted kernel beyond m) / Z(eta)"""
        return self._part(1, atom, m)

    def _part(self, side: int, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        found = self.parse(atom, self.features)
        if found is None or self.parts is None:
            return None
        shift, power = found
        symbols = [sp.Dummy(f"e{i}", real=True) for i in range(len(shift))]
        integral = self.parts[side](m, *(symbols if any(power) else self.shifted(shift)))
        for symbol, order in zip(symbols, power, strict=True):
            integral = sp.diff(integral, symbol, order) if order and integral is not None else integral
        if integral is None or integral.has(sp.Derivative, sp.Subs, sp.meijerg):
            return None
        return integral.xreplace(dict(zip(symbols, self.shifted(shift), strict=True))) * ratio(-self.log_z(*self.eta))

    @property
    def tilts(self) -> tuple[tuple[sp.Expr, Kernel], ...]:
        """The law as a mixture of kernels with their weights: itself."""
        return ((ONE, self),)

    def tilted(self, atom: sp.Expr) -> Kernel | None:
        """The law whose density is the atom times this one, normalised."""
        found = self.parse(atom, self.features)
        return None if found is None or any(found[1]) else replace(self, eta=tuple(self.shifted(found[0])), known={})

    def parse(self, atom: sp.Expr, features: tuple[sp.Expr, ...]) -> tuple[list[sp.Expr], list[int]] | None:
        """(s, n) with atom = exp(s.g) prod g^n, or None."""
        shift, power = [sp.S.Zero] * len(features), [0] * len(features)
        logs = {g.args[0]: i for i, g in enumerate(features) if isinstance(g, sp.log)}
        places = {g: i for i, g in enumerate(features)}
        for factor in sp.Mul.make_args(atom):
            base, exponent = factor.as_base_exp() if not isinstance(factor, sp.exp) else (factor, ONE)
            if factor == 1:
                continue
            if isinstance(factor, sp.exp):
                for part, coefficient in linear(factor.exp, self.y).items():
                    if part not in places:
                        return None
                    shift[places[part]] += coefficient
            elif base in logs and self.y not in exponent.free_symbols:
                shift[logs[base]] += exponent
            elif base in places and exponent.is_Integer and exponent > 0:
                power[places[base]] += int(exponent)
            elif factor in places:
                power[places[factor]] += 1
            else:
                return None
        return shift, power

    def shifted(self, shift: list[sp.Expr]) -> list[sp.Expr]:
        known = (*self.eta, sp.S.Zero)[: len(shift)]
        return [e + s for e, s in zip(known, shift, strict=True)]

    def _derived(self, shift: list[sp.Expr], power: list[int]) -> Known | None:
        at = self.shifted(shift)
        moved = any(s != 0 for s in shift)
        value = ratio(self.log_z(*at) - self.log_z(*self.eta)) if moved else ONE
        value *= self._cumulant_polynomial(tuple(power), at)
        if value.has(sp.Derivative, sp.Subs, UpperGammaOrder):
            return None
        if value.is_rational_function(*value.free_symbols):
            value = sp.cancel(value)
        return Known(value, sp.And(*self.finite(*at)) if moved else sp.true, "tilt", self._why(shift, power))

    def _why(self, shift: list[sp.Expr], power: list[int]) -> str:
        change = f"eta = ({', '.join(map(str, self.eta))})"
        change += f", shift ({', '.join(map(str, shift))})" if any(s != 0 for s in shift) else ""
        change += f", derivatives ({', '.join(map(str, power))})" if any(power) else ""
        features = ", ".join(map(str, self.features))
        return f"{self.name} kernel in ({features}), {change}; {self.citation}"

    def _cumulant_polynomial(self, power: tuple[int, ...], at: list[sp.Expr]) -> sp.Expr:
        """d^n exp(log Z) / exp(log Z) at eta: a polynomial in derivatives of log Z."""
        symbols = [sp.Dummy(f"e{i}", real=True) for i in range(len(at))]
        log_z, polynomial = self.log_z(*symbols), ONE
        for symbol, order in zip(symbols, power, strict=True):
            for _ in range(order):
                polynomial = sp.diff(polynomial, symbol) + polynomial * sp.diff(log_z, symbol)
        return polynomial.xreplace(dict(zip(symbols, at, strict=True)))


@dataclass(frozen=True)
class Weighted:
    """The density w(y) exp(eta . g(y)) / E_0[w] for a polynomial weight w over a kernel."""

    kernel: Kernel
    weight: Combination

    @property
    def name(self) -> str:
        return f"weighted {self.kernel.name}"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = E_0[w a] / E_0[w]"""
        top, bottom = self._total({atom: ONE}), self._total({ONE: ONE})
        if top is None or bottom is None:
            return None
        return Known(top.value / bottom.value, top.when, "tilt", f"E[a] = E_0[w a]/E_0[w]; {top.why}")

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        return self._part(lambda a: self.kernel.expect_below(a, m), atom)

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        return self._part(lambda a: self.kernel.expect_above(a, m), atom)

    def _part(self, expect: Callable[[sp.Expr], sp.Expr | None], atom: sp.Expr) -> sp.Expr | None:
        parts = [(c, expect(a)) for a, c in multiply(self.weight, {atom: ONE}).items()]
        bottom = self._total({ONE: ONE})
        if bottom is None or any(part is None for _, part in parts):
            return None
        return sp.Add(*(c * part for c, part in parts)) / bottom.value

    @property
    def tilts(self) -> tuple[tuple[sp.Expr, Kernel], ...]:
        """The law as a mixture of kernels with their weights: one for each term of w; none where that is not known."""
        bottom = self._total({ONE: ONE})
        parts = [(c, self.kernel.expect(a), self.kernel.tilted(a)) for a, c in self.weight.items()]
        if bottom is None or any(mass is None or kernel is None for _, mass, kernel in parts):
            return ()
        return tuple((c * mass.value / bottom.value, kernel) for c, mass, kernel in parts if mass and kernel)

    def _total(self, combination: Combination) -> Known | None:
        product = multiply(self.weight, combination)
        parts = [(c, known) for a, c in product.items() if (known := self.kernel.expect(a)) is not None]
        if len(parts) < len(product):
            return None
        value = sp.Add(*(c * part.value for c, part in parts))
        return Known(value, sp.And(*(part.when for _, part in parts)), "tilt", parts[0][1].why)

    @property
    def lower(self) -> sp.Expr:
        return self.kernel.lower

    @property
    def upper(self) -> sp.Expr:
        return self.kernel.upper


@dataclass(frozen=True)
class Restricted:
    """A law on low < y < high alone (low < y <= high for counts), None an end of the law itself."""

    law: Law
    low: sp.Expr | None
    high: sp.Expr | None

    @property
    def name(self) -> str:
        return f"truncated {self.law.name}"

    def expect(self, atom: sp.Expr) -> Known | None:
        """E[a] = E_0[a; low < Y < high] / P_0(low < Y < high)"""
        known = self.tilt(atom)
        return known if known is not None and known.when == sp.true else None

    def tilt(self, atom: sp.Expr) -> Known | None:
        """The expectation, and where the tilted kernel is one"""
        part, mass = self._between(atom), self._between(ONE)
        if part is None or mass is None:
            return None
        when = sp.true
        if isinstance(self.law, Kernel) and (found := self.law.parse(atom, self.law.features)) and any(found[0]):
            when = sp.And(*self.law.finite(*self.law.shifted(found[0])))
        return Known(part / mass, when, "partial-tilt", f"the {self.law.name} kernel from {self.low} to {self.high}")

    def expect_below(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        return self._share(replace(self, high=m)._between(atom))

    def expect_above(self, atom: sp.Expr, m: sp.Expr) -> sp.Expr | None:
        return self._share(replace(self, low=m)._between(atom))

    def _share(self, part: sp.Expr | None) -> sp.Expr | None:
        mass = self._between(ONE)
        return None if part is None or mass is None else part / mass

    def _between(self, atom: sp.Expr) -> sp.Expr | None:
        if self.low is None or self.high is None:
            return (
                self.law.expect_above(atom, self.low) if self.high is None else self.law.expect_below(atom, self.high)
            )
        first, last = (self.law.expect_below(atom, end) for end in (self.low, self.high))
        return None if first is None or last is None else last - first


def ratio(difference: sp.Expr) -> sp.Expr:
    """exp of a difference of log normalisers as a product: log Gamma(a + 1) - log Gamma(a) gives a.

    >>> a, b = sp.symbols("a b", positive=True)
    >>> ratio(sp.loggamma(a + 1) - sp.loggamma(a) - 2 * sp.log(b))
    a/b**2
    """
    product, above, below, exponent = [], [], [], []
    for term in sp.Add.make_args(sp.expand_log(sp.expand(difference))):
        logs = [f for f in sp.Mul.make_args(term) if isinstance(f, (sp.loggamma, sp.log))]
        if len(logs) != 1:
            exponent.append(term)
            continue
        power = sp.cancel(term / logs[0])
        argument = logs[0].args[0]
        if isinstance(logs[0], sp.log):
            product.append(argument**power)
        elif power.is_Integer and power > 0:
            above += [argument] * int(power)
        elif power.is_Integer:
            below += [argument] * int(-power)
        else:
            product.append(sp.gamma(argument) ** power)
    for top in list(above):
        for bottom in below:
            steps = sp.expand(top - bottom)
            if steps.is_Integer and abs(steps) <= 8:
                product.append(rising(bottom, int(steps)))
                above.remove(top)
                below.remove(bottom)
                break
    product += [sp.gamma(u) for u in above] + [1 / sp.gamma(u) for u in below]
    return sp.Mul(*product) * sp.exp(sp.Add(*exponent))


def rising(base: sp.Expr, steps: int) -> sp.Expr:
    """Gamma(base + steps) / Gamma(base)"""
    if steps < 0:
        return 1 / rising(base + steps, -steps)
    return sp.Mul(*(base + i for i in range(steps)))
