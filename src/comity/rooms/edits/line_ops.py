"""Looking after the lines of those who wait: whether what they wait for is still held, and whose turn it is."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import line, release
from comity.rooms.claims.overlaps import touching
from comity.rooms.edits import edit_guard, landings, progress, verification
from comity.rooms.edits.model import Turns
from comity.rooms.edits.sight import Near, Sight, is_work
from comity.rooms.work import facts


class _Waited(NamedTuple):
    """What was read: work and requests in the files that are waited for; ``due``: somebody's turn may have come."""

    near: Near
    due: bool
    places: int


@long_op("claim.settle", effect="write", example={})
def settle_line(steps: Steps) -> Turns:
    """Give whoever stands in line what is free by now: what lapsed, what the dead held, what was committed.

    Running servers, hooks and callers that wait do it all the time.
    """
    waited = steps.read(_waited)
    if not waited.places:
        return Turns(0)
    sight = verification.looked(waited.near.works, waited.near.asked)
    news = bool(sight.came) or any(not is_work(one) for one in sight.seen)
    if news or waited.due:
        return Turns(steps.write(_settle, sight))
    return Turns(waited.places)


def _waited(scope: Scope) -> _Waited:
    places = line.every(scope)
    parts = [part for place in places for part in place.parts]
    works = {work: None for part in parts for work in line.works_in(scope, part)}
    asked = {
        one: None
        for part in parts
        for one in facts.asked_in(scope, part.base.repository, ())
        if one.worktree == part.base.worktree
    }
    near = Near(tuple(works), tuple(asked))
    at_work = edit_guard.busy(progress.others(scope, near))
    idle = any(
        edit_guard.idle(part.base, met, at_work) for part in parts for met in touching(scope, part.base, part.targets)
    )
    return _Waited(near, idle or line.due(scope), len(places))


def _settle(scope: Scope, sight: Sight) -> int:
    landings.note(scope, sight)
    release.release_deserted(scope)
    near = _waited(scope).near
    others = progress.others(scope, near)
    for place in line.every(scope):
        for part in place.parts:
            edit_guard.let_go(scope, part.base, touching(scope, part.base, part.targets), others, frozenset())
    if release.in_line(scope):
        release.serve(scope)
    return len(line.every(scope))
