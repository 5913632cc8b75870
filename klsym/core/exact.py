"""Numbers with many digits as atoms, so that nothing tries to factor them."""

from __future__ import annotations

from typing import Any

import sympy as sp
from mpmath.libmp import from_rational, fzero
from sympy.core.evalf import evalf, evalf_log, evalf_table
from sympy.core.expr import AtomicExpr

SIMPLE = 10_000
# Below it a double prints its integer without an exponent.
WRITTEN_OUT = 10**16


class Exact(sp.NumberSymbol):
    """A rational number that SymPy leaves alone: it evaluates to any number of digits, and equals only itself.

    SymPy factors the integers of a rational in a power, which takes for ever where an exponent is a double, and writes
    gamma of an integer, and of half of one, as the product that it is. So an Exact tells neither that it is an integer
    nor that it is rational.

    >>> x = Exact(sp.Rational(0.1))
    >>> x, x.n(20)
    (0.1, 0.10000000000000000555)
    >>> sp.loggamma(Exact(sp.Integer(10**9)) + sp.S.Half)
    loggamma(1/2 + 1000000000)
    """

    __slots__ = ("rational",)
    rational: sp.Rational
    is_real = True
    is_finite = True
    is_number = True

    def __new__(cls, rational: sp.Rational) -> Any:
        self = AtomicExpr.__new__(cls)
        self.rational = rational
        return self

    def _hashable_content(self) -> tuple[Any, ...]:
        return (self.rational,)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.rational,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Exact) and self.rational == other.rational

    def __hash__(self) -> int:
        return hash((Exact, self.rational))

    def _as_mpf_val(self, prec: int) -> Any:
        return from_rational(self.rational.p, self.rational.q, prec, "n")

    def _eval_is_positive(self) -> bool:
        return bool(self.rational > 0)

    def _eval_is_negative(self) -> bool:
        return bool(self.rational < 0)

    def _eval_is_zero(self) -> bool:
        return False

    def _eval_is_integer(self) -> bool | None:
        return None if self.rational.q == 1 else False

    def approximation_interval(self, number_cls: type) -> tuple[sp.Expr, sp.Expr]:
        """The floor and the ceiling."""
        if self.rational.q == 1:
            return self, self
        return atom(sp.floor(self.rational)), atom(sp.ceiling(self.rational))

    def __int__(self) -> int:
        return int(self.rational)

    def _sympystr(self, printer: Any) -> str:
        r = self.rational
        whole = r.q == 1 and (abs(r.p) < WRITTEN_OUT or r.p != float(r))
        return str(r.p) if whole else repr(float(r))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return self._sympystr(printer) if exp is None else f"{self._sympystr(printer)}^{{{exp}}}"


def _evaluated(x: Exact, prec: int, options: Any) -> Any:
    return from_rational(x.rational.p, x.rational.q, prec, "n"), None, prec, None


def _log(e: sp.Expr, prec: int, options: Any) -> Any:
    """SymPy's own, but where it is 0: that of 1 + d is d where 1 + d rounds to 1.

    SymPy takes it for 0, and then for positive or negative as the order of its rules has it.
    """
    found = evalf_log(e, prec, options)
    lost = found[0] in (None, fzero) and found[1] in (None, fzero)
    return evalf(e.args[0] - 1, prec, options) if lost else found


# Without an entry SymPy takes the real part of every number that it evaluates.
evalf_table[Exact] = _evaluated
evalf_table[sp.log] = _log


def atom(rational: sp.Rational) -> sp.Expr:
    """The rational itself where it is simple, otherwise as an atom."""
    return rational if max(abs(rational.p), rational.q) <= SIMPLE else Exact(rational)


def plain(e: sp.Expr) -> sp.Expr:
    """The expression with sums, products and roundings of rational atoms written as the rational numbers that they are.

    >>> plain(sp.floor(Exact(sp.Integer(10**9)) / 3 + sp.S.Half))
    333333333
    """
    if isinstance(e, Exact):
        return e.rational
    reciprocal = isinstance(e, sp.Pow) and e.exp == -1
    if reciprocal or isinstance(e, (sp.Add, sp.Mul, sp.Max, sp.Min, sp.floor, sp.ceiling)):
        return e.func(*map(plain, e.args))
    return e
