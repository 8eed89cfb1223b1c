"""The full-text index over memories, vault documents, done tasks and goals, and how it is kept current.

Authoritative are the protocol's tables. Triggers note each change of theirs in ``comity_changes``, whoever made it;
a search first brings the index up to date from there, in batches, each a short transaction of its own. The index only
says where to look: every hit is checked against its row, so that a row which changed since is never answered wrongly.
What can go wrong: the log of changes is bounded; an index that lags behind its oldest row is emptied and filled anew.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

from comity.kernel.hints import TypeVar
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.spaceless import RUN, spaced, unified
from comity.kernel.steps import Steps

KINDS = ("memory", "vault_doc", "task", "goal")
_ROWS, _CHARACTERS = 500, 400_000  # of one batch: about a tenth of a second with the write lock
_KEPT_CHANGES = 10_000  # that are in the index already; the log is there for other readers, too
BITS = 20  # of a document's number below its milliseconds
_LATEST_MS = 1 << 42
_PAIR = 2
_TERMS = 32  # trigrams of one word that are looked for; the text itself decides
_ARGUMENT = TypeVar("_ARGUMENT")
_RESULT = TypeVar("_RESULT")


class State(NamedTuple):
    """Changes up to ``position`` are in the index; ``kind`` and ``after``: how far the first filling is.

    ``spaced``: 0 in an index of before words without spaces were looked for. Rows with such are then filled in anew.
    """

    position: int
    kind: str | None
    after: str
    newest: int | None
    oldest: int | None
    spaced: int

    @property
    def stale(self) -> bool:
        """Whether there is something to do."""
        return not self.spaced or self.kind is not None or (self.newest is not None and self.newest != self.position)


def current(steps: Steps, look: Callable[[Scope, _ARGUMENT], _RESULT], argument: _ARGUMENT) -> _RESULT:
    """What ``look`` answers from an index that has every change that was committed before the call."""

    def unless_stale(scope: Scope) -> _RESULT | None:
        return None if _state(scope).stale else look(scope, argument)

    result = steps.read(unless_stale)
    if result is None:
        target = steps.read(_state).newest or 0
        done = 0
        while (left := steps.write(refresh)) and (left.kind is not None or left.position < target or not left.spaced):
            done += 1
            steps.report(done, 0, "indexing")
        result = steps.read(look, argument)
    return result


def refresh(scope: Scope) -> State | None:
    """Bring one batch of changes into the index. The state after it; None when there was nothing to do."""
    state = _state(scope)
    if not state.stale:
        return None
    if state.kind is None and state.oldest is not None and state.oldest > state.position + 1:
        state = _empty(scope, state)
    elif state.kind is None and not state.spaced:
        state = state._replace(kind=KINDS[0], after="")
    state = _changed(scope, state) if state.kind is None else _filled(scope, state, state.kind)
    progress = {"position": state.position, "kind": state.kind, "after": state.after, "spaced": state.spaced}
    scope.tx.run("memory.set_index_state", **progress)
    scope.tx.run("memory.forget_changes", before=state.position - _KEPT_CHANGES)
    return state


def _state(scope: Scope) -> State:
    row = scope.tx.one("memory.index_state")
    assert row is not None, "the migration made this row"
    return State(*row)


def _empty(scope: Scope, state: State) -> State:
    for kind in KINDS:
        scope.tx.run(f"memory.clear_text_{kind}")
        scope.tx.run(f"memory.clear_words_{kind}")
    scope.tx.run("memory.clear_docs")
    return state._replace(kind=KINDS[0], after="", position=state.newest or 0, spaced=1)


def _filled(scope: Scope, state: State, kind: str) -> State:
    """The next rows of a kind, in the order of their ids; then the next kind."""
    ids = [row[0] for row in scope.tx.all(f"memory.ids_of_{kind}", after=state.after, limit=_ROWS)]
    count = _take(scope, [(kind, row_id) for row_id in ids], apart=not state.spaced)
    if count:
        return state._replace(after=ids[count - 1])
    following = KINDS.index(kind) + 1
    if following < len(KINDS):
        return state._replace(kind=KINDS[following], after="")
    return state._replace(kind=None, after="", spaced=1)


def _changed(scope: Scope, state: State) -> State:
    """The next changes of the log."""
    rows = scope.tx.all("memory.changes", position=state.position, limit=_ROWS)
    last = {(kind, row_id): seq for seq, kind, row_id in rows}  # a row that changed often is read once
    wanted = list(last)
    count = _take(scope, wanted)
    if count == len(wanted):
        return state._replace(position=rows[-1][0])
    left = set(wanted[count:])
    return state._replace(position=min(seq for seq, kind, row_id in rows if (kind, row_id) in left) - 1)


class _Text(NamedTuple):
    """What is searched of a row."""

    updated_at: str
    created_at: str
    kind: str
    row_id: str
    audience: str
    title: str
    body: str


def _take(scope: Scope, wanted: Sequence[tuple[str, str]], *, apart: bool = False) -> int:
    """Index the rows that are named, as many as a batch may hold; how many of them.

    With ``apart`` only rows with words without spaces, since the others are in the index as they should be.
    """
    found: list[_Text] = []
    characters = count = 0
    for kind, row_id in wanted:
        if characters > _CHARACTERS:
            break
        count += 1
        row = scope.tx.one(f"memory.text_of_{kind}", id=row_id) if kind in KINDS else None
        if row is not None:
            updated_at, created_at, audience, title, body = map(_as_text, row)
            characters += len(title) + len(body)
            if not apart or spaced(title) != title or spaced(body) != body:
                found.append(_Text(updated_at, created_at, kind, row_id, audience, title, body))
    for kind, row_id in [(one.kind, one.row_id) for one in found] if apart else wanted[:count]:
        _remove(scope, kind, row_id)
    last: dict[int, int] = {}
    for text in sorted(found):
        _add(scope, text, last)
    return count


def _remove(scope: Scope, kind: str, row_id: str) -> None:
    row = scope.tx.one("memory.doc_of", kind=kind, id=row_id)
    if row is not None:
        for what in (f"text_{kind}", f"words_{kind}", "doc"):
            scope.tx.run(f"memory.remove_{what}", doc=row[0])


def _add(scope: Scope, text: _Text, last: dict[int, int]) -> None:
    doc = _next_doc(scope, milliseconds(text.updated_at), last)
    kind, whole = text.kind, f"{text.title}\n{text.body}".lower().replace("\0", " ")
    scope.tx.run("memory.add_doc", doc=doc, kind=kind, id=text.row_id, audience=audience(kind, text.audience))
    scope.tx.run(f"memory.add_text_{kind}", doc=doc, text=whole)
    scope.tx.run(f"memory.add_words_{kind}", doc=doc, title=spaced(text.title), body=spaced(text.body))


def _next_doc(scope: Scope, ms: int, last: dict[int, int]) -> int:
    """A free number for a moment. A moment with a million rows overflows into the next."""
    first = ms << BITS
    if ms not in last:
        row = scope.tx.one("memory.last_doc", first=first, last=first + (1 << BITS) - 1)
        last[ms] = row[0] if row is not None and row[0] is not None else first - 1
    last[ms] += 1
    return last[ms] if last[ms] < first + (1 << BITS) else _next_doc(scope, ms + 1, last)


def milliseconds(timestamp: str) -> int:
    """A wire timestamp as milliseconds since 1970; 0 for what is none."""
    digits = timestamp[:4] + timestamp[5:7] + timestamp[8:10]
    clock = timestamp[11:13] + timestamp[14:16] + timestamp[17:19]
    fraction = timestamp[20:23].rstrip("Z").ljust(3, "0")
    if len(timestamp) < 20 or not (digits + clock + fraction).isascii() or not (digits + clock + fraction).isdigit():
        return 0
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:])
    seconds = _days(year, month, day) * 86400 + int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:])
    return min(max(0, seconds * 1000 + int(fraction)), _LATEST_MS)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date of the Gregorian calendar."""
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719468


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else str(value or "")


def audience(kind: str, who: str = "") -> int:
    """A number for those who may see a row: a memory's scope and whose it is. Two may share one: rows are checked."""
    return zlib.crc32(f"{kind}\n{who}".encode("utf-8", "replace"))


def pair(word: str) -> str | None:
    """The text that holds one or two letters of a script without spaces, as a match in the index of words."""
    run = unified(word)
    if not run or len(run) > _PAIR or RUN.fullmatch(run) is None:
        return None
    return f'"{run}"' if len(run) == _PAIR else f'"{run}"*'


def substring(word: str) -> str | None:
    """The text that holds a lower-case ``word``, as a match; None when it is too short for the index.

    Trigrams side by side, and the last: with all that overlap a search takes three times as long and names few less.
    """
    last = len(word) - 3
    if last < 0:
        return None
    places = [*range(0, last, max(3, last // _TERMS)), last]
    grams = dict.fromkeys(word[at : at + 3].replace('"', '""') for at in places)
    return "(" + " AND ".join(f'"{gram}"' for gram in grams) + ")"
