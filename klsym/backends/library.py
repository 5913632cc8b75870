"""Definitions by name, read from source files: a generated module holds a copy of those it needs."""

from __future__ import annotations

import ast
import importlib
import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
_KERNELS = (
    "elementary", "hyperbolic", "gamma", "rests", "bessel", "logits", "logits_single", "dirichlet", "probabilities",
)  # fmt: skip
_SINGLE = ("logits_single",)  # those whose numbers are of single precision
_PAIRS = ("coefficients", "arithmetic", "elementary", "gamma", "special")
_SUMS = ("two_sum", "normal", "plus", "minus", "times", "over")  # of pairs of doubles
_SEALS = frozenset({"_sealed", "_product"})
_NUMBA = '@njit(error_model="numpy", forceinline=True)'
_NUMBA_KEPT = '@njit(error_model="numpy", cache=True)'


class Definition(NamedTuple):
    """The source of a top-level statement and the names in it; of a kernel that is to be translated, its module."""

    source: str
    uses: frozenset[str]
    module: str = ""

    @property
    def text(self) -> str:
        return _translated(self.source, self.module) if self.module else self.source


@cache
def kernels() -> frozenset[str]:
    """The primitives that have a kernel."""
    trees = (ast.parse(text) for module in _KERNELS if (text := _read(f"kernels/{module}.py")))
    return frozenset(node.name for tree in trees for node in _functions(tree) if not node.name.startswith("_"))


@cache
def numpy_library() -> dict[str, Definition]:
    """What NumPy modules copy: the kernels with their machine functions and numbers as they stand, and what is SciPy's.

    Every name of the kernels gets one underscore in front: a program's arguments begin with a letter.
    """
    found = _definitions(_prefixed(_read("numpy_primitives.py"), frozenset()))
    for module in ("machine", "coefficients", *_KERNELS):
        source = _read(f"kernels/{module}.py")
        found |= _definitions(_prefixed(source, _names(source)))
    return found


@cache
def torch_library() -> dict[str, Definition]:
    """What torch modules copy: the kernels as they stand, torch's machine functions, and what differentiates."""
    return _kernels_with("torch_library.py")


@cache
def array_api_library() -> dict[str, Definition]:
    """What array-API modules copy: the kernels as they stand, machine functions by arithmetic, and SciPy's by name."""
    return _kernels_with("array_api_library.py")


def _kernels_with(file: str) -> dict[str, Definition]:
    """What a file defines, and the kernels that it does not define in its own way."""
    own = _definitions(_read(file))
    return {**own, **{name: found for name, found in numpy_library().items() if name not in own}}


@cache
def jax_library() -> dict[str, Definition]:
    """What JAX modules copy: the kernels, sealed where XLA would round otherwise, and what jax_library.py has."""
    own = _definitions(_read("jax_library.py"))
    compensated = {"_product_tail", "_sum_tail"}
    found = {name: d for name, d in numpy_library().items() if name not in own}
    return own | {
        name: d._replace(source=_sealed(d.source, bool(d.uses & compensated)), uses=d.uses | _SEALS)
        for name, d in found.items()
    }


@cache
def array_library(target: str) -> dict[str, Definition]:
    """What modules for arrays copy, of the target numpy, torch or jax: the portable kernels and what they call."""
    base = {"numpy": numpy_library, "torch": torch_library, "jax": jax_library}[target]()
    pairs = _definitions(_prefixed(source := _read("double_double/arithmetic.py"), _names(source)))
    machine = _read("portable/machine.py")
    own = _prefixed(machine, _names(machine)) if target == "numpy" else _read(f"portable/{target}_library.py")
    found = base | {f"_{name}": pairs[f"_{name}"] for name in _SUMS} | _definitions(own)
    if target == "jax":
        found |= {
            n: d._replace(source=_sealed(d.source, True), uses=d.uses | _SEALS)
            for n, d in found.items()
            if n[1:] in _SUMS
        }
    source = _read("portable/kernels.py")
    return found | _definitions(_prefixed(source, _names(source))) | _definitions(_read("portable/textbook_library.py"))


@cache
def numba_library() -> dict[str, Definition]:
    """What numba modules copy: the machine functions, and the kernels with loops unrolled and numbers written out."""
    found = _definitions(_read("machine_numba.py"))
    for module in _KERNELS:
        source = _read(f"kernels/{module}.py")
        names = _names(source)
        for function in _functions(ast.parse(source)):
            used = {f"_{n.id}" for n in ast.walk(function) if isinstance(n, ast.Name) and n.id in names}
            text = "\n".join(source.splitlines()[function.lineno - 1 : function.end_lineno])
            found[f"_{function.name}"] = Definition(text, frozenset(used | {"njit", "np"}), module)
    return found


@cache
def _translated(source: str, module: str) -> str:
    """A kernel as numba takes it: loops unrolled, numbers written out."""
    (function,) = _functions(ast.parse(source))
    function.body = _unrolled(function.body, vars(importlib.import_module(f".kernels.{module}", __package__)))
    if module in _SINGLE:
        function.body = [_Single().visit(statement) for statement in function.body]
    return f"{_NUMBA}\n{_prefixed(ast.unparse(function), _names(_read(f'kernels/{module}.py')))}"


@cache
def pair_library() -> dict[str, Definition]:
    """The machine functions and the primitives in double-double, for numba: functions of their own, kept compiled."""
    found = _definitions(_read("machine_numba.py"))
    for module in _PAIRS:
        source = _read(f"double_double/{module}.py")
        text = _prefixed(source, _names(source))
        found |= _definitions(re.sub(r"^def ", f"{_NUMBA_KEPT}\ndef ", text, flags=re.MULTILINE))
    return found


def _sealed(source: str, compensated: bool) -> str:
    """A kernel as XLA has to take it: what it would merge with other operations is sealed, see jax_library.py.

    XLA adds up constants and merges quotients; in a compensated function every rounding counts.
    """
    (node,) = ast.parse(source).body
    return ast.unparse(_Sealing(compensated).visit(node)) if isinstance(node, ast.FunctionDef) else source


def needed(library: Mapping[str, Definition], names: Iterable[str]) -> list[str]:
    """The texts of the definitions with these names and of all that they use, in the library's order."""
    waiting, wanted = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in library and name not in wanted:
            wanted.add(name)
            waiting.extend(library[name].uses)
    return list(dict.fromkeys(library[name].text for name in library if name in wanted))


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def _read(path: str) -> str:
    file = _HERE / path
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _definitions(source: str) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    lines = source.splitlines()
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        uses = frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
        for name in _bound(node):
            found[name] = Definition("\n".join(lines[first - 1 : node.end_lineno]), uses)
    return found


def _bound(node: ast.stmt) -> list[str]:
    """The names that a top-level statement binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)]


def _prefixed(source: str, names: frozenset[str]) -> str:
    """The source without its imports and doctests, an underscore before each of the names."""
    tree = ast.parse(source)
    places = [(n.lineno, n.col_offset) for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in names]
    places += [(n.lineno, n.col_offset + len("def ")) for n in _functions(tree) if n.name in names]
    lines = [line.encode() for line in source.splitlines()]
    for line, column in sorted(places, reverse=True):
        lines[line - 1] = lines[line - 1][:column] + b"_" + lines[line - 1][column:]
    body = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    text = b"\n".join(line for node in body for line in lines[node.lineno - 1 : node.end_lineno]).decode()
    return re.sub(r'\n\s*\n *>>> .*?(?=""")', "", text, flags=re.DOTALL)


def _names(source: str) -> frozenset[str]:
    """What the top level of a kernels' module binds or takes from a sibling."""
    return frozenset(n for node in ast.parse(source).body if not isinstance(node, ast.Import) for n in _bound(node))


def _unrolled(body: list[ast.stmt], numbers: Mapping[str, Any]) -> list[ast.stmt]:
    """The statements with each loop over constants written out, and each constant as a number."""
    result: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.For):
            assert isinstance(statement.target, ast.Name)
            for value in _constant(statement.iter, numbers):
                bound = {**numbers, statement.target.id: value}
                result += _unrolled([_copy(inner) for inner in statement.body], bound)
        else:
            result.append(_Literals(numbers).visit(_copy(statement)))
    return result


def _constant(node: ast.expr, numbers: Mapping[str, Any]) -> Any:
    """The value of NAME, NAME[1] or NAME[1:]."""
    if isinstance(node, ast.Name):
        return numbers[node.id]
    assert isinstance(node, ast.Subscript)
    if isinstance(node.slice, ast.Slice):
        ends = [end and ast.literal_eval(end) for end in (node.slice.lower, node.slice.upper)]
        return _constant(node.value, numbers)[slice(*ends)]
    return _constant(node.value, numbers)[ast.literal_eval(node.slice)]


def _copy(node: ast.stmt) -> ast.stmt:
    return ast.parse(ast.unparse(node)).body[0]


class _Literals(ast.NodeTransformer):
    """Names of numbers become the numbers, ~ of a truth value becomes not."""

    def __init__(self, numbers: Mapping[str, Any]) -> None:
        self.numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.numbers.get(node.id)
        return _number(value) if isinstance(node.ctx, ast.Load) and isinstance(value, (int, float)) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return _number(_constant(node, self.numbers))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Not(), node.operand) if isinstance(node.op, ast.Invert) else node


class _Sealing(ast.NodeTransformer):
    """Sums with a constant and quotients are sealed; of a compensated function all sums, and products."""

    def __init__(self, compensated: bool) -> None:
        self.compensated = compensated

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        constant = any(isinstance(x, ast.Constant) or ast.unparse(x).isupper() for x in (node.left, node.right))
        if isinstance(node.op, ast.Mult) and self.compensated:
            return _call("_product", node.left, node.right)
        if isinstance(node.op, ast.Div) or (isinstance(node.op, (ast.Add, ast.Sub)) and (self.compensated or constant)):
            return _call("_sealed", node)
        return node


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class _Single(ast.NodeTransformer):
    """Numbers become numbers of single precision: beside a double numba would compute in doubles."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.parse(f"np.float32({node.value!r})", mode="eval").body if isinstance(node.value, float) else node


def _number(value: float) -> ast.expr:
    text = repr(float(value)) if math.isfinite(value) else f"np.{float(value)!r}".replace("np.-", "-np.")
    return ast.parse(text, mode="eval").body
