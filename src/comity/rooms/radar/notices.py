"""What agents are told by the radar: each new conflict once, and once when it is gone; and that their base moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.rooms.channels import deliveries
from comity.rooms.radar.model import PredictedConflict
from comity.rooms.radar.rows import BASE, SeenCheckout, SeenPair

TTL_S = 86_400
_MOST_NAMED = 5


class Concerned(NamedTuple):
    """Whose a checkout is: agents to be told, and how it is called where others read of it."""

    agents: tuple[str, ...]
    title: str


def of_pair(
    scope: Scope,
    before: SeenPair | None,
    now: SeenPair,
    seen: Mapping[str, SeenCheckout],
    concerned: Mapping[str, Concerned],
) -> tuple[set[str], set[str]]:
    """Tell both sides what is new and what is gone; both as paths, for the event."""
    was = before.paths if before is not None else set()
    new, gone = now.paths - was, was - now.paths
    if now.state == "unknown":
        return set(), set()
    if new:
        urgency = "steering" if committed(now, seen) else "advisory"
        for mine, theirs, first in ((now.other, now.one, False), (now.one, now.other, True)):
            _send(scope, mine, urgency, _conflict(now, new, mine, theirs, concerned, first=first), concerned)
    if gone and not new:
        left = f" What is left: {_list(now.paths)}." if now.paths else ""
        for mine, theirs in ((now.other, now.one), (now.one, now.other)):
            text = f"Your {_place(mine)} and {_whose(theirs, concerned)} go together again in {_list(gone)}.{left}"
            _send(scope, mine, "info", text, concerned)
    _base_moved(scope, before, now, new, seen, concerned)
    return new, gone


def committed(pair: SeenPair, seen: Mapping[str, SeenCheckout]) -> bool:
    """Whether both sides have committed what does not go together."""
    sides = [seen[name] for name in (pair.one, pair.other) if name in seen]
    return not any(set(side.changed) & pair.paths for side in sides)


def _base_moved(
    scope: Scope,
    before: SeenPair | None,
    now: SeenPair,
    new: Collection[str],
    seen: Mapping[str, SeenCheckout],
    concerned: Mapping[str, Concerned],
) -> None:
    """A base that moved under files that were changed here as well, though they go together."""
    if not now.one.startswith(BASE) or before is None or before.one_commit == now.one_commit or new:
        return
    files = set(now.both)
    if files and now.other in seen:
        base = now.one.removeprefix(BASE)
        text = (
            f"{quoted(base)} moved under your {_place(now.other)}: {_list(files)} changed there, too, and goes "
            "together. Merge it into your branch when it suits you."
        )
        _send(scope, now.other, "advisory", text, concerned)


def _conflict(
    pair: SeenPair, new: Collection[str], mine: str, theirs: str, concerned: Mapping[str, Concerned], *, first: bool
) -> str:
    what = [_told(one, first=first) for one in pair.found if set(one.paths) & set(new)]
    more = f" and {len(what) - _MOST_NAMED} more" if len(what) > _MOST_NAMED else ""
    how = (
        "Merge it and settle it while it is small."
        if theirs.startswith(BASE)
        else "Write to them and settle it now, while it is small; comity radar shows it all."
    )
    sides = f"Your {_place(mine)} and {_whose(theirs, concerned)}"
    return f"{sides} will not merge: {'; '.join(what[:_MOST_NAMED])}{more}. {how}"


def _told(one: PredictedConflict, *, first: bool) -> str:
    if one.lines:
        ranges = [lines.one if first else lines.other for lines in one.lines[:_MOST_NAMED]]
        spans = ", ".join(
            str(span.first) if span.first >= span.last else f"{span.first}-{span.last}" for span in ranges
        )
        return f"{quoted(one.paths[0])} at your lines {spans}"
    return f"{_list(one.paths)} ({one.kind})"


def _whose(name: str, concerned: Mapping[str, Concerned]) -> str:
    if name.startswith(BASE):
        return f"the base {quoted(name.removeprefix(BASE))}"
    return concerned[name].title if name in concerned else _place(name)


def _place(name: str) -> str:
    return "main checkout" if name == "." else f"worktree {quoted(name)}"


def _list(paths: Collection[str]) -> str:
    named = [quoted(path) for path in sorted(paths)]
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _send(scope: Scope, name: str, urgency: str, text: str, concerned: Mapping[str, Concerned]) -> None:
    for agent_id in concerned[name].agents if name in concerned else ():
        deliveries.tell(scope, agent_id, text, urgency, TTL_S)


def title(name: str, agents: Collection[str]) -> str:
    """How a checkout is called where others read of it."""
    return f"{called(*sorted(agents))}'s {_place(name)}" if agents else f"the {_place(name)}"
