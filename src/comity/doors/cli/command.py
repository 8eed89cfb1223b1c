"""Making a command of operations: options, types, bounds and texts come from the operations' signatures.

A command names the operations it is made of, which of their arguments are positional, renamed or left to itself, and
how its answer looks. What ``command`` returns is a function whose signature the parser reads.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from comity.doors.cli.invocation import Demo, Globals, Invocation
from comity.doors.cli.screen import Screen, write_json
from comity.kernel.argument import Number, Text
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.shape import Choice, Fields, Flag, Integer, Nullable, Sequence, Shape
from comity.kernel.signature import parameters
from comity.rooms import REGISTRY

Values = dict[str, Any]
Run = Callable[[Invocation, Values], Any]
Show = Callable[[Screen, Any], None]
Needs = Literal["nothing", "project", "agent"]


class Option(NamedTuple):
    """An option, or a positional argument, that no operation declares. Without a default it is required."""

    name: str
    kind: Any
    doc: str
    default: Any = inspect.Parameter.empty
    flags: tuple[str, ...] = ()
    positional: bool = False


JSON = Option("json", bool, "Answer one JSON document, errors too.", default=False)
PROJECT = (
    Option("db", str | None, "The database file.", default=None),
    Option("project_id", str | None, "The project, by id: its database in the home folder.", default=None),
    Option("durability", Literal["normal", "full"] | None, "full: a sync for every commit.", default=None),
)
AGENT = (
    Option("agent", str | None, "Act as this agent instead of cli-USER.", default=None, flags=("--as",)),
    Option("take_over", bool, "Act as the agent even if it is active elsewhere.", default=False),
)
_EXTRAS: Mapping[Needs, tuple[Option, ...]] = {"nothing": (), "project": PROJECT, "agent": (*AGENT, *PROJECT)}


def command(
    run: Run,
    *,
    show: Show | None = None,
    ops: tuple[str, ...] = (),
    positional: tuple[str, ...] = (),
    omit: tuple[str, ...] = (),
    flags: Mapping[str, str] | None = None,
    options: tuple[Option, ...] = (),
    needs: Needs = "agent",
    doc: str = "",
    example: str,
    program: Callable[[Any], Any] | None = None,
    code: Callable[[Any], int] | None = None,
) -> Callable[..., int]:
    """A function for the parser: it answers the exit code.

    ``run`` gets the values that were given (operations' defaults stay theirs) and answers what ``show`` sets for
    people and ``--json`` prints, through ``program`` if there is one. None or an exit code when it has answered itself.
    ``code`` tells the exit code from an answer.
    """
    found = {option.name: option for name in ops for option in _of_operation(name, positional, flags or {}, options)}
    own = [option for name, option in found.items() if name not in omit]
    taken = [*(o for o in (*options, *own) if o.positional), *(o for o in (*options, *own) if not o.positional)]
    listed = [*taken, JSON, *_EXTRAS[needs]]
    parameters = [_parameter(option) for option in listed]
    parameters.append(
        inspect.Parameter("demo", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[Any, Parameter(parse=False)])
    )
    signature = inspect.Signature(parameters)
    names = {option.name for option in taken}

    def perform(*args: Any, **kwargs: Any) -> int:
        bound = signature.bind(*args, **kwargs).arguments
        demo: Demo = bound.pop("demo")
        chosen = Globals(**{name: value for name, value in bound.items() if name not in names})
        with Invocation(demo, chosen) as invocation:
            result = run(invocation, {name: value for name, value in bound.items() if name in names})
        if result is None or isinstance(result, int):
            return result or 0
        answer(program(result) if program is not None and chosen.json else result, show, chosen.json)
        return code(result) if code is not None else 0

    summary = doc or (REGISTRY.get(ops[0]).doc if ops else "")
    perform.__doc__ = f"{_prose(summary, set(found))}\n\nExample: {example}"
    perform.__signature__ = signature  # type: ignore[attr-defined]
    perform.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return perform


def answer(result: Any, show: Show | None, as_json: bool) -> None:
    """Print a result for a program, or for people."""
    if as_json or show is None:
        write_json(result)
    else:
        show(Screen(), result)


def _of_operation(
    name: str, positional: tuple[str, ...], flags: Mapping[str, str], taken: tuple[Option, ...]
) -> list[Option]:
    """The options that an operation's arguments are, but those that the command declares itself."""
    op = REGISTRY.get(name)
    own = {option.name for option in taken}
    return [
        Option(
            argument.name,
            plain(argument.shape),
            describe(argument.shape),
            inspect.Parameter.empty if argument.required else argument.default,
            (flags[argument.name],) if argument.name in flags else (),
            argument.name in positional,
        )
        for argument in parameters(op)
        if argument.name not in own
    ]


def _parameter(option: Option) -> inspect.Parameter:
    marks: dict[str, Any] = {"help": option.doc}
    if option.flags:
        marks["name"] = option.flags
    if option.positional:
        marks["name"] = ()
    if option.default is False:
        marks.update(negative=(), show_default=False)
    if option.default is None or option.default == "":
        marks["show_default"] = False
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if option.positional else inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(
        option.name, kind, default=option.default, annotation=Annotated[option.kind, Parameter(**marks)]
    )


def plain(shape: Shape) -> Any:
    """The Python type of an argument for the parser, without bounds: those are checked by the operation."""
    match shape:
        case Text():
            return str
        case Integer():
            return int
        case Number():
            return float
        case Flag():
            return bool
        case Choice(options):
            return Literal[options]
        case Sequence(item):
            return list[plain(item)]  # type: ignore[misc]
        case Nullable(inner):
            return plain(inner) | None
        case Fields(kind):
            return kind
    return Any


def describe(shape: Shape) -> str:
    """What an argument means, with its bounds."""
    bounds = _bounds(shape)
    return f"{shape.doc.rstrip('.')} ({bounds})." if bounds else shape.doc


def _bounds(shape: Shape) -> str:
    match shape:
        case Integer(_, float() | int() as least, float() | int() as most) | Number(
            _, float() | int() as least, float() | int() as most
        ):
            return f"{least:,} to {most:,}"
        case Text(_, _, int() as most) if most > 1000:
            return f"at most {most:,} characters"
        case Sequence(_, _, _, int() as most):
            return f"repeatable, at most {most}"
        case Nullable(inner):
            return _bounds(inner)
    return ""


def _prose(doc: str, arguments: set[str]) -> str:
    """A docstring for the terminal: without references to the protocol, arguments named as options."""

    def spoken(found: re.Match[str]) -> str:
        word = found.group(1)
        return "--" + word.replace("_", "-") if word in arguments else word

    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(doc).split("\n\n")]
    text = re.sub(r"\s*\((?:MACP|protocol reference|reference)[^)]*\)", "", "\n\n".join(paragraphs))
    return re.sub(r"``([a-z_]+)``", spoken, text)
