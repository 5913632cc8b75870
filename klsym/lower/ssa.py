"""A SymPy expression as straight-line code: each common subexpression is one line."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from ..core import functions, mellin
from ..core.errors import UnderivableError
from ..core.exact import Exact
from ..core.primitive import IRRATIONAL, PRIMITIVES
from ..core.program import Line

_NAMED = {value: text for text, value in IRRATIONAL.items()}

# SymPy functions that are a primitive as they stand.
_FUNCTIONS = {
    sp.exp: "exp", sp.log: "log", sp.Abs: "abs", sp.floor: "floor", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan",
    sp.asin: "asin", sp.atan: "atan", sp.sinh: "sinh", sp.cosh: "cosh", sp.tanh: "tanh", sp.loggamma: "lgamma",
    sp.zeta: "zeta", sp.erf: "erf", sp.erfc: "erfc", functions.LogSinhc: "log_sinhc", functions.Langevin: "langevin",
    functions.LangevinPrime: "langevin_prime", functions.ZetaDerivative: "zeta_derivative",
    functions.BesselKOrder: "bessel_k_order", functions.BesselKOrderSlope: "bessel_k_order_slope",
    mellin.Log1pMellin: "log1p_mellin", mellin.Log1pMellinSlope: "log1p_mellin_slope",
}  # fmt: skip

# Functions of two numbers and their difference that stay the same where all three are divided by one number.
_OF_RATIOS = {"phi", "log_ratio"}

_COMPARISONS = {sp.Lt: "lt", sp.Le: "le", sp.Eq: "eq"}


class Builder:
    """Collects the lines of a program; `expression` answers with the name that holds the value."""

    def __init__(self, arguments: Iterable[str]) -> None:
        self.arguments = tuple(arguments)
        self.lines: list[Line] = []
        self._known: dict[tuple[str, ...], str] = {}
        self._memo: dict[sp.Basic, str] = {}
        self._quotients: dict[str, tuple[str, str]] = {}
        self._count = 0

    def copy(self) -> Builder:
        """A builder with the same lines, apart from this one."""
        other = Builder(self.arguments)
        other.lines, other._count = list(self.lines), self._count
        other._known, other._memo, other._quotients = dict(self._known), dict(self._memo), dict(self._quotients)
        return other

    def line(self, primitive: str, *arguments: str, constant: str = "") -> str:
        """The name of primitive(*arguments), on a new line unless an earlier one says the same."""
        if primitive in _OF_RATIOS:
            arguments = self._undivided(*arguments)
        key = (primitive, constant, *arguments)
        if key not in self._known:
            self._count += 1
            while f"x{self._count}" in self.arguments:
                self._count += 1
            self._known[key] = f"x{self._count}"
            self.lines.append(Line(self._known[key], primitive, arguments, constant))
            if primitive == "div":
                self._quotients[self._known[key]] = (arguments[0], arguments[1])
        return self._known[key]

    def _undivided(self, first: str, *quotients: str) -> tuple[str, ...]:
        """a, b/c, d/c -> a c, b, d"""
        above, below = zip(*(self._quotients.get(name, (name, "")) for name in quotients), strict=True)
        if below[0] == "" or below[0] != below[1]:
            return first, *quotients
        return self.line("mul", first, below[0]) if first != self.constant("1") else below[0], *above

    def define(self, symbol: sp.Symbol, name: str) -> None:
        """Let a symbol stand for the value of a line, from here on."""
        if self._memo.get(symbol, name) != name:
            self._memo = {expr: line for expr, line in self._memo.items() if not expr.has(symbol)}
        self._memo[symbol] = name

    def constant(self, text: str) -> str:
        return self.line("constant", constant=text)

    def all(self, conditions: Iterable[str]) -> str:
        """The name of the conjunction of truth values."""
        return self._fold("and", list(conditions))

    def expression(self, expr: sp.Basic) -> str:
        """The name of the value of an expression or a condition."""
        if expr not in self._memo:
            self._memo[expr] = self._lower(expr)
        return self._memo[expr]

    def select(self, condition: sp.Basic, value: str, otherwise: str) -> str:
        if condition == sp.true or condition == sp.false:
            return value if condition == sp.true else otherwise
        return self.line("select", self.expression(condition), value, otherwise)

    def _fold(self, primitive: str, names: list[str]) -> str:
        return reduce(lambda a, b: self.line(primitive, a, b), names)

    def _each(self, primitive: str, expr: sp.Basic) -> str:
        return self.line(primitive, *map(self.expression, expr.args))

    def _lower(self, expr: sp.Basic) -> str:
        if isinstance(expr, sp.Symbol) and expr.name in self.arguments:
            return expr.name
        if expr in _NAMED:
            return self.constant(_NAMED[expr])
        if isinstance(expr, sp.Float):
            return self.expression(sp.Rational(expr))
        if isinstance(expr, Exact):
            return self.constant(str(expr.rational))
        if isinstance(expr, sp.Rational):
            return self.constant(str(expr))
        if isinstance(expr, sp.Add):
            return self._sum(expr)
        if isinstance(expr, sp.Mul):
            return self._product(expr)
        if isinstance(expr, sp.Pow):
            return self._power(expr)
        if isinstance(expr, sp.Piecewise):
            result = self.constant("nan")
            for value, condition in reversed(expr.args):
                result = self.select(condition, self.expression(value), result)
            return result
        if isinstance(expr, Boolean):
            return self._truth(expr)
        if isinstance(expr, (sp.Max, sp.Min)):
            names = [self.expression(a) for a in sorted(expr.args, key=sp.default_sort_key)]
            return self._fold("max" if isinstance(expr, sp.Max) else "min", names)
        return self._function(expr)

    def _sum(self, expr: sp.Add) -> str:
        """Positive terms first, then the others subtracted."""
        signed = [(term.could_extract_minus_sign(), term) for term in expr.as_ordered_terms()]
        plus = [self.expression(term) for negative, term in signed if not negative]
        minus = [self.expression(-term) for negative, term in signed if negative]
        if not plus:
            return self.line("neg", self._fold("add", minus))
        return reduce(lambda a, b: self.line("sub", a, b), minus, self._fold("add", plus))

    def _product(self, expr: sp.Mul) -> str:
        """Numerator over denominator, the sign last."""
        coefficient, factors = expr.as_coeff_mul()
        if coefficient.is_negative:
            return self.line("neg", self.expression(-expr))
        above = [] if coefficient.p == 1 else [sp.Integer(coefficient.p)]
        below = [] if coefficient.q == 1 else [sp.Integer(coefficient.q)]
        for factor in sorted(factors, key=sp.default_sort_key):
            base, power = factor.as_base_exp()
            inverse = power.could_extract_minus_sign() and not isinstance(factor, sp.exp)
            (below if inverse else above).append(base**-power if inverse else factor)
        top = self._fold("mul", [self.expression(f) for f in above or [sp.S.One]])
        return self.line("div", top, self._fold("mul", [self.expression(f) for f in below])) if below else top

    def _power(self, expr: sp.Pow) -> str:
        base, power = expr.args
        if power.could_extract_minus_sign():
            return self.line("div", self.constant("1"), self.expression(base**-power))
        if power == sp.S.Half:
            return self.line("sqrt", self.expression(base))
        if power in (2, 3, 4):
            return self._fold("mul", [self.expression(base)] * int(power))
        return self._each("pow", expr)

    def _truth(self, expr: Boolean) -> str:
        if isinstance(expr, (sp.And, sp.Or)):
            names = [self.expression(a) for a in sorted(expr.args, key=sp.default_sort_key)]
            return self._fold("and" if isinstance(expr, sp.And) else "or", names)
        if isinstance(expr, sp.Not):
            return self._each("not", expr)
        if isinstance(expr, (sp.Gt, sp.Ge)):
            return self.expression(expr.reversed)
        if isinstance(expr, sp.Ne):
            return self.line("not", self._each("eq", expr))
        for kind, primitive in _COMPARISONS.items():
            if isinstance(expr, kind):
                return self._each(primitive, expr)
        return self._function(expr)

    def _hypergeometric(self, expr: sp.hyper) -> str:
        """1F1 and 2F1, and 2F2(a, a; a + 1, a + 1; z)."""
        above, below, z = tuple(expr.ap), tuple(expr.bq), expr.argument
        if (len(above), len(below)) in ((1, 1), (2, 1)):
            return self.line("kummer" if len(above) == 1 else "hyp2f1", *map(self.expression, (*above, *below, z)))
        if len(set(above)) == 1 and below == (above[0] + 1,) * 2 == (above[0] + 1,) * len(above):
            return self.line("gamma_log_moment", self.expression(above[0]), self.expression(-z))
        raise UnderivableError(f"{expr} cannot be compiled: there is no primitive for it; evaluate() works on numbers")

    def _function(self, expr: sp.Basic) -> str:
        if isinstance(expr, AppliedUndef) and expr.func.__name__ in PRIMITIVES:
            return self._each(expr.func.__name__, expr)
        if expr.func in _FUNCTIONS and PRIMITIVES[_FUNCTIONS[expr.func]].takes(len(expr.args)):
            return self._each(_FUNCTIONS[expr.func], expr)
        if isinstance(expr, sp.polygamma):
            order, x = expr.args
            return self.line("digamma", self.expression(x)) if order == 0 else self._each("polygamma", expr)
        if isinstance(expr, sp.coth):
            return self.line("div", self.constant("1"), self.line("tanh", self.expression(expr.args[0])))
        if isinstance(expr, sp.acos):
            return self.expression(sp.pi / 2 - sp.asin(expr.args[0]))
        if isinstance(expr, sp.polylog) and expr.args[0] == 2:
            return self.line("dilog", self.expression(expr.args[1]))
        if isinstance(expr, sp.hyper):
            return self._hypergeometric(expr)
        if isinstance(expr, sp.sign):
            x, zero = self.expression(expr.args[0]), self.constant("0")
            below = self.line("select", self.line("lt", x, zero), self.constant("-1"), zero)
            return self.line("select", self.line("lt", zero, x), self.constant("1"), below)
        if isinstance(expr, sp.Symbol):
            known = ", ".join(self.arguments)
            raise UnderivableError(f"{expr} is not a parameter of the two distributions; their parameters are {known}")
        raise UnderivableError(
            f"{expr} cannot be compiled: there is no primitive for {expr.func.__name__}; evaluate() works on numbers"
        )
