"""Which files a patch names: a diff of any kind, and the patches of Codex. Pure."""

from __future__ import annotations

import re

_HEADS = ("+++ ", "--- ", "rename from ", "rename to ", "copy to ", "Index: ")
_OF_GIT = r'diff --git "?a/(.*?)"? "?b/(.*?)"?'


def of_diff(diff: str, strip: int | None) -> list[str]:
    """The paths without their first ``strip`` names; for None both whole and as bare names, as ``patch`` looks for
    them.
    """
    found: dict[str, None] = {}
    for line in diff.split("\n"):
        named = re.fullmatch(_OF_GIT, line)
        if named is not None:
            found |= dict.fromkeys("/".join(path.split("/")[max(0, (strip or 0) - 1) :]) for path in named.groups())
        elif line.startswith(_HEADS):
            head = next(head for head in _HEADS if line.startswith(head))
            path = line[len(head) :].partition("\t")[0].strip().strip('"')
            if path == "/dev/null":
                continue
            names = path.split("/")
            bare = head in ("rename from ", "rename to ", "copy to ")
            if strip is None:
                found |= {path: None, names[-1]: None}
            else:
                found["/".join(names[max(0, strip - 1) if bare else strip :])] = None
    return [path for path in found if path]


def of_codex(text: str) -> list[str]:
    """The files that a patch in Codex's form names."""
    heads = ("*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: ")
    return [line.partition(": ")[2].strip() for line in text.split("\n") if line.startswith(heads)]
