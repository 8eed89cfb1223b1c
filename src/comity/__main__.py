"""The command ``comity``. ``mcp`` is looked for first: a server starts without loading the command line."""

from __future__ import annotations

import gc
import os
import sys

from comity.kernel.hints import Any

_COLLECT_AFTER = 20_000  # objects: a start makes many that stay, and looking through them again finds nothing


def main() -> int:
    """Run the command that the program's arguments name; the exit code."""
    arguments = sys.argv[1:]
    try:
        if arguments[:1] == ["mcp"] and any(word.partition("=")[0] == "--url" for word in arguments):
            from comity.doors.bridge.bridge import main as bridge

            return bridge(arguments[1:])
        if arguments[:1] in (["mcp"], ["server"]):
            gc.set_threshold(_COLLECT_AFTER)
            from comity.app import working
            from comity.doors.stdio.serve import main as serve

            return serve(arguments[1:], working)
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
            gc.disable()
            from comity.doors.hook.run import main as hook

            os._exit(hook(arguments[1:]))  # everything is written; what takes the interpreter apart takes time
        from comity.doors.cli.launch import main as launch

        return launch(arguments, _demo)
    except KeyboardInterrupt:
        return 130


def _demo(**options: Any) -> int:
    from comity.demo.run import run

    return run(**options)


if __name__ == "__main__":
    sys.exit(main())
