"""Running one command: parse, perform, report. The edge at which every failure becomes a message and an exit code.

Exit codes are those of ``kernel.problem``; 130 after Ctrl-C, 141 when the reader of the output went away. There is
never a stack trace: an unexpected exception gets a reference and its trace a file of that name in the state folder
(``$XDG_STATE_HOME/comity``); COMITY_DEBUG=1 prints it.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

from comity.dialects.words import COMMAND_LINE
from comity.doors.cli import catalog, clean
from comity.doors.cli.screen import Screen, write_json
from comity.kernel.problem import Internal, Invalid, Problem, Unavailable

INTERRUPTED, PIPE_CLOSED = 130, 141
_BUILT_IN = ("--help", "-h", "--version", "__complete")


def main(arguments: list[str], demo: Callable[..., int]) -> int:
    """Run the command that ``arguments`` (without the program's name) name; the exit code.

    ``demo`` plays the demo, which stands above the doors.
    """
    try:
        code = _run(arguments, demo)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the latter is what rich makes of the former
        _drop_output()
        return PIPE_CLOSED
    except Problem as problem:
        return _report(problem, arguments)
    except OSError as error:
        words = error.strerror or type(error).__name__
        return _report(Unavailable("system.failed", f"{words}.", "Check the disk and permissions."), arguments)
    except Exception as error:  # noqa: BLE001 (the edge: nothing may escape as a stack trace)
        return _report(_unexpected(error), arguments)
    return code


def _run(arguments: list[str], demo: Callable[..., int]) -> int:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:2], "--help"]
    if arguments in ([], ["--help"], ["-h"]):
        catalog.overview(Screen())
        return 0
    _check(arguments)
    from cyclopts import CycloptsError

    app = catalog.build()
    tokens = [catalog.STDIN if word == "-" else word for word in _with_program(arguments)]
    try:
        perform, bound, unparsed = app.parse_args(tokens)
    except CycloptsError as error:
        raise _usage(error, arguments) from None
    result: Any = perform(*bound.args, **bound.kwargs, **dict.fromkeys(unparsed, demo))
    return result if isinstance(result, int) else 0


def _with_program(arguments: list[str]) -> list[str]:
    """With what stands behind ``--run`` and ``--`` as the one value of ``--run``: it is another program's line."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    if "--run" not in arguments[:end] or end + 1 >= len(arguments):
        return arguments
    ours = [word for word in arguments[:end] if word != "--run"]
    return [*ours, f"--run={catalog.BETWEEN.join(arguments[end + 1 :])}"]


def _check(arguments: list[str]) -> None:
    for word in arguments:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise Invalid(
                "argument.text",
                f"An argument is not UTF-8 text: {word[:80]}",
                "Write it in UTF-8, or send text through standard input.",
            ) from None
    first = arguments[0]
    if first in catalog.ENTRIES or first in _BUILT_IN:
        return
    if first.startswith("-"):
        raise Invalid("option.unknown", f"There is no option {first!r}.", "Options follow the command: comity --help.")
    near = difflib.get_close_matches(first, catalog.ENTRIES, n=1)
    raise Invalid(
        "command.unknown",
        f"There is no command {first!r}.",
        f"Did you mean `comity {near[0]}`?" if near else "`comity --help` lists the commands.",
    )


def _usage(error: Exception, arguments: list[str]) -> Invalid:
    words = " ".join(str(error).replace(catalog.STDIN, "-").split()) or "The arguments are wrong."
    kind = type(error).__name__.removesuffix("Error").lower()
    return Invalid(f"usage.{kind}", words, f"`comity {arguments[0]} --help` shows how it is used.")


def _report(problem: Problem, arguments: list[str]) -> int:
    try:
        if "--json" in arguments[: arguments.index("--") if "--" in arguments else None]:
            write_json({"error": problem.as_dict()})
        else:
            print(f"error: {clean.line(problem.message)}", file=sys.stderr)
            if problem.hint:
                print(f"hint: {clean.line(COMMAND_LINE.say(problem.hint))}", file=sys.stderr)
        sys.stdout.flush()
    except OSError:  # there is no reader; the exit code still tells
        _drop_output()
    return problem.exit_code


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that nothing fails at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception) -> Internal:
    reference = os.urandom(4).hex()
    trace = "".join(traceback.format_exception(error))
    if os.environ.get("COMITY_DEBUG"):
        print(clean.block(trace), file=sys.stderr)
    path = _keep(reference, trace)
    hint = f"Please report it with {path}." if path else "COMITY_DEBUG=1 shows what happened."
    return Internal("internal.unexpected", f"Comity failed (reference {reference}).", hint, reference=reference)


def _keep(reference: str, trace: str) -> str | None:
    """Where the trace was written, if it could be."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    path = os.path.join(state, "comity", f"{reference}.log")
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(trace)
    except OSError:
        return None
    return path
