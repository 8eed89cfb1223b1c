"""Making a command of operations: options, types, bounds and texts come from the operations' signatures.

A command names the operations it is made of, which of their arguments are positional, renamed or left to itself, and
how its answer looks. What ``command`` returns is a function whose signature the parser reads.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Parameter

from comity.doors.cli.invocation import Demo, Globals, Invocation
from comity.doors.cli.screen import Screen, write_json
from comity.kernel.argument import Items, Number, Text
from comity.kernel.named_tuple import NamedTuple
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
            plain(argument.annotation),
            describe(argument.annotation),
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


def plain(annotation: Any) -> Any:
    """An operation's type without bounds: those are checked by the operation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return plain(get_args(annotation)[0])
    if origin is list:
        return list[plain(get_args(annotation)[0])]  # type: ignore[misc]
    if origin in (Union, UnionType):
        return Union[tuple(plain(part) for part in get_args(annotation))]  # noqa: UP007 (built at run time)
    return annotation


def describe(annotation: Any) -> str:
    """What an argument means, with its bounds."""
    if get_origin(annotation) in (Union, UnionType):
        return next(describe(part) for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is not Annotated:
        return ""
    marks = get_args(annotation)[1:]
    doc = next((mark.doc for mark in marks if getattr(mark, "doc", "")), "")
    bounds = next((text for mark in marks if (text := _bounds(mark))), "")
    return f"{doc.rstrip('.')} ({bounds})." if bounds else doc


def _bounds(mark: object) -> str:
    if isinstance(mark, Number) and mark.ge is not None and mark.le is not None:
        return f"{mark.ge:,} to {mark.le:,}"
    if isinstance(mark, Text) and mark.max is not None and mark.max > 1000:
        return f"at most {mark.max:,} characters"
    if isinstance(mark, Items) and mark.max is not None:
        return f"repeatable, at most {mark.max}"
    return ""


def _prose(doc: str, arguments: set[str]) -> str:
    """A docstring for the terminal: without references to the protocol, arguments named as options."""

    def spoken(found: re.Match[str]) -> str:
        word = found.group(1)
        return "--" + word.replace("_", "-") if word in arguments else word

    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(doc).split("\n\n")]
    text = re.sub(r"\s*\((?:MACP|protocol reference|reference)[^)]*\)", "", "\n\n".join(paragraphs))
    return re.sub(r"``([a-z_]+)``", spoken, text)
