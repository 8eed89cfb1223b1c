"""The guard of git's own hooks: what living peers hold exclusively is not committed, whoever commits."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.claims import release
from comity.rooms.claims.overlaps import Met
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import head_moves, progress
from comity.rooms.edits.claim_words import MOST_TOLD, says
from comity.rooms.edits.edit_guard import barring_others, refusal, refused
from comity.rooms.edits.git_guard import bypassed, own_files
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sight import Near
from comity.rooms.edits.unrecorded_refusals import living
from comity.rooms.work import facts
from comity.shell.bypass import BYPASS, BYPASS_REASON


class Recording(NamedTuple):
    """Files that git is about to record, or has recorded (``at_s``: when, by path), and where that happens."""

    targets: list[Target]
    processes: list[str]
    at_s: dict[str, int]
    operation: str
    reason: str


def barring(scope: Scope, base: Base, recording: Recording) -> list[Met]:
    """Claims of others: an agent's parents and subagents count as the agent, since git cannot tell them apart."""
    own = _own(scope, recording.processes)
    met = barring_others(scope, base, recording.targets, own)
    if not recording.at_s:
        return [*met, *_at_work(scope, base, recording.targets, own, met)]
    kept = [one._replace(files=[path for path in one.files if _later(one, recording.at_s.get(path))]) for one in met]
    return [one for one in kept if one.files]


def _at_work(scope: Scope, base: Base, targets: list[Target], own: set[str], met: list[Met]) -> list[Met]:
    """Uncommitted work of living peers in these files, where no claim stands for it."""
    paths = {base.key(target.path): target.path for target in targets}
    works = facts.at(scope, base.repository, base.worktree, list(paths))
    state = progress.others(scope, Near(tuple(works), (), frozenset(own)))
    claimed = {path for one in met for path in one.files}
    return [
        progress.met(scope, base, work, [paths[work.file_key]], state.owner.get(work.agent_id))
        for work in state.living
        if paths[work.file_key] not in claimed
    ]


def _own(scope: Scope, processes: list[str]) -> set[str]:
    own = scope.observer.presence
    rows = scope.tx.all(
        "edits.speaking",
        session_id=own.host_session_id if own else "",
        processes=compact(processes),
        boot_id=own.boot_id if own else "",
    )
    found = {scope.actor.agent_id, *(str(row[0]) for row in rows)}
    for agent_id in list(found):
        found |= {*identity.ancestors(scope, agent_id)}
        found |= {str(row[0]) for row in scope.tx.all("edits.descendants", agent_id=agent_id)}
    return found


def _later(met: Met, at_s: int | None) -> bool:
    """Whether the file was recorded while the claim was there; within its first second nobody can tell."""
    return met.held.since is not None and at_s is not None and at_s > met.held.since


def check(scope: Scope, base: Base, recording: Recording) -> Verdict:
    """The verdict, once nothing of the dead is in the way."""
    operation, reason = recording.operation, recording.reason
    release.release_deserted(scope)
    met = barring(scope, base, recording)
    if not met:
        return Verdict(allowed=True)
    if reason:
        holders = tuple(dict.fromkeys(one.held.agent_id for one in met))
        bypassed(scope, operation, reason, holders, tuple(sorted({path for one in met for path in one.files})))
        return Verdict(allowed=True)
    refused(scope, met, "git.refused", operation)
    return _refusal(scope, base, met, recording)


def uninformed(scope: Scope, base: Base, recording: Recording) -> bool:
    """Whether an agent that runs this does not know that HEAD has moved."""
    return bool(head_moves.untold(scope, [base], sorted(_own(scope, recording.processes))))


def inform(scope: Scope, base: Base, recording: Recording) -> Verdict:
    """The refusal, once, of a commit to where HEAD has been moved."""
    agents = sorted(_own(scope, recording.processes))
    return head_moves.refuse_once(scope, [base], agents, recording.operation) or Verdict(allowed=True)


def barred(scope: Scope, base: Base, recording: Recording) -> Verdict | None:
    """The refusal by reading alone, where a living peer holds something of it."""
    met = living(scope, barring(scope, base, recording))
    return _refusal(scope, base, met, recording) if met and not recording.reason else None


def _refusal(scope: Scope, base: Base, met: list[Met], recording: Recording) -> Verdict:
    verdict = refusal(scope, met)
    told = " ".join(says(scope, one) for one in met[:MOST_TOLD])
    files = sorted({path for one in met for path in one.files})
    who = called(verdict.holders[0])
    if recording.at_s:
        hint = f"Let {who} push them, or ask for a release."
        return verdict._replace(refusal=f"{told}\n{hint} {BYPASS}=1 with {BYPASS_REASON} lets it through.")
    held = {base.key(path) for path in files}
    own = [target.path for target in recording.targets if base.key(target.path) not in held]
    by_name = f"Commit your own files by name (git commit -- {own_files(own)}): what others have staged stays staged. "
    hint = f"{by_name if own else ''}Or ask {who} to release them. {BYPASS}=1 with {BYPASS_REASON} lets it through."
    return verdict._replace(refusal=f"{told}\n{hint}")
