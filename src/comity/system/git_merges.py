"""What git would say to a merge of two commits: git's own merge of trees, which touches neither index nor work tree."""

from __future__ import annotations

from difflib import SequenceMatcher

from comity.kernel.named_tuple import NamedTuple
from comity.system.git_look import GitLook

_AUTO = "Auto-merging"
_MOST_HUNKS = 20
_MOST_FILE_BYTES = 2_000_000
_MOST_LINES = 4000


class MergeConflict(NamedTuple):
    """One way in which two sides do not go together: its kind as git calls it, the paths, and git's sentence."""

    kind: str
    paths: tuple[str, ...]
    told: str


class Merge(NamedTuple):
    """What a merge would come to. ``tree`` has the result, with marks where the sides meet. ``both``: files that both
    sides changed and that go together.
    """

    clean: bool
    tree: str
    conflicts: tuple[MergeConflict, ...]
    both: tuple[str, ...]


class Hunk(NamedTuple):
    """Lines that meet, of the one side's file and the other's; counted from 1, the last one included."""

    left: tuple[int, int]
    right: tuple[int, int]


def merge(look: GitLook, left: str, right: str) -> Merge | None:
    """What merging ``right`` into ``left`` would come to; None for no answer, as for histories without a base."""
    said = look.try_to("merge-tree", "--write-tree", "-z", "--messages", left, right)
    if said is None or said[0] not in (0, 1):
        return None
    fields = said[1].split("\0")
    tree = fields[0]
    end = fields.index("", 1) if "" in fields[1:] else len(fields)
    conflicts, merged = _messages(fields[end + 1 :])
    meeting = {path for one in conflicts for path in one.paths}
    return Merge(said[0] == 0, tree, tuple(conflicts), tuple(path for path in merged if path not in meeting))


def _messages(fields: list[str]) -> tuple[list[MergeConflict], list[str]]:
    """Conflicts, and the paths that git merged."""
    found: list[MergeConflict] = []
    merged: list[str] = []
    at = 0
    while at < len(fields) and fields[at].strip().isdigit():
        count = int(fields[at])
        paths, rest = fields[at + 1 : at + 1 + count], fields[at + 1 + count : at + 3 + count]
        if len(rest) == 2 and rest[0].startswith("CONFLICT"):
            found.append(MergeConflict(rest[0][len("CONFLICT (") : -1], tuple(paths), rest[1].strip()))
        elif rest[:1] == [_AUTO]:
            merged += paths
        at += count + 3
    return found, merged


def hunks(look: GitLook, made: Merge, path: str, left: str, right: str) -> list[Hunk]:
    """Where two commits' versions of a text file meet; empty where there are no marks, and for large files."""
    texts = [look.ask("cat-file", "blob", f"{tree}:{path}") for tree in (made.tree, left, right)]
    if any(text is None or len(text) > _MOST_FILE_BYTES or text.count("\n") > _MOST_LINES for text in texts):
        return []
    merged, *versions = ((text or "").split("\n") for text in texts)
    sides = [_side(merged, side) for side in ("left", "right")]
    spans = [_spans(*side, version) for side, version in zip(sides, versions, strict=True)]
    return [Hunk(*both) for both in zip(*spans, strict=True)][:_MOST_HUNKS]


def _side(merged: list[str], wanted: str) -> tuple[list[str], list[tuple[int, int]]]:
    """A merged text as one side would have it, and where its parts of the conflicts are: their start and length."""
    lines: list[str] = []
    found: list[tuple[int, int]] = []
    at = "both"
    for line in merged:
        if at == "both" and line.startswith("<<<<<<< "):
            at = "left"
            found.append((len(lines), 0))
        elif at == "left" and line.startswith("||||||| "):
            at = "base"
        elif at in ("left", "base") and line == "=======":
            at = "right"
        elif at == "right" and line.startswith(">>>>>>> "):
            found[-1] = (found[-1][0], len(lines) - found[-1][0])
            at = "both"
        elif at in ("both", wanted):
            lines.append(line)
    return lines, found


def _spans(lines: list[str], parts: list[tuple[int, int]], version: list[str]) -> list[tuple[int, int]]:
    """The lines of a version, counted from 1, that stand for parts of what is nearly its text."""
    places: dict[int, int] = {}
    for block in SequenceMatcher(None, lines, version, autojunk=False).get_matching_blocks():
        places.update((block.a + step, block.b + step) for step in range(block.size))
    found = []
    for start, length in parts:
        before = places.get(start - 1, -1) + 1
        first = places.get(start, before) if length else before
        found.append((first + 1, first + max(1, length)))
    return found
