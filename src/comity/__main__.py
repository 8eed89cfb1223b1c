"""The command ``comity``. ``mcp`` is looked for first: a server starts without loading the command line."""

from __future__ import annotations

import gc
import os
import sys

from comity.kernel.hints import Any

_COLLECT_AFTER = 20_000  # objects: a start makes many that stay, and looking through them again finds nothing


def main() -> int:
    """Run the command that the program's arguments name; the exit code."""
    if not sys.flags.isolated:
        _look_there_last()
    return run(sys.argv[1:])


def _look_there_last() -> None:
    """What the environment and the working folder bring comes last in the path: a project's ``json.py`` is not ours.

    It stays in it: where Comity was put next to other programs, its own parts are found there.
    """
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    try:
        strange = {"", *(os.path.abspath(entry) for entry in (os.curdir, *named))}
    except OSError:  # the working folder is gone
        strange = {"", *named}
    sys.path.sort(key=strange.__contains__)


def run(arguments: list[str], data: bytes = b"", *, ended: bool = False, asked: bool = False) -> int:
    """Run a command; the exit code. ``data`` was read of standard input already, all of it if ``ended``.

    ``asked``: no living server does a hook's work.
    """
    try:
        if arguments[:1] == ["mcp"] and any(word.partition("=")[0] == "--url" for word in arguments):
            from comity.doors.bridge.bridge import main as bridge

            return bridge(arguments[1:])
        if arguments[:1] in (["mcp"], ["server"]):
            gc.set_threshold(_COLLECT_AFTER)
            from comity.app import answering, working
            from comity.doors.stdio.serve import main as serve

            return serve(arguments[1:], working, answering)
        if arguments[:1] == ["serve"]:
            from comity.app import living, tend
            from comity.doors.http.serve import main as serve_network

            code = serve_network(arguments[1:], living, tend)
            sys.stdout.flush()
            os._exit(code)  # all is closed; threads of the listener must not meet an interpreter that is taken apart
        if arguments[:2] == ["hook", "git"]:
            from comity.doors.hook.git import main as git_hook

            return git_hook(arguments[2:])
        if arguments[:1] == ["hook"]:
            os._exit(_hook(arguments[1:], data, ended, asked))  # what takes the interpreter apart takes time
        from comity.doors.cli.launch import main as launch

        return launch(arguments, _demo)
    except KeyboardInterrupt:
        return 130


def _hook(arguments: list[str], data: bytes, ended: bool, asked: bool) -> int:
    """One event of an agent host: a living server does the work, or this process."""
    gc.disable()
    if not asked and os.name == "posix":
        from comity.launcher.asking import Payload, ask

        payload = Payload()
        code = ask(arguments, payload, dict(os.environb))
        if code is not None:
            return code
        data, ended = payload.data, payload.ended
    from comity.doors.hook.run import main as hook

    return hook(arguments, data, ended=ended)


def _demo(**options: Any) -> int:
    from comity.demo.run import run

    return run(**options)


if __name__ == "__main__":
    sys.exit(main())
