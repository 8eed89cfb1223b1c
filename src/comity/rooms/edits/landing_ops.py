"""Operations after an edit. Apart from ``edit.check``, since they load what keeps copies."""

from __future__ import annotations

from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths, release
from comity.rooms.claims.overlaps import touching
from comity.rooms.claims.paths import Target
from comity.rooms.claims.places import Places
from comity.rooms.edits import edit_guard, landings
from comity.rooms.edits.model import EditedFiles, Landed, TurnOver
from comity.rooms.edits.sight import Came, carried_out, path_of
from comity.rooms.rescue import keeping
from comity.rooms.rescue.keeping import Saved
from comity.rooms.turns import speaker
from comity.rooms.work import facts
from comity.rooms.work.facts import Asked


@long_op("edit.landed", effect="write", example={"files": ["src/parser.py"]})
def landed_edits(steps: Steps, *, files: EditedFiles | None = None, over: TurnOver = False) -> Landed:
    """Say that edits are made, or are not coming: what changed is the caller's work from now on.

    Of ``files``, or of all that the caller asked for. Copies of what changed are kept. When the turn is ``over``,
    nothing that was asked for is coming any more.
    """
    asked = steps.read(_asked)
    if files is not None:
        base = paths.base_of(steps.actor)
        places = Places(base)
        named = [places.target(name) for name in files]
        wanted = {(one[0].repository, one[0].worktree, one[0].key(one[1].path)) for one in named if one is not None}
        asked = [one for one in asked if one.place in wanted]
    if not asked:
        return Landed([], [])
    came = carried_out(asked)
    made = {one.asked.place for one in came}
    saved = keeping.keep(
        steps.actor,
        ((one.asked.place, one.asked.file_path, one.asked.agent_id, path_of(one.asked)) for one in came),
    )
    not_made = [one for one in asked if one.place not in made and (over or files is not None)]
    steps.write(_note, came, not_made, saved)
    keeping.tidy(steps, saved)
    return Landed([one.asked.file_path for one in came], [one.file_path for one in not_made])


def _asked(scope: Scope) -> list[Asked]:
    scope = speaker.find(scope) or scope
    return facts.asked_by(scope, scope.actor.agent_id)


def _note(scope: Scope, came: list[Came], not_made: list[Asked], saved: list[Saved]) -> None:
    scope = speaker.settle(scope)
    contents = {one.place: one.kept.content for one in saved}
    keeping.record(scope, saved)
    for one in came:
        landings.land(scope, one, contents.get(one.asked.place, ""))
    for asked in not_made:
        facts.answered(scope, asked)
        if not facts.at(scope, asked.repository, asked.worktree, [asked.file_key]):
            _release(scope, asked)


def _release(scope: Scope, asked: Asked) -> None:
    """Let go of the claim that the guard made for an edit that is not coming."""
    own = paths.base_of(scope.actor)
    base = own._replace(repository=asked.repository, worktree=asked.worktree)
    mine = [
        (one.held.claim_id, one.held.file_path)
        for one in touching(scope, base, [Target(asked.file_path, None)])
        if one.held.agent_id == scope.actor.agent_id and edit_guard.is_bridge(one)
    ]
    if mine:
        release.release_these(scope, scope.actor.agent_id, mine, "not edited")
