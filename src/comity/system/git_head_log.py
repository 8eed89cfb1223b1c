"""The log of HEAD of one checkout, read by hand: how HEAD came to where it is. A repository may keep none."""

from __future__ import annotations

import os
import re

from comity.kernel.named_tuple import NamedTuple
from comity.system import files
from comity.system.git_refs import Head
from comity.system.repository import Repository

_MOST_BYTES = 64_000  # from its end
_MOST_STEPS = 200
_ENTRY = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) [^\t\n]*(?:\t(.*))?\Z")
_LEFT = re.compile(r"checkout: moving from (\S+) to \S+\Z")
_ON_TOP = re.compile(r"commit(?: \(initial\))?: ")


class HeadStep(NamedTuple):
    """HEAD went from one commit to another; ``how`` is git's word for it, such as ``reset: moving to HEAD~1``."""

    before: str
    after: str
    how: str


def since(there: Repository, before: Head, now: Head) -> list[HeadStep] | None:
    """The steps from one place of HEAD to where it is now, oldest first; None where the log does not tell them."""
    found: list[HeadStep] = []
    for step in reversed(_steps(there)):
        if (found[0].before if found else now.commit) != step.after:
            return None
        found.insert(0, step)
        if step.before == before.commit or (not before.commit and not step.before.strip("0")):
            return found
    return None


def on_top(steps: list[HeadStep] | None) -> bool:
    """Whether nothing but commits was made, each on top of the one before."""
    return bool(steps) and all(_ON_TOP.match(step.how) for step in steps or ())


def previous(there: Repository) -> str:
    """What was checked out before, which git calls ``-``: a branch or a commit; empty when that is not known."""
    left = (_LEFT.match(step.how) for step in reversed(_steps(there)))
    return next((found[1] for found in left if found), "")


def _steps(there: Repository) -> list[HeadStep]:
    """The last entries of the log, oldest first."""
    try:
        descriptor = files.open_file(there.private, "logs/HEAD", os.O_RDONLY)
    except OSError:
        return []
    try:
        end = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, end - _MOST_BYTES), os.SEEK_SET)
        data = os.read(descriptor, _MOST_BYTES)
    except OSError:
        return []
    finally:
        os.close(descriptor)
    lines = os.fsdecode(data).split("\n")
    lines = lines[1:] if end > _MOST_BYTES else lines
    taken = [found for found in map(_ENTRY.match, lines[-_MOST_STEPS:]) if found]
    return [HeadStep(found[1], found[2], found[3] or "") for found in taken]
