"""The kernels as C99: `static inline` functions, `klsym_` before each name, a struct where several values return."""

from __future__ import annotations

import ast
import importlib
import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MODULES = ("elementary", "gamma", "rests", "bessel")

# select is a function so that both arms are computed. A loop over kernels is vectorised where all of them are inlined,
# and fma is an instruction: gcc -O3 -march=native -fno-trapping-math; with -ffp-contract=off as numba computes them.
MACHINE = """\
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __GNUC__
#define KLSYM_INLINE static inline __attribute__((always_inline))
#else
#define KLSYM_INLINE static inline
#endif

KLSYM_INLINE uint64_t klsym_bits(double x) { uint64_t bits; memcpy(&bits, &x, 8); return bits; }
KLSYM_INLINE double klsym_double(uint64_t bits) { double x; memcpy(&x, &bits, 8); return x; }
KLSYM_INLINE double klsym_fma(double a, double b, double c) { return fma(a, b, c); }
KLSYM_INLINE double klsym_product_tail(double a, double b) { return fma(a, b, -(a * b)); }
KLSYM_INLINE double klsym_select(int condition, double a, double b) { return condition ? a : b; }
KLSYM_INLINE double klsym_absolute(double x) { return fabs(x); }
KLSYM_INLINE double klsym_floor(double x) { return floor(x); }
KLSYM_INLINE double klsym_rint(double x) { return rint(x); }
KLSYM_INLINE double klsym_sqrt(double x) { return sqrt(x); }
KLSYM_INLINE double klsym_minimum(double a, double b) { return (a <= b) | (a != a) ? a : b; }
KLSYM_INLINE double klsym_maximum(double a, double b) { return (a >= b) | (a != a) ? a : b; }
KLSYM_INLINE double klsym_mantissa(double x) {
    return klsym_double((klsym_bits(x) & 0x000fffffffffffff) | 0x3ff0000000000000);
}
KLSYM_INLINE double klsym_exponent(double x) {
    return klsym_double(((klsym_bits(x) >> 52) & 0x7ff) | 0x4330000000000000) - 4503599627371519.0;
}
typedef struct { double _0; double _1; double _2; } klsym_octaves_result;
KLSYM_INLINE klsym_octaves_result klsym_octaves(double x, double y) {
    const int64_t below = 0x000fffffffffffff, unit = below + 1, gap = (int64_t) (klsym_bits(y) - klsym_bits(x));
    const int64_t steps = (gap + (gap < 0 ? below : 0)) & ~below;
    const int64_t low = steps < -1023 * unit ? -1023 * unit : steps, power = low > 1024 * unit ? 1024 * unit : low;
    return (klsym_octaves_result) {
        klsym_double(klsym_bits(y) - (uint64_t) steps), klsym_double((uint64_t) power + 0x3ff0000000000000),
        klsym_double((uint64_t) (steps >> 52) + 0x4338000000000000) - 6755399441055744.0
    };
}
KLSYM_INLINE double klsym_power_of_two(double k) { return klsym_double(klsym_bits(k + 6755399441056767.0) << 52); }
KLSYM_INLINE double klsym_scaled(double x, double k) {
    double half = floor(0.5 * k);
    return x * klsym_power_of_two(half) * klsym_power_of_two(k - half);
}
"""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}
_JUNCTION = (ast.BitAnd, ast.BitOr)
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@dataclass(frozen=True)
class Kernel:
    """A kernel or a helper of one: its tree, the constants of its module, and which of what it returns are truths."""

    tree: ast.FunctionDef
    numbers: Mapping[str, Any]
    truths: tuple[bool, ...]

    @property
    def result(self) -> str:
        return f"klsym_{self.tree.name}_result" if len(self.truths) > 1 else "double"

    @property
    def head(self) -> str:
        """Arguments that select between others are truths."""
        first = {call.args[0].id for call in _calls(self.tree, "select") if isinstance(call.args[0], ast.Name)}
        arguments = (f"{_kind(a.arg in first)} {a.arg}" for a in self.tree.args.args)
        return f"KLSYM_INLINE {self.result} klsym_{self.tree.name}({_list(arguments)})"

    @property
    def struct(self) -> str:
        fields = " ".join(f"{_kind(truth)} _{i};" for i, truth in enumerate(self.truths))
        return f"typedef struct {{ {fields} }} {self.result};\n" if len(self.truths) > 1 else ""


def text() -> str:
    """The source of a C header with every kernel.

    >>> "KLSYM_INLINE double klsym_phi(double a, double b, double d)" in text()
    True
    """
    modules = [importlib.import_module(f".{name}", __package__) for name in MODULES]
    kernels = {
        node.name: Kernel(node, vars(module), _returned_truths(node))
        for module in modules
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef)
    }
    heads = [f"{kernel.struct}{kernel.head};" for kernel in kernels.values()]
    bodies = ["\n".join([f"{kernel.head} {{", *_body(kernel, kernels), "}"]) for kernel in kernels.values()]
    return "\n".join([MACHINE, *heads, "", *bodies, ""])


def _returned_truths(function: ast.FunctionDef) -> tuple[bool, ...]:
    assigned = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _is_truth(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    value = function.body[-1].value if isinstance(function.body[-1], ast.Return) else None
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return tuple(isinstance(part, ast.Name) and part.id in assigned for part in parts)


def _body(kernel: Kernel, kernels: Mapping[str, Kernel]) -> Iterator[str]:
    declared = set[str]()

    def assignment(name: str, expression: str, truth: bool) -> str:
        kind = "" if name in declared else f"{_kind(truth)} "
        declared.add(name)
        return f"    {kind}{name} = {expression};"

    for statement, numbers in _flat(kernel.tree.body[1:], kernel.numbers):
        if isinstance(statement, ast.Return):
            assert statement.value is not None
            parts = _parts(statement.value)
            texts = [_expression(part, numbers) for part in parts]
            yield f"    return {texts[0]};" if len(texts) == 1 else f"    return ({kernel.result}) {{{_list(texts)}}};"
            continue
        assert isinstance(statement, ast.Assign)
        value, names = statement.value, [part.id for part in _parts(statement.targets[0]) if isinstance(part, ast.Name)]
        if len(names) > 1 and isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            callee, several = kernels.get(value.func.id), f"several_{names[0]}"
            truths = callee.truths if callee else [False] * len(names)
            yield f"    klsym_{value.func.id}_result {several} = {_expression(value, numbers)};"
            for i, name in enumerate(names):
                if not name.startswith("_"):
                    yield assignment(name, f"{several}._{i}", truths[i])
        else:
            for name, part in zip(names, _parts(value), strict=True):
                yield assignment(name, _expression(part, numbers), _is_truth(part))


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _kind(truth: bool) -> str:
    return "int" if truth else "double"


def _flat(body: list[ast.stmt], numbers: Mapping[str, Any]) -> Iterator[tuple[ast.stmt, Mapping[str, Any]]]:
    """The statements with loops over constants written out, each with the values of the constants."""
    for statement in body:
        if isinstance(statement, ast.For):
            assert isinstance(statement.target, ast.Name)
            for value in _constant(statement.iter, numbers):
                yield from _flat(statement.body, {**numbers, statement.target.id: value})
        else:
            yield statement, numbers


def _is_truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare) or (
        isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr))
    )


def _expression(node: ast.expr, numbers: Mapping[str, Any]) -> str:
    match node:
        case ast.Constant(value=float(value)):
            return _number(value)
        case ast.Name(id=name):
            return _number(numbers[name]) if isinstance(numbers.get(name), float) else name
        case ast.Subscript():
            return _number(_constant(node, numbers))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return f"klsym_{name}({_list(_expression(argument, numbers) for argument in arguments)})"
        case ast.UnaryOp(op=op, operand=operand):
            return f"({'-' if isinstance(op, ast.USub) else '!'}{_expression(operand, numbers)})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_expression(left, numbers)} {_BINARY[type(op)]} {_expression(right, numbers)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return f"({_expression(left, numbers)} {_COMPARE[type(op)]} {_expression(right, numbers)})"
        case _:
            raise AssertionError(ast.unparse(node))


def _constant(node: ast.expr, numbers: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(id=name):
            return numbers[name]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=ast.Constant(value=int(first)), upper=None)):
            return numbers[name][first:]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int(place))):
            return numbers[name][place]
        case _:
            raise AssertionError(ast.unparse(node))


def _number(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    literal = repr(value) if math.isfinite(value) else "INFINITY" if value > 0 else "-INFINITY"
    return f"({literal})" if value < 0 else literal


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)
