"""The grammar of a user's density: a whitelist over Python's syntax tree, in which no text is ever evaluated.

A density is arithmetic over declared names, numbers, the constants pi and E, and the functions of one table; a domain
is one interval for one name. Numbers are the decimals that they spell: 0.1 is one tenth. SymPy evaluates while it
builds, so the limits here keep honest mistakes short; against hostile texts `parse` is called through `worker.call`.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp

from .errors import DensityError, nearest

LENGTH, NODES, DEPTH = 4000, 800, 60
DIGITS, EXPONENT, BITS, POWER, ARGUMENT = 40, 300, 4096, 1000, 10**4

CONSTANTS = {"pi": sp.pi, "E": sp.E, "oo": sp.oo}

# name: constructor, fewest and most arguments
FUNCTIONS: dict[str, tuple[Callable[..., sp.Expr], int, int]] = {
    "exp": (sp.exp, 1, 1),
    "log": (sp.log, 1, 2),
    "sqrt": (sp.sqrt, 1, 1),
    "abs": (sp.Abs, 1, 1),
    "Abs": (sp.Abs, 1, 1),
    "min": (sp.Min, 2, 9),
    "max": (sp.Max, 2, 9),
    "sin": (sp.sin, 1, 1),
    "cos": (sp.cos, 1, 1),
    "tan": (sp.tan, 1, 1),
    "asin": (sp.asin, 1, 1),
    "acos": (sp.acos, 1, 1),
    "atan": (sp.atan, 1, 1),
    "sinh": (sp.sinh, 1, 1),
    "cosh": (sp.cosh, 1, 1),
    "tanh": (sp.tanh, 1, 1),
    "erf": (sp.erf, 1, 1),
    "erfc": (sp.erfc, 1, 1),
    "gamma": (sp.gamma, 1, 1),
    "loggamma": (sp.loggamma, 1, 1),
    "lgamma": (sp.loggamma, 1, 1),
    "digamma": (sp.digamma, 1, 1),
    "beta": (sp.beta, 2, 2),
    "factorial": (sp.factorial, 1, 1),
    "binomial": (sp.binomial, 2, 2),
    "choose": (sp.binomial, 2, 2),
    "besseli": (sp.besseli, 2, 2),
    "besselk": (sp.besselk, 2, 2),
    "zeta": (sp.zeta, 1, 2),
}

_NUMBER = re.compile(r"(?P<mantissa>[\d_]*\.?[\d_]*)(?:[eE](?P<exponent>[+-]?[\d_]+))?")
_SPOKEN: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Compare: "a comparison",
    ast.IfExp: "a condition",
    ast.BoolOp: "a condition",
    ast.Lambda: "lambda",
    ast.JoinedStr: "a formatted string",
    ast.NamedExpr: "an assignment",
    ast.Starred: "unpacking",
    ast.Tuple: "a tuple",
    ast.List: "a list",
}


def parse(text: str, symbols: Mapping[str, sp.Symbol]) -> sp.Expr:
    """The expression that the text spells over the declared symbols; DensityError says what is outside the grammar.

    A name right before `(` is a function, and otherwise a symbol, so gamma(gamma) is the function of the parameter.

    >>> a, gamma = sp.symbols("a gamma")
    >>> parse("0.1*a^2/gamma(gamma)", {"a": a, "gamma": gamma})
    a**2/(10*gamma(gamma))
    """
    line = _line(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(line, mode="eval")
        size = sum(isinstance(node, ast.expr) for node in ast.walk(tree))
        if size > NODES:
            raise DensityError(f"the text has {size} parts; at most {NODES} are read")
        value = _Reader(line, symbols).read(tree.body, 0)
    except SyntaxError as error:
        near = line[max((error.offset or 1) - 6, 0) :][:12]
        raise DensityError(f"{line[:60]!r} is not arithmetic near {near!r}; a product is written a*b") from None
    except (RecursionError, MemoryError):
        raise DensityError("the text is nested too deeply; write it with fewer parentheses") from None
    except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
        if isinstance(error, DensityError):
            raise
        raise DensityError(f"{line[:60]!r} cannot be read: {str(error)[:100]}") from None
    if value.has(sp.I, sp.nan, sp.zoo):
        raise DensityError(f"{line[:60]!r} is not a real number: it contains a root of a negative number or 0/0")
    return value


def _line(text: str) -> str:
    if not isinstance(text, str):
        raise DensityError(f"a density is a text such as 'exp(-x)'; {type(text).__name__} was given")
    if len(text) > LENGTH:
        raise DensityError(f"the text has {len(text)} characters; at most {LENGTH} are read")
    if not text.strip():
        raise DensityError("the text is empty; write a density such as 'exp(-x)', or a domain such as 'x>0'")
    if not text.isascii() or not all(c.isprintable() or c.isspace() for c in text):
        strange = next(c for c in text if not c.isascii() or not (c.isprintable() or c.isspace()))
        raise DensityError(f"{strange!a} is not plain ASCII; spell Greek letters and powers out (alpha, **2)")
    return " ".join(text.split()).replace("^", "**")


@dataclass(frozen=True)
class _Reader:
    """Syntax trees to expressions; `line` is the text they were made of."""

    line: str
    symbols: Mapping[str, sp.Symbol]

    def read(self, node: ast.expr, depth: int) -> sp.Expr:
        if depth > DEPTH:
            raise DensityError("the text is nested too deeply; write it with fewer parentheses")
        if isinstance(node, ast.Constant):
            return self.number(node)
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if isinstance(node, ast.Call):
            return self.function(node, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            value = self.read(node.operand, depth + 1)
            return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Pow):
                return _power(self.read(node.left, depth + 1), self.read(node.right, depth + 1))
            for build, plain, inverse, invert in _CHAINS:
                if isinstance(node.op, (plain, inverse)):
                    return _checked(build(*self.chain(node, (plain, inverse), invert, depth)))
        what = _SPOKEN.get(type(node), f"{type(getattr(node, 'op', node)).__name__!r}")
        raise DensityError(f"{what} is outside the grammar: numbers, declared names, + - * / **, and functions")

    def chain(self, node: ast.expr, kinds: Any, invert: Callable[[sp.Expr], sp.Expr], depth: int) -> list[sp.Expr]:
        """The operands of a + b - c, or of a * b / c: a long sum is not a deep one."""
        operands: list[sp.Expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, kinds):
            value = self.read(node.right, depth + 1)
            operands.append(invert(value) if isinstance(node.op, kinds[1]) else value)
            node = node.left
        return [self.read(node, depth + 1), *reversed(operands)]

    def number(self, node: ast.Constant) -> sp.Expr:
        spelled = self.line[node.col_offset : node.end_col_offset]
        if type(node.value) not in (int, float):
            raise DensityError(f"{spelled[:40]!r} is not a real number; write decimals such as 0.5 or 1e-3")
        if type(node.value) is int:
            spelled = str(node.value) if node.value.bit_length() <= 4 * DIGITS else "9" * (DIGITS + 1)
        match = _NUMBER.fullmatch(spelled)
        if match is None or len(match["mantissa"]) > DIGITS or abs(_exponent(match["exponent"])) > EXPONENT:
            raise DensityError(f"a number is too long; {DIGITS} digits and exponents to {EXPONENT} are read")
        fraction = Fraction(spelled)
        return sp.Rational(fraction.numerator, fraction.denominator)

    def name(self, name: str) -> sp.Expr:
        if name in self.symbols:
            return self.symbols[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS:
            raise DensityError(f'{name!r} is a function: write {name}(...), or name its domain: {name}="{name}>0"')
        hint = nearest(name, [*self.symbols, *CONSTANTS])
        raise DensityError(f'nothing says what {name!r} is{hint}; name the domain of {name!r}: {name}="{name}>0"')

    def function(self, node: ast.Call, depth: int) -> sp.Expr:
        if not isinstance(node.func, ast.Name):
            raise DensityError("only a named function can be called; a product is written a*(b)")
        name = node.func.id
        if name in self.symbols and name not in FUNCTIONS:
            raise DensityError(f"{name!r} is not a function; a product is written {name}*(...)")
        if name not in FUNCTIONS:
            raise DensityError(f"no function {name!r}{nearest(name, FUNCTIONS)}; known: {', '.join(FUNCTIONS)}")
        build, fewest, most = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            takes = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise DensityError(
                f"{name}(...) takes {takes} arguments, by position; {len(node.args) + len(node.keywords)} were given"
            )
        arguments = [self.read(argument, depth + 1) for argument in node.args]
        for argument in arguments:
            if argument.is_number and not _moderate(argument):
                raise DensityError(f"{name}({str(argument)[:40]}) is too large, or not a real number, to be worked out")
        return _checked(build(*arguments))


_CHAINS = (
    (sp.Add, ast.Add, ast.Sub, lambda value: -value),
    (sp.Mul, ast.Mult, ast.Div, lambda value: _power(value, sp.S.NegativeOne)),
)


def _exponent(spelled: str | None) -> int:
    digits = (spelled or "0").replace("_", "")
    return int(digits) if len(digits) < 6 else EXPONENT + 1


def _moderate(value: sp.Expr) -> bool:
    size = abs(value.evalf(4))
    return bool(size.is_Number) and bool(size < ARGUMENT)


def _power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    if base.is_Rational and exponent.is_Number:
        bits = max(base.p.bit_length(), base.q.bit_length())
        if abs(exponent) > POWER or abs(exponent) * bits > BITS:
            raise DensityError(f"({str(base)[:40]})**({str(exponent)[:40]}) is too large to be worked out")
    return _checked(base**exponent)


def _checked(value: sp.Expr) -> sp.Expr:
    """The value, unless it is undefined or holds a number that is too long."""
    if value in (sp.zoo, sp.nan):
        raise DensityError("the text divides by zero")
    for number in (value, *value.args):
        if number.is_Rational and max(number.p.bit_length(), number.q.bit_length()) > BITS:
            raise DensityError(f"a number in the text has more than {BITS} bits")
    return value


@dataclass(frozen=True)
class Clause:
    """The domain of one name, as it is spelled: an interval whose ends are texts."""

    name: str
    lower: str
    upper: str
    left_closed: bool
    right_closed: bool
    integer: bool


_IDENTIFIER = r"[A-Za-z_]\w*"
_KIND = re.compile(rf"(?:({_IDENTIFIER})\s+)?(real|integer)s?\b\s*(.*)")
_BRACKETS = re.compile(rf"(?:({_IDENTIFIER})\s+)?in\s*([\[(])(.*)([\])])")
_BROKEN = re.compile(r"!=|==|\b(?:or|and|not)\b|[|&~;]")


def clause(text: str, name: str | None = None) -> Clause:
    """One interval for one name: `x>0`, `0<x<1`, `x in (0, 1)`, `x real`, `x`, `n integer`, `k integer>=0`.

    `name`, where it is known, may be left out of the text. DensityError where the text is anything else: a support
    is one interval.

    >>> clause("0 <= p < 1")
    Clause(name='p', lower='0', upper='1', left_closed=True, right_closed=False, integer=False)
    >>> clause("integer >= 0", "k").integer
    True
    """
    line = _line(text)
    refusal = DensityError(
        f"{line[:60]!r} is not one interval for {'one name' if name is None else name}: "
        "a domain, like a support, must be one interval; write x>0, 0<x<1, x real or k integer>=0"
    )
    if _BROKEN.search(line):
        raise refusal
    subject, integer, rest = name, False, line
    if match := _KIND.fullmatch(line):
        subject, integer, rest = match[1] or name, match[2] == "integer", match[3] or match[1] or name or ""
    if (match := _BRACKETS.fullmatch(rest)) and len(inside := split(match[3])) == 2:
        subject = match[1] or subject or ""
        rest = f"{inside[0]}{'<=' if match[2] == '[' else '<'}{subject}{'<=' if match[4] == ']' else '<'}{inside[1]}"
    pieces = [piece.strip() for piece in re.split(r"([<>]=?)", rest)]
    if len(pieces) == 3 and subject and not pieces[0]:
        pieces[0] = subject
    names = [piece for piece in pieces[::2] if re.fullmatch(_IDENTIFIER, piece)]
    subject = subject or (pieces[2] if len(pieces) == 5 else next(iter(names), ""))
    if subject not in names or (name is not None and subject != name) or len(pieces) > 5:
        raise refusal
    bounds: dict[str, tuple[str, bool]] = {}
    for left, relation, right in zip(pieces[:-2:2], pieces[1::2], pieces[2::2], strict=True):
        upper = (left == subject) == (relation[0] == "<")
        end = right if left == subject else left
        if ("upper" if upper else "lower") in bounds or end == subject:
            raise refusal
        bounds["upper" if upper else "lower"] = (end, relation.endswith("="))
    (low, left_closed), (high, right_closed) = bounds.get("lower", ("-oo", False)), bounds.get("upper", ("oo", False))
    return Clause(subject, low, high, left_closed, right_closed, integer)


def split(text: str) -> list[str]:
    """The parts of a text between the commas that no bracket holds.

    >>> split("beta(a, b), 0<x<1")
    ['beta(a, b)', '0<x<1']
    """
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
