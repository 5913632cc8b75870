"""A Renyi divergence by KL divergences from the member M between P and Q, in a sum of terms that are never negative.

M has its density in proportion to p^a q^(1 - a). For a < 1, of all laws R it has the least a KL(R || P)
+ (1 - a) KL(R || Q), and that is minus the logarithm of the integral; hence (van Erven and Harremoes, arXiv 1206.2459,
theorem 30)

    R_a = a/(1 - a) KL(M || P) + KL(M || Q)  for a < 1,    R_a = KL(P || Q) + KL(P || M)/(a - 1)  for a > 1,

and as M is where it is least, dR_a = a/(1 - a) dKL(M || P) + dKL(M || Q), M held still, + KL(M || P)/(1 - a)^2 da.
What M differs by from P and from Q is formed from what they differ by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy as sp

from ..core.derivation import General
from .gaps import exact_gaps
from .generic import Context
from .remainder import NoRule
from .rewrites import head, squares
from .structure import Structured, added, meaning

Values = dict[sp.Symbol, sp.Expr]
P, Q, M = "P", "Q", "M"


def through_middle(general: General, context: Context, form: Structured, tied: set[sp.Symbol]) -> list[str] | None:
    """The lines of value and derivatives by `form`, that of the KL divergence; None where a difference has no rule."""
    build, order = context.errors.build, general.values[0]
    # The gaps of a beta function may cancel, and what M is rounded by is then not small beside what is left.
    if any(term.has(head("lbetarem")) for term in form.terms):
        return None
    try:
        if order.is_number:
            side = _low if order < 1 else _high
            return side(Between(general, context, form, tied, order, 1 - order))
        low, high = (sp.Dummy(name, positive=True) for name in ("low", "high"))
        for symbol, limited in ((low, sp.Min(order, 1)), (high, sp.Max(order, 1))):
            build.define(symbol, build.expression(limited))
        sides = []
        for side, symbol in ((_low, low), (_high, high)):
            rest = sp.Dummy("rest", real=True)
            build.define(rest, build.expression(1 - symbol))
            sides.append(side(Between(general, context, form, tied, symbol, rest)))
    except NoRule:
        return None
    return [build.select(sp.Lt(order, 1), a, b) for a, b in zip(*sides, strict=True)]


def _low(between: Between) -> list[str]:
    build, (a, rest) = between.build, between.shares
    near, far = (sp.Dummy(name, nonnegative=True) for name in ("near", "far"))
    first, second = between.kl(M, P), between.kl(M, Q)
    build.define(near, first[0])
    build.define(far, second[0])
    return [build.expression(a / rest * near + far), *between.slopes(first, second)]


def _high(between: Between) -> list[str]:
    build, (_, rest) = between.build, between.shares
    near, far = (sp.Dummy(name, nonnegative=True) for name in ("near", "far"))
    build.define(near, between.kl(P, Q)[0])
    build.define(far, between.kl(P, M)[0])
    value = build.expression(near + far / -rest)
    return [value, *(between.slopes(between.kl(M, P), between.kl(M, Q)) if between.by else ())]


class Between:
    """The member M of order a between P and Q, whose generic symbols it defines, and KL divergences of the three."""

    def __init__(
        self, general: General, context: Context, form: Structured, tied: set[sp.Symbol], a: sp.Expr, rest: sp.Expr
    ) -> None:
        whole, middle = general.derivation, general.middle
        assert middle is not None
        self.build, self.form, self.shares, self.tied = context.errors.build, form, (a, rest), tied
        self.general, self.by = general, context.by
        (self.order,) = whole.divergence.values
        self.first, self.second, self.middle = whole.p.values, whole.q.values, middle.member
        for side, actual in ((self.first, general.p), (self.second, general.q)):
            for symbol, value in zip(side, actual.values, strict=True):
                self.build.define(symbol, self.build.expression(value))
        for p, q, actual in zip(self.first, self.second, general.p.values, strict=True):
            if p == q and any(actual.has(x) for x in self.by):
                raise NoRule("a parameter that P and Q share moves all three")
        self.base = {p: sp.Dummy(p.name, **p.assumptions0) for p, _ in self._pairs()}
        self.other = {q: sp.Dummy(q.name, **q.assumptions0) for _, q in self._pairs()}
        self.value = {p: self._line(m) for p, _, m in self._triples()}

    def _triples(self) -> list[tuple[sp.Symbol, sp.Symbol, sp.Expr]]:
        return [(p, q, m) for p, q, m in zip(self.first, self.second, self.middle, strict=True) if p != q]

    def _pairs(self) -> list[tuple[sp.Symbol, sp.Symbol]]:
        return [(p, q) for p, q, _ in self._triples()]

    def _line(self, value: sp.Expr) -> sp.Symbol:
        """A symbol for a parameter of M."""
        a, rest = self.shares
        symbol = sp.Dummy("middle", positive=value.is_positive, real=True)
        if (pair := self._geometric(value)) is not None:
            p, q = pair
            whole = sp.sqrt(p) * sp.sqrt(q) if a == sp.S.Half else p * sp.exp(rest * head("log_ratio")(p, q, q - p))
        else:
            root, (above, below) = self._fraction(value)
            whole = self._mixed(above) / self._mixed(below)
            whole = sp.sqrt(whole) if root else whole
        self.build.define(symbol, self.build.expression(whole))
        return symbol

    def _geometric(self, value: sp.Expr) -> tuple[sp.Symbol, sp.Symbol] | None:
        """p and q of p^a q^(1 - a)"""
        for p, q, m in self._triples():
            logarithm = self.order * sp.log(p) + (1 - self.order) * sp.log(q)
            if m == value and p.is_positive and sp.expand(sp.expand_log(sp.log(m), force=True) - logarithm) == 0:
                return p, q
        return None

    def _fraction(self, value: sp.Expr) -> tuple[bool, tuple[sp.Expr, sp.Expr]]:
        """Whether it is the root of a fraction, and that fraction, linear in a above and below."""
        symbols = value.free_symbols
        root = not value.is_rational_function(*symbols)
        inside = sp.cancel(sp.together(value**2 if root else value))
        if not inside.is_rational_function(*symbols):
            raise NoRule(f"{value} is no fraction and no root of one")
        above, below = inside.as_numer_denom()
        return root, (-above, -below) if below.xreplace({self.order: sp.S.One}).is_negative else (above, below)

    def _mixed(self, polynomial: sp.Expr) -> sp.Expr:
        """u a + v (1 - a)"""
        if not polynomial.has(self.order):
            return polynomial
        if sp.degree(polynomial, self.order) > 1:
            raise NoRule("only a mean of two is a sum of terms of one sign")
        a, rest = self.shares
        ends = (sp.expand(polynomial.xreplace({self.order: end})) for end in (sp.S.One, sp.S.Zero))
        u, v = map(sp.factor_terms, ends)
        return a * u + rest * v

    def kl(self, base: str, other: str) -> list[str]:
        """KL(base || other), and its derivatives by way of the other member, if that is P or Q."""
        symbols = self.base | self.other
        form = _renamed(self.form, symbols)
        actual = {self.base[p]: self._at(base, p, q) for p, q in self._pairs()}
        actual |= {self.other[q]: self._at(other, p, q) for p, q in self._pairs()}
        for symbol, meant in actual.items():
            self.build.define(symbol, self.build.expression(meant))
        coordinates = tuple(
            replace(c, value=self._exact(c.value, base, other), step=self._exact(c.step, base, other))
            for c in form.coordinates
        )
        terms = tuple(self._exact(term, base, other) for term in form.terms)
        lines = [replace(form, terms=terms, coordinates=coordinates).lines(self.build, {})]
        if other == M:
            return lines
        law = self.general.p if other == P else self.general.q
        values = {
            q: v for (p, q), v in zip(zip(self.first, self.second, strict=True), law.values, strict=True) if p != q
        }
        for x in self.by:
            moves = {self.other[q]: v.diff(x) for q, v in values.items() if v.has(x)}
            slope = form.derivative(moves)
            lines.append(added(self.build, tuple(self._exact(term, base, other) for term in slope)))
        return lines

    def slopes(self, first: Sequence[str], second: Sequence[str]) -> list[str]:
        """The derivatives, from the lines of KL(M || P) and KL(M || Q)."""
        (a, rest), (order,) = self.shares, self.general.values
        value, one, two = (sp.Dummy(name, real=True) for name in ("value", "one", "two"))
        self.build.define(value, first[0])
        found = []
        for x, near, far in zip(self.by, first[1:], second[1:], strict=True):
            self.build.define(one, near)
            self.build.define(two, far)
            slope = self.build.expression(a / rest * one + two + order.diff(x) * value / rest**2)
            found.append(self.build.constant("nan") if x in self.tied else slope)
        return found

    def _at(self, member: str, p: sp.Symbol, q: sp.Symbol) -> sp.Symbol:
        return {P: p, Q: q, M: self.value[p]}[member]

    def _exact(self, expr: sp.Expr, base: str, other: str) -> sp.Expr:
        """The expression with each difference of the two members that vanishes where they are one as it is formed."""
        same = {self.other[q]: self.base[p] for p, q in self._pairs()}

        def vanishing(e: sp.Expr) -> bool:
            if not (e.is_Add or isinstance(e, head("cross"))) or not e.free_symbols & same.keys():
                return False
            return e.free_symbols <= {*same, *same.values(), *self.first} and sp.expand(meaning(e).xreplace(same)) == 0

        def formed(e: sp.Expr) -> sp.Expr:
            gap = sp.Dummy("gap", real=True)
            self.build.define(gap, self.build.expression(self._gap(meaning(e), base, other)))
            return gap

        return expr.replace(vanishing, formed)

    def _gap(self, e: sp.Expr, base: str, other: str) -> sp.Expr:
        """A difference, from what P and Q differ by."""
        a, rest = self.shares
        triples = [t for t in self._triples() if e.has(self.base[t[0]]) or e.has(self.other[t[1]])]
        if M not in (base, other):
            plain = {self.base[p]: self._at(base, p, q) for p, q, _ in triples}
            return exact_gaps(e.xreplace(plain | {self.other[q]: self._at(other, p, q) for p, q, _ in triples}))
        share, factor = (1 - self.order, rest) if P in (base, other) else (self.order, a)
        formal: Values = {}
        for p, q, m in triples:
            points = {P: p, Q: q, M: m}
            formal |= {self.base[p]: points[base], self.other[q]: points[other]}
        if all(m.is_rational_function(*m.free_symbols) for _, _, m in triples):
            return factor * self._rational(e.xreplace(formal), share, [m for _, _, m in triples])
        p, q, m = triples[0]
        slope = sp.cancel(e / (self.other[q] - self.base[p]))
        if len(triples) > 1 or not slope.is_number:
            raise NoRule(f"{e} has no rule")
        end, sign = (other, slope) if base == M else (base, -slope)  # sign (end - M)
        x, y = (p, q) if end == P else (q, p)
        if self._geometric(m) is not None:
            if a == sp.S.Half:
                return sign * sp.sqrt(x) * (x - y) / (sp.sqrt(x) + sp.sqrt(y))
            return -sign * x * head("expm1")(factor * head("log_ratio")(x, y, y - x))
        return sign * factor * self._rational(x**2 - m**2, share, [m**2]) / (x + self.value[p])

    def _rational(self, e: sp.Expr, share: sp.Expr, members: Sequence[sp.Expr]) -> sp.Expr:
        """e/share, a fraction above what the members are divided by."""
        below = sp.Mul(*dict.fromkeys(self._fraction(m)[1][1] for m in members))
        above = sp.cancel(sp.together(e * below / share))
        if above.has(self.order):
            raise NoRule(f"{e} has no rule")
        whole = sp.Mul(*map(self._mixed, dict.fromkeys(self._fraction(m)[1][1] for m in members)))
        return exact_gaps(squares(sp.factor_terms(above))) / whole


def _renamed(form: Structured, names: Mapping[sp.Symbol, sp.Symbol]) -> Structured:
    new = dict(names)
    coordinates = tuple(
        replace(
            c,
            moving=replace(c.moving, symbol=c.moving.symbol.xreplace(new), base=c.moving.base.xreplace(new)),
            target=c.target.xreplace(new),
            inside=c.inside.xreplace(new),
            value=c.value.xreplace(new),
            step=c.step.xreplace(new),
        )
        for c in form.coordinates
    )
    return Structured(tuple(term.xreplace(new) for term in form.terms), coordinates)
