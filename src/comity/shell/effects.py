"""What a shell command line would do to files, seen from the folder it runs in: the part that looks at the disk.

``effects(line, cwd, env, aliases, expand, read)`` is the question; its answer is a list of ``changes.Change``, and
``changes.takes(change, path, tracked=...)`` says of one file whether work in it would go. Nothing is run. What the
caller hands in: ``env``, the shell's environment (a variable that is neither there nor set in the line is empty);
``aliases()``, git's own of that repository by name; ``expand(pattern, folder)``, the paths that a shell's wildcards
stand for; ``read(path)``, the text of a file of patches, scripts or pathspecs, None where it is not to be had.

What is certain is a path. What an operand of a destructive verb may be but cannot be known counts as the whole tree of
that verb. ``unknown`` says that besides something may write anything (a program, a script): nothing is refused for that
alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from comity.shell.changes import Effects
from comity.shell.state import State
from comity.shell.walk import Follower

_NO_NAMES = "[\0\ud800-\udc7f\udd00-\udfff]"  # letters that no file name has


def effects(
    line: str,
    cwd: str,
    env: Mapping[str, str] = {},
    aliases: Callable[[], Mapping[str, str]] | None = None,
    expand: Callable[[str, str], Sequence[str]] | None = None,
    read: Callable[[str], str | None] | None = None,
) -> Effects:
    """What ``line`` may change when a shell runs it in the absolute folder ``cwd``."""
    follower = Follower(cwd, aliases, expand, read)
    follower.script(re.sub(_NO_NAMES, "", line), State(cwd, env))
    for last, state in follower.traps:
        follower.script(last, state)
    return Effects(tuple(follower.changes), follower.unknown)


def reads_only(line: str) -> bool:
    """Whether nothing in the line can change a file, as far as its letters tell."""
    found = effects(line, "/")
    return not found.changes and not found.unknown
