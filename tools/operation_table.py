"""Finds every operation in the source, and writes what lists them: ``rooms/operations.py`` and ``api.pyi``.

Nothing of Comity is imported here: an operation that was just written is in no list yet.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
ROOMS = SOURCE / "comity" / "rooms"
DECORATORS = ("op", "long_op")


class Operation(NamedTuple):
    """One operation: its name, its effect, and the function that is its body."""

    name: str
    effect: str
    module: str
    function: str


def operations() -> list[Operation]:
    """Every operation, by module and in each as it stands there. Raises SystemExit for two of one name."""
    found = [one for path in sorted(ROOMS.rglob("*.py")) for one in _in_module(path)]
    names = [one.name for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SystemExit(f"two operations have one name: {', '.join(twice)}")
    return found


def _in_module(path: Path) -> Iterator[Operation]:
    module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in DECORATORS:
                effect = next(word.value for word in call.keywords if word.arg == "effect")
                name, said = ast.literal_eval(call.args[0]), ast.literal_eval(effect)
                assert isinstance(node, ast.FunctionDef), "only functions have decorators here"
                yield Operation(name, said, module, node.name)


def table(found: list[Operation]) -> str:
    """The text of ``rooms/operations.py``."""
    lines = [
        '"""Every operation by the module that holds it, and those that only read. Written by `make generate`."""',
        "",
        "from __future__ import annotations",
        "",
        "OPERATIONS: dict[str, tuple[str, ...]] = {",
    ]
    for module in dict.fromkeys(one.module for one in found):
        names = [f'"{one.name}",' for one in found if one.module == module]
        if len(names) == 1:  # as the formatter leaves it
            lines.append(f'    "{module}": ({names[0]}),')
        else:
            lines += [f'    "{module}": (', *(f"        {name}" for name in names), "    ),"]
    lines += ["}", "", "READS: tuple[str, ...] = ("]
    lines += [f'    "{name}",' for name in sorted(one.name for one in found if one.effect == "read")]
    return "\n".join([*lines, ")", ""])


_HEAD = '''\
"""The types of ``api.py``: every operation as a method of its noun. Written by `make generate`."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from comity.kernel.op import Op
'''
_METHODS = '''
P = ParamSpec("P")
R = TypeVar("R")

class Calls(Protocol):
    """Whatever runs an operation by name."""

    def call(self, name: str, arguments: Mapping[str, object], /) -> Any: ...

class Noun:
    """The operations on one kind of thing."""

    calls: Calls
    def __init__(self, calls: Calls) -> None: ...

class Method(Generic[P, R]):
    """An operation as a method of its noun."""

    def __init__(self, op: Op[P, R]) -> None: ...
    @overload
    def __get__(self, noun: None, owner: type) -> Method[P, R]: ...
    @overload
    def __get__(self, noun: Noun, owner: type) -> Callable[P, R]: ...
'''


def stub(found: list[Operation]) -> str:
    """The text of ``api.pyi``."""
    lines = [_HEAD.rstrip()]
    for module in sorted({one.module for one in found}):
        package, _, name = module.rpartition(".")
        lines.append(f"from {package} import {name} as {_alias(module)}")
    lines.append(_METHODS.rstrip())
    nouns = sorted({one.name.partition(".")[0] for one in found})
    for noun in nouns:
        lines += ["", f"class {_class(noun)}(Noun):", f'    """The operations ``{noun}.*``."""', ""]
        for one in found:
            if one.name.partition(".")[0] == noun:
                lines.append(f"    {one.name.partition('.')[2]} = Method({_alias(one.module)}.{one.function})")
    lines += ["", "class Nouns:", '    """The operations by noun, as a workspace has them."""', ""]
    lines += [f"    {noun}: {_class(noun)}" for noun in nouns]
    return "\n".join([*lines, ""])


def _alias(module: str) -> str:
    return "_".join(module.split(".")[2:])


def _class(noun: str) -> str:
    return "".join(part.capitalize() for part in noun.split("_")) + "Calls"


def files() -> dict[Path, str]:
    """Both files with their texts."""
    found = operations()
    return {ROOMS / "operations.py": table(found), SOURCE / "comity" / "api.pyi": stub(found)}
