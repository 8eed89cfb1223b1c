"""The source of Comity as syntax: its functions, what their names stand for, and which texts an expression may be.

For pages that tell what the code can say or write. A text that only a running program knows has a placeholder in it,
``{name}``, for each part that is not written in the source.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).resolve().parent.parent / "src"
MOST_TEXTS = 12

Words = Mapping[str, tuple[str, ...]]
NOTHING: Words = {}


class Function(NamedTuple):
    """A function or method: its whole name, the module and class it stands in, its syntax."""

    name: str
    module: str
    owner: str
    node: ast.FunctionDef

    @property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it, decorators included."""
        return _nodes(self.node)

    @property
    def taken(self) -> list[str]:
        """The names of its parameters in order, without those that only take what is left over."""
        given = self.node.args
        return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


@cache
def _nodes(node: ast.FunctionDef) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(node))


class Module(NamedTuple):
    """One module: what its names stand for, the values of its constants, the functions that only load a module."""

    name: str
    tree: ast.Module
    names: dict[str, str]
    constants: dict[str, ast.expr]
    loaders: dict[str, str]


@cache
def modules() -> dict[str, Module]:
    """Every module of the package by name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {}
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names[node.name] = f"{name}.{node.name}"
        constants = dict(_assignments(tree.body))
        for one in ast.walk(tree):
            if isinstance(one, ast.ImportFrom):
                names |= {alias.asname or alias.name: f"{one.module}.{alias.name}" for alias in one.names}
            elif isinstance(one, ast.Import):
                names |= {alias.asname: alias.name for alias in one.names if alias.asname}
        loaders = dict(_loaders(tree))
        for variable, value in _assignments(ast.walk(tree)):
            match value:
                case ast.Call(ast.Name("import_module"), [ast.Constant(str() as loaded)]):
                    names[variable] = loaded
                case ast.Call(ast.Name(loader), []) if loader in loaders:
                    names[variable] = loaders[loader]
        found[name] = Module(name, tree, names, constants, loaders)
    return found


def _loaders(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Functions that do nothing but load a module, with the module."""
    for node in tree.body:
        match node:
            case ast.FunctionDef(
                name, body=[ast.Return(ast.Call(ast.Name("import_module"), [ast.Constant(str() as loaded)]))]
            ):
                yield name, loaded


def _assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Names with what is assigned to each."""
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for one, value in zip(target.elts, node.value.elts, strict=False):
                        if isinstance(one, ast.Name):
                            yield one.id, value


@cache
def functions() -> dict[str, Function]:
    """Every function and method by its whole name."""
    found = {}
    for module in modules().values():
        for node in module.tree.body:
            owner = node.name if isinstance(node, ast.ClassDef) else ""
            for one in node.body if isinstance(node, ast.ClassDef) else (node,):
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = ".".join(filter(None, (module.name, owner, one.name)))
                    found[name] = Function(name, module.name, owner, one)  # type: ignore[arg-type]
    return found


def nowhere(module: str) -> Function:
    """A place outside of functions, in which the names of a module mean what they mean there."""
    return Function("", module, "", ast.parse("def nothing(): ...").body[0])  # type: ignore[arg-type]


@cache
def calls_of() -> dict[str, list[tuple[Function, ast.Call]]]:
    """Where each function is called: in which function, and how."""
    found: dict[str, list[tuple[Function, ast.Call]]] = {}
    for function in functions().values():
        for node in function.nodes:
            if isinstance(node, ast.Call):
                found.setdefault(meant(node.func, function), []).append((function, node))
    return found


def meant(expression: ast.expr, function: Function) -> str:
    """The whole name of what a name, or a name after a dot, stands for in a function; empty when nobody can tell."""
    names = modules()[function.module].names
    if isinstance(expression, ast.Name):
        return names.get(expression.id, "")
    match expression:
        case ast.Attribute(ast.Name("self" | "cls"), name) if function.owner:
            return f"{function.module}.{function.owner}.{name}"
        case ast.Attribute(ast.Name(before), name) if before in names:
            return f"{names[before]}.{name}"
        case ast.Attribute(ast.Call() as before, name) if module := _loaded(before, function.module):
            return f"{module}.{name}"
    return ""


def _loaded(call: ast.Call, module: str) -> str:
    """The module that a call loads, or a call of the module's own function that does nothing else; empty for others."""
    match call:
        case ast.Call(ast.Name("import_module"), [ast.Constant(str() as loaded)]):
            return loaded
        case ast.Call(ast.Name(name), []) if name in modules()[module].loaders:
            return modules()[module].loaders[name]
    return ""


def arguments(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    """What a call passes to a function, by parameter; defaults included."""
    taken = function.taken
    if function.owner and taken[:1] in (["self"], ["cls"]):
        taken = taken[1:]
    node = function.node.args
    positional = [*node.posonlyargs, *node.args]
    found: dict[str, ast.expr] = {
        one.arg: value
        for one, value in zip(positional[len(positional) - len(node.defaults) :], node.defaults, strict=True)
    }
    found |= {one.arg: value for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value is not None}
    found |= dict(zip(taken, (one for one in call.args if not isinstance(one, ast.Starred)), strict=False))
    return found | {word.arg: word.value for word in call.keywords if word.arg}


def rows(function: Function) -> Iterator[Words]:
    """What the names of a loop are in each of its turns, for loops over a table that is a constant of the module."""
    for node in function.nodes:
        if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Name):
            _, table = _constant(function.module, node.iter.id) or (None, None)
            names = [one.id for one in node.target.elts if isinstance(one, ast.Name)]
            for row in table.elts if isinstance(table, ast.Tuple) else ():
                if isinstance(row, ast.Tuple) and len(row.elts) == len(names):
                    cells = {
                        name: texts(cell, nowhere(function.module)) for name, cell in zip(names, row.elts, strict=True)
                    }
                    yield {name: said for name, said in cells.items() if not any(map(is_open, said))}


def texts(expression: ast.expr, function: Function, bound: Words = NOTHING) -> tuple[str, ...]:
    """The texts that an expression may be; ``bound`` are those of the function's parameters that are known."""
    found = dict.fromkeys(_texts(expression, function, bound))
    return tuple(found)[:MOST_TEXTS]


def _texts(expression: ast.expr, function: Function, bound: Words) -> Iterator[str]:
    match expression:
        case ast.Constant(value):
            yield str(value)
        case ast.IfExp(_, one, other):
            yield from texts(one, function, bound)
            yield from texts(other, function, bound)
        case ast.BoolOp(ast.Or(), values):
            known = [text for value in values for text in texts(value, function, bound) if not is_open(text)]
            yield from known or (placeholder(expression),)
        case ast.BinOp(one, ast.Add(), other):
            parts = product(texts(one, function, bound), texts(other, function, bound))
            yield from ("".join(pair) for pair in parts)
        case ast.JoinedStr(values):
            yield from map("".join, product(*(_parts(value, function, bound) for value in values)))
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield from _named(expression, function, bound) or (placeholder(expression),)
        case _:
            yield placeholder(expression)


def _parts(expression: ast.expr, function: Function, bound: Words) -> tuple[str, ...]:
    """The texts of one part of an f-string: of names that are not bound only what is a constant of the module."""
    if not isinstance(expression, ast.FormattedValue):
        return texts(expression, function, bound)
    value = expression.value
    if isinstance(value, ast.Name) and value.id not in bound and assigned(value.id, function):
        return (placeholder(value),)
    return texts(value, function, bound)


def _named(expression: ast.expr, function: Function, bound: Words) -> tuple[str, ...]:
    """What a name, an attribute or an item may be; nothing when only a running program knows."""
    home, _, own = meant(expression, function).rpartition(".")
    if isinstance(expression, ast.Attribute) and home in modules() and (constant := _constant(home, own)):
        return texts(constant[1], constant[0])
    if isinstance(expression, ast.Name):
        if expression.id in bound:
            return bound[expression.id]
        values = assigned(expression.id, function)
        if values:
            return tuple(text for value in values for text in texts(value, function, bound))
        if expression.id in function.taken:
            return ()
        constant = _constant(function.module, expression.id)
        return texts(constant[1], constant[0]) if constant else ()
    return _looked_up(expression, function, bound)


def assigned(name: str, function: Function) -> list[ast.expr]:
    """What is assigned to a name in a function, but for what it is made of itself."""
    return _assigned_in(function).get(name, [])


@cache
def _assigned_in(function: Function) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for name, value in _assignments(function.nodes):
        if name not in _mentioned(value):
            found.setdefault(name, []).append(value)
    return found


def _mentioned(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _constant(module: str, name: str) -> tuple[Function, ast.expr] | None:
    """A constant of a module, or one that it imports, with a place in which its names mean something."""
    found = modules().get(module)
    if found is None:
        return None
    if name in found.constants:
        return nowhere(module), found.constants[name]
    home, _, own = found.names.get(name, "").rpartition(".")
    return _constant(home, own) if home and home != module else None


def _looked_up(expression: ast.expr, function: Function, bound: Words) -> tuple[str, ...]:
    """What an attribute or an item of a constant is, for each value that the names in it may have."""
    names = _mentioned(expression)
    known = {name: values for name in names if (values := bound.get(name))}
    loaded = vars(sys.modules[function.module]) if function.module in sys.modules else {}
    own = {*function.taken, *(name for name in names if assigned(name, function))} - known.keys()
    if own & names and isinstance(expression, ast.Subscript) and isinstance(expression.value, ast.Name):
        table = loaded.get(expression.value.id)
        return tuple(one for one in table.values() if isinstance(one, str)) if isinstance(table, dict) else ()
    if own & names or not all(isinstance(node, _PLAIN) for node in ast.walk(expression)):
        return ()
    found = []
    for values in product(*known.values()):
        try:
            said = eval(ast.unparse(expression), dict(loaded), dict(zip(known, values, strict=True)))
        except (NameError, AttributeError, LookupError, TypeError):
            continue
        found += [str(said)] if isinstance(said, str | int) else []
    return tuple(found)


_PLAIN = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Load)


def placeholder(expression: ast.expr) -> str:
    """How a part that only a running program knows is written."""
    return "{" + _word(expression) + "}"


def is_open(text: str) -> bool:
    """Whether a text has placeholders."""
    return "{" in text


_SHORT = {"op": "operation", "_op": "operation"}


def _word(expression: ast.expr) -> str:
    match expression:
        case ast.Name(name):
            return _SHORT.get(name, name.strip("_").replace("_", " ").lower())
        case ast.Attribute(ast.Name() | ast.Attribute() as value, "name" | "value"):
            return _word(value)
        case ast.Attribute(_, name):
            return _SHORT.get(name, name.strip("_").replace("_", " ").lower())
        case ast.Call(ast.Name("len"), _):
            return "number"
        case ast.Call(_, [first, *_]) if not isinstance(first, ast.Constant):
            return _word(first)
        case ast.Call(ast.Attribute(value, _)) | ast.Subscript(value) | ast.Starred(value):
            return _word(value)
        case ast.Call(ast.Name(name)):
            return name.strip("_").replace("_", " ")
        case ast.GeneratorExp(element) | ast.ListComp(element) | ast.IfExp(_, element):
            return _word(element)
        case ast.BinOp(left, _, right):
            return _word(right if isinstance(left, ast.Constant) else left)
        case ast.BoolOp(_, [first, *_]):
            return _word(first)
    return "…"
