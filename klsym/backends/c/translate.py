"""The small language of kernels, and that of double-double, as C99: one function at a time, with types inferred.

A type is "double", "int", "bool" or a tuple of these, which is a struct. A tuple of two doubles is also what
double-double calls a pair.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .words import DOUBLE, INT, PAIR, TABLE, TRUTH, Type, bare, commented, number, safe, struct, wrapped

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.BitOr: "|", ast.Mod: "%",
}  # fmt: skip
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_LOGIC: dict[type[ast.boolop], str] = {ast.And: "&&", ast.Or: "||"}
_RENAMED = {"abs": "absolute", "max": "larger"}


@dataclass(frozen=True)
class Function:
    """A translated function: its name in C, its text, the types of its arguments and result, and what it needs.

    `needs` are names in C of functions and of tables, `structs` the types that it uses, parts first.
    """

    name: str
    text: str
    arguments: tuple[Type, ...]
    result: Type
    needs: tuple[str, ...]
    structs: tuple[Type, ...]


# What a name means where it is called: a function in C, or none.
Resolve = Callable[[str], Function | None]


@dataclass
class Translator:
    """One function on its way: `numbers` are the constants of its module, `resolve` knows what it calls."""

    tree: ast.FunctionDef
    numbers: Mapping[str, Any]
    resolve: Resolve
    qualifier: str = "static inline"
    known: dict[str, tuple[str, Type]] = field(default_factory=dict)
    hoisted: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    structs: list[Type] = field(default_factory=list)
    result: Type = None
    taken: set[str] = field(default_factory=set)

    def translate(self, name: str, types: Mapping[str, Type] | None = None, tables: str = "") -> Function:
        """The function under a name in C; `types` are those of arguments that are known, `tables` names its tables."""
        self.tables = tables
        names = [a.arg for a in self.tree.args.args]
        kinds = tuple((types or {}).get(n) or self._kind_of(n) for n in names)
        arguments = []
        for argument, kind in zip(names, kinds, strict=True):
            self.known[argument] = (self._fresh(argument), kind)
            shown = self.known[argument][0]
            arguments.append(f"const double {shown}[][2]" if kind == TABLE else f"{self._struct(kind)} {shown}")
        doc = ast.get_docstring(self.tree)
        body = list(self._block(self.tree.body[1:] if doc else self.tree.body, 1))
        about = [f"/* {commented(' '.join(doc.split()))} */"] if doc else []
        read = {node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name)}
        unread = [f"    (void) {self.known[n][0]};" for n in names if n not in read]
        head = f"{self.qualifier} {self._struct(self.result)} {name}({', '.join(arguments) or 'void'})"
        lines = [*about, f"{head} {{", *(f"    {line}" for line in self.hoisted), *unread, *body, "}"]
        text = "\n".join(part for line in lines for part in wrapped(line))
        return Function(name, text, kinds, self.result, tuple(dict.fromkeys(self.needs)), tuple(self.structs))

    def _kind_of(self, argument: str) -> Type:
        """The type that the uses of an argument show; a double where they show none."""

        names = {argument}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                for target, value in zip(_parts(node.targets[0]), _parts(node.value), strict=False):
                    if isinstance(value, ast.Name) and value.id in names and isinstance(target, ast.Name):
                        names.add(target.id)

        def is_it(node: ast.AST | None) -> bool:
            return isinstance(node, ast.Name) and node.id in names

        found: Type = DOUBLE
        for node in ast.walk(self.tree):
            match node:
                case ast.Subscript(value=value, slice=place) if is_it(value):
                    return TABLE if isinstance(place, ast.Tuple) else PAIR
                case ast.Call(func=ast.Name(id="range"), args=ends):
                    if any(is_it(inner) for end in ends for inner in ast.walk(end) if not isinstance(end, ast.Call)):
                        found = INT
                case ast.Call(func=ast.Name(id="select"), args=[first, *_]) if is_it(first):
                    return TRUTH
                case ast.Call(func=ast.Name(id=name), args=given) if name not in ("select", "range"):
                    callee = self.resolve(name)
                    for place, value in enumerate(given):
                        if callee and is_it(value) and callee.arguments[place] != DOUBLE:
                            return callee.arguments[place]
                case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.Mod(), right=right):
                    if is_it(left) or is_it(right):
                        return INT if isinstance(right, ast.Constant) else TRUTH
                case ast.IfExp(test=test) | ast.If(test=test) if is_it(test):
                    return TRUTH
                case _:
                    pass
        return found

    def _struct(self, kind: Type) -> str:
        if isinstance(kind, tuple) and kind not in self.structs:
            for part in kind:
                self._struct(part)
            self.structs.append(kind)
        return struct(kind)

    def _fresh(self, name: str) -> str:
        """A name in C that is not in use."""
        name = safe(name)
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    # Statements

    def _block(self, body: Iterable[ast.stmt], level: int) -> Iterator[str]:
        pad = "    " * level
        for statement in body:
            match statement:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from self._assign(target, value, level)
                case ast.AugAssign(target=target, op=op, value=value):
                    read = ast.parse(ast.unparse(target), mode="eval").body
                    yield from self._assign(target, ast.BinOp(read, op, value), level)
                case ast.Return(value=value) if value is not None:
                    text, self.result = self._expression(value)
                    yield f"{pad}return {text};"
                case ast.If(test=test, body=inner, orelse=other):
                    yield f"{pad}if ({bare(self._expression(test)[0])}) {{"
                    yield from self._block(inner, level + 1)
                    if other:
                        yield f"{pad}}} else {{"
                        yield from self._block(other, level + 1)
                    yield f"{pad}}}"
                case ast.While(test=test, body=inner):
                    yield f"{pad}while ({bare(self._expression(test)[0])}) {{"
                    yield from self._block(inner, level + 1)
                    yield f"{pad}}}"
                case ast.For(target=ast.Name(id=name), iter=ast.Call(args=ends), body=inner):
                    yield from self._counted(name, ends, inner, level)
                case ast.For(target=ast.Name(id=name), iter=constants, body=inner):
                    outer = self.numbers
                    for value in _constant(constants, outer):
                        self.numbers = {**outer, name: float(value)}
                        yield from self._block(inner, level)
                    self.numbers = outer
                case _:
                    raise AssertionError(ast.unparse(statement))

    def _counted(self, name: str, ends: list[ast.expr], body: list[ast.stmt], level: int) -> Iterator[str]:
        """A loop over a range."""
        texts = [bare(self._expression(end)[0]) for end in ends]
        start, stop = ("0", texts[0]) if len(texts) == 1 else texts[:2]
        down = len(texts) == 3
        assert not down or texts[2] == "-1"
        before, counter = self.known.get(name), self._fresh("i" if name == "_" else name)
        self.known[name] = (counter, INT)
        pad, end = "    " * level, self._fresh("end")
        yield (
            f"{pad}for (int {counter} = {start}, {end} = {stop}; {counter} {'>' if down else '<'} {end}; "
            f"{counter}{'--' if down else '++'}) {{"
        )
        yield from self._block(body, level + 1)
        yield f"{pad}}}"
        self.taken -= {counter, end}
        del self.known[name]
        if before:
            self.known[name] = before

    def _assign(self, target: ast.expr, value: ast.expr, level: int) -> Iterator[str]:
        names = [part.id for part in _parts(target) if isinstance(part, ast.Name)]
        if len(names) == 1:
            yield self._set(names[0], *self._expression(value), level)
        elif isinstance(value, ast.Tuple):
            # One after another: none may be read after it was set.
            for k, (name, part) in enumerate(zip(names, value.elts, strict=True)):
                later = (inner for rest in value.elts[k + 1 :] for inner in ast.walk(rest))
                assert not any(isinstance(inner, ast.Name) and inner.id == name for inner in later), ast.unparse(value)
                yield self._set(name, *self._expression(part), level)
        else:
            text, kind = self._expression(value)
            both = self._fresh("both")
            yield f"{'    ' * level}{self._struct(kind)} {both} = {bare(text)};"
            for k, (name, part) in enumerate(zip(names, kind, strict=True)):
                if not name.startswith("_"):
                    yield self._set(name, f"{both}._{k}", part, level)

    def _set(self, name: str, text: str, kind: Type, level: int) -> str:
        pad, text = "    " * level, bare(text)
        if name in self.known and self.known[name][1] == kind:
            return f"{pad}{self.known[name][0]} = {text};"
        assert level == 1 or name not in self.known, f"{name} changes its type in a branch"
        shown = self._fresh(name)
        self.known[name] = (shown, kind)
        if level == 1:
            return f"{pad}{self._struct(kind)} {shown} = {text};"
        self.hoisted.append(f"{self._struct(kind)} {shown};")
        return f"{pad}{shown} = {text};"

    # Expressions: text and type

    def _expression(self, node: ast.expr) -> tuple[str, Type]:
        match node:
            case ast.Constant(value=value):
                if isinstance(value, bool):
                    return str(value).lower(), TRUTH
                return (number(value), DOUBLE) if isinstance(value, float) else (str(value), INT)
            case ast.Name(id=name):
                return self.known[name] if name in self.known else self._number(name)
            case ast.Attribute(value=ast.Name(id="np"), attr=name):
                return number(getattr(np, name)), DOUBLE
            case ast.Subscript(value=value, slice=place):
                return self._part(value, place)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, [self._expression(argument) for argument in arguments])
            case ast.Tuple(elts=[part]):
                return self._expression(part)
            case ast.Tuple(elts=parts):
                found = [self._expression(part) for part in parts]
                kinds = tuple(kind for _, kind in found)
                kinds = PAIR if kinds in ((INT, DOUBLE), (DOUBLE, INT)) and self._paired(node) else kinds
                return f"{self._struct(kinds)}_of({', '.join(bare(text) for text, _ in found)})", kinds
            case ast.UnaryOp(op=op, operand=operand):
                text, kind = self._expression(operand)
                return (f"(-{text})", kind) if isinstance(op, ast.USub) else (f"(!{text})", TRUTH)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self._power(left, right)
            case ast.BinOp(left=left, op=op, right=right):
                (a, first), (b, second) = self._expression(left), self._expression(right)
                kind = first if first == second != DOUBLE and not isinstance(op, ast.Div) else DOUBLE
                return f"({a} {_BINARY[type(op)]} {b})", kind
            case ast.BoolOp(op=op, values=values):
                texts = [self._expression(value)[0] for value in values]
                return f"({f' {_LOGIC[type(op)]} '.join(texts)})", TRUTH
            case ast.Compare(left=left, ops=ops, comparators=others):
                texts = [self._expression(side)[0] for side in (left, *others)]
                tests = [f"{texts[k]} {_COMPARE[type(op)]} {texts[k + 1]}" for k, op in enumerate(ops)]
                return f"({tests[0]})" if len(tests) == 1 else f"({' && '.join(f'({test})' for test in tests)})", TRUTH
            case ast.IfExp(test=test, body=body, orelse=other):
                (condition, _), (a, kind), (b, _) = map(self._expression, (test, body, other))
                return f"({condition} ? {a} : {b})", kind
            case _:
                raise AssertionError(ast.unparse(node))

    def _paired(self, node: ast.Tuple) -> bool:
        """Whether a tuple of a number and 0 is one in double-double: the tail is written out."""
        return isinstance(node.elts[1], ast.Constant)

    def _number(self, name: str) -> tuple[str, Type]:
        value = self.numbers[name]
        if isinstance(value, np.ndarray):
            self.needs.append(f"{self.tables}{name}")
            return f"{self.tables}{name}", TABLE
        if isinstance(value, tuple):
            return f"{self._struct(PAIR)}_of({number(value[0])}, {number(value[1])})", PAIR
        return (str(value), INT) if isinstance(value, int) else (number(value), DOUBLE)

    def _part(self, value: ast.expr, place: ast.expr) -> tuple[str, Type]:
        if isinstance(value, ast.Tuple) and isinstance(place, ast.Constant):
            return self._expression(value.elts[ast.literal_eval(place)])
        if isinstance(value, ast.Name) and value.id not in self.known and isinstance(self.numbers[value.id], tuple):
            return number(_constant(ast.Subscript(value, place), self.numbers)), DOUBLE
        text, kind = self._expression(value)
        if kind == TABLE:
            assert isinstance(place, ast.Tuple)
            row, column = (bare(self._expression(index)[0]) for index in place.elts)
            return f"{text}[{row}][{column}]", DOUBLE
        k = ast.literal_eval(place)
        return f"{text}._{k}", kind[k]

    def _power(self, left: ast.expr, right: ast.expr) -> tuple[str, Type]:
        """A constant, or a call: a whole exponent is taken of numbers of either sign."""
        arguments = [self._expression(left), self._expression(right)]
        match left, right:
            case ast.Constant(value=float(base)), ast.Constant(value=int(exponent)):
                return number(base**exponent), DOUBLE
            case ast.Constant(value=float(base)), ast.UnaryOp(operand=ast.Constant(value=int(exponent))):
                return number(base**-exponent), DOUBLE
            case _:
                return self._call("power" if arguments[1][1] == INT else "pow", arguments)

    def _call(self, name: str, arguments: list[tuple[str, Type]]) -> tuple[str, Type]:
        texts = [bare(text) for text, _ in arguments]
        if name in ("int", "float"):
            return f"({name.replace('float', 'double')}) {arguments[0][0]}", INT if name == "int" else DOUBLE
        if name.lstrip("_") == "select" and arguments[1][1] == PAIR:
            return f"({arguments[0][0]} ? {texts[1]} : {texts[2]})", PAIR
        found = self.resolve(_RENAMED.get(name, name))
        assert found, name
        self.needs.append(found.name)
        self._struct(found.result)
        return f"{found.name}({', '.join(texts)})", found.result


def _parts(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]


def _constant(node: ast.expr, numbers: Mapping[str, Any]) -> Any:
    """The value of NAME, NAME[1] or NAME[1:]."""
    match node:
        case ast.Name(id=name):
            return numbers[name]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=ast.Constant(value=int(first)), upper=None)):
            return numbers[name][first:]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int(place))):
            return numbers[name][place]
        case _:
            raise AssertionError(ast.unparse(node))
