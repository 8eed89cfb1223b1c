"""The guard before commands that would take work away: refused only when a living peer would lose something.

At stake is what a peer changed and did not commit, what it holds exclusively and has changed, an edit that it was let
make and has not made yet, a stash entry that it made, and the folder that it works in. What the dead left behind is
shown once, and then may go. Commits of a remote branch are told of and never refused.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title, word
from comity.kernel.scope import Scope
from comity.rooms.claims import release
from comity.rooms.claims.overlaps import Met
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import edit_guard, landings, progress
from comity.rooms.edits.claim_words import MOST_TOLD, left_behind, says, some, whom
from comity.rooms.edits.edit_guard import barring_others
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sight import Near, Sight
from comity.rooms.edits.stakes import Stake
from comity.rooms.edits.unrecorded_refusals import family, living
from comity.rooms.turns import speaker
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import Work
from comity.shell.bypass import BYPASS, BYPASS_REASON
from comity.system.checkouts import name_of

STASH_TAKES_MS = 120_000
KEPT_MS = 90 * 86_400_000


_LOST = {
    "": "take away uncommitted changes of {}",
    "committed": "commit changes of {} that are not yours",
    "staged": "undo what is staged of {}",
}


class Danger(NamedTuple):
    """What a peer would lose. ``left``: what was left behind, and the asker was not told of it yet."""

    holders: tuple[str, ...]
    files: tuple[str, ...]
    told: str
    left: tuple[Work, ...] = ()


def sweeps_now(scope: Scope) -> bool:
    """Whether the actor was let sweep and is not known to be done."""
    agent_id = speaker.seen(scope).actor.agent_id
    return scope.tx.one("edits.sweep_runs", agent_id=agent_id) is not None


def over(scope: Scope) -> None:
    """The actor's command has ended."""
    scope.tx.run("edits.sweep_over", agent_id=speaker.settle(scope).actor.agent_id)


def barred(scope: Scope, stakes: Sequence[Stake], reason: str) -> Verdict | None:
    """The refusal by reading alone, where a living peer would lose work; nothing else is decided."""
    scope, kin = family(scope)
    for stake in stakes:
        danger = None if stake.change.bypass or reason else _danger(scope, stake, frozenset(kin), noted=False)
        if danger is not None and danger.holders:
            return _refusal(scope, stake, danger)
    return None


def check(scope: Scope, stakes: Sequence[Stake], reason: str, sight: Sight) -> Verdict:
    """The verdict on all of them; a refusal, or what lets it through, is an event."""
    scope = speaker.settle(scope)
    release.release_deserted(scope)
    landings.note(scope, sight)
    warnings = []
    kin = progress.kin(scope)
    for stake in stakes:
        danger = _danger(scope, stake, kin)
        why = stake.change.bypass or reason
        if danger is not None and not why:
            return _refused(scope, stake, danger)
        if danger is not None:
            bypassed(scope, stake.change.title, why, danger.holders, danger.files)
            warnings.append(f"{danger.told} It was let through: {quoted(why, 200)}")
        if stake.commits:
            warnings.append(_lost_commits(stake))
        _remember(scope, stake)
    return Verdict(allowed=True, warning="\n".join(warnings[:MOST_TOLD]))


def _remember(scope: Scope, stake: Stake) -> None:
    """That this one sweeps a work tree now, and that it makes a stash entry."""
    if stake.sweeps is not None:
        where = {"repository": stake.sweeps.repository, "worktree": stake.sweeps.worktree}
        told = {"now_ms": scope.now.ms, "title": stake.change.title}
        scope.tx.run("edits.swept", agent_id=scope.actor.agent_id, **where, **told)
    if stake.saves:
        scope.tx.run("edits.forget_stashes", before_ms=scope.now.ms - KEPT_MS)
        who = {"agent_id": scope.actor.agent_id, "now_ms": scope.now.ms}
        scope.tx.run("edits.stashed", repository=name_of(scope.actor.root), **who)


def _danger(scope: Scope, stake: Stake, kin: frozenset[str], *, noted: bool = True) -> Danger | None:
    """What would be lost. Unless it is ``noted``, what was seen of requests is not in the database."""
    found = _folders(scope, stake, kin) or (_stashed_by_peers(scope, stake) if stake.entries else None)
    if found is not None:
        return found
    barring = [*_at_work(scope, stake, kin, noted=noted), *_claimed(scope, stake, kin)]
    if not barring:
        return _left_behind(scope, stake, kin)
    holders = tuple(dict.fromkeys(one.held.agent_id for one in barring))
    files = tuple(sorted({path for one in barring for path in ([one.path] if "." in one.files else one.files)}))
    return Danger(holders, files, _lost_files(scope, stake, barring, files))


def _at_work(scope: Scope, stake: Stake, kin: frozenset[str], *, noted: bool) -> list[Met]:
    """Uncommitted work of living peers in it, and edits that they were let make and have not made yet."""
    works = {work.place: work for work in stake.works}
    known = facts.of_repository(scope, name_of(scope.actor.root)) if works else []
    rows = {work.place: work for work in known if work.place in works}
    still = [work for work in (rows if noted else {**works, **rows}).values() if work.agent_id not in kin]
    state = progress.others(scope, Near(tuple(still), stake.pending, kin))
    base = Base(name_of(scope.actor.root), "", "", fold=False)
    found = [progress.met(scope, base, work, [work.file_path], state.owner.get(work.agent_id)) for work in state.living]
    there = {(work.agent_id, work.file_key) for work in state.living}
    young = (asked for asked in state.pending if (asked.agent_id, asked.file_key) not in there)
    return [*found, *(progress.asking(asked, base) for asked in young)]


def _claimed(scope: Scope, stake: Stake, kin: frozenset[str]) -> list[Met]:
    """What living peers hold exclusively of the files that have changed, whoever changed them."""
    found = []
    for base, paths in stake.claimed:
        targets = [Target(path, tree=stake.unknown) for path in paths]
        met = barring_others(scope, base, targets, kin) if targets else []
        found += living(scope, [one for one in met if not edit_guard.is_bridge(one)])
    return found


def _folders(scope: Scope, stake: Stake, kin: frozenset[str]) -> Danger | None:
    """Folders in which living peers work."""
    alive = standing.of(scope, [folder.agent_id for folder in stake.folders])
    inside = [one for one in stake.folders if one.agent_id not in kin and alive.living(one.agent_id)]
    if not inside:
        return None
    names = tuple(dict.fromkeys(os.path.basename(one.path) or one.path for one in inside))
    who = ", ".join(dict.fromkeys(title(one.agent_id, one.agent_name) for one in inside))
    what = "the branch" if stake.change.how == "refs" else "the folder"
    told = f"{who} works in {some(list(names))} just now: it would take away {what} under it."
    return Danger(tuple(dict.fromkeys(one.agent_id for one in inside)), names, told)


def _left_behind(scope: Scope, stake: Stake, kin: frozenset[str]) -> Danger | None:
    """What the dead left there, unless the asker was told of it before."""
    places = {work.place for work in stake.left}
    known = [work for work in facts.of_repository(scope, name_of(scope.actor.root)) if work.place in places]
    state = progress.others(scope, Near(tuple(known), (), kin))
    new = [work for work in state.left if scope.actor.agent_id not in work.told]
    if not new:
        return None
    files = tuple(work.file_path for work in state.left)
    told = " ".join(left_behind(scope, work) for work in state.left[:MOST_TOLD])
    return Danger((), files, f"It would take away {some(list(files))}. {told}", tuple(state.left))


def _lost_files(scope: Scope, stake: Stake, barring: list[Met], files: tuple[str, ...]) -> str:
    told = " ".join(says(scope, one) for one in barring[:MOST_TOLD])
    what = _LOST[stake.taken].format(some(list(files)))
    if stake.unknown:
        what = what.replace("uncommitted changes", "changes")
        return f"git did not say in time what has changed, so it may {what}. {told}"
    return f"It would {what}. {told}"


def _stashed_by_peers(scope: Scope, stake: Stake) -> Danger | None:
    """Entries that a living peer was let make shortly before they were made."""
    holders: dict[str, str] = {}
    names: list[str] = []
    files: list[str] = []
    for entry, paths in stake.entries:
        window = {"from_ms": entry.made_ms - STASH_TAKES_MS, "until_ms": entry.made_ms + 1000}
        maker = scope.tx.one("edits.stasher", repository=name_of(scope.actor.root), **window)
        if maker is not None and maker[0] != scope.actor.agent_id:
            holders[str(maker[0])] = str(maker[1])
            names.append(entry.name)
            files += paths
    if not holders:
        return None
    who = ", ".join(title(*holder) for holder in holders.items())
    told = f"{some(names)} was stashed by {who}, with changes of {some(files)}: all worktrees share one stash."
    return Danger(tuple(holders), tuple(files), told)


def _lost_commits(stake: Stake) -> str:
    shown = "; ".join(quoted(commit, 80) for commit in stake.commits[:3])
    more = f" and {len(stake.commits) - 3} more" if len(stake.commits) > 3 else ""
    what = quoted(stake.change.title)
    return f"{what} takes commits away from the remote branch that are not in what you push: {shown}{more}."


def _refused(scope: Scope, stake: Stake, danger: Danger) -> Verdict:
    detail: dict[str, object] = {
        "command": stake.change.title,
        "files": list(danger.files)[:20],
        "holders": list(danger.holders)[:20],
    }
    kind = "git.refused" if stake.change.verb.startswith("git") else "edit.refused"
    reason = "claim.held" if danger.holders else "work.left"
    scope.emit(Event(kind, agent_id=scope.actor.agent_id, reason_code=reason, metadata=detail))
    for work in danger.left:
        facts.tell(scope, work, scope.actor.agent_id)
    return _refusal(scope, stake, danger)


def _refusal(scope: Scope, stake: Stake, danger: Danger) -> Verdict:
    if stake.change.bypass is not None:
        hint = f"Nothing was done: {BYPASS} needs a reason in {BYPASS_REASON}."
    elif danger.left:
        hint = (
            "Nothing was done. Copies are kept (`rescue.list`). Commit or adopt what is worth it; run the command "
            "again to throw it away."
        )
    else:
        hint = (
            f"Nothing was done. {_instead(scope, stake, danger)}, or ask {whom(danger.holders[0])} to commit "
            f"first. The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
        )
    return Verdict(False, f"{quoted(stake.change.title)}: {danger.told} {hint}", holders=danger.holders)


def _instead(scope: Scope, stake: Stake, danger: Danger) -> str:
    """The way that harms nobody."""
    if not stake.taken:
        return "Limit the command to your own files"
    own = [work.file_path for work in progress.own_works(scope) if work.file_path not in danger.files]
    named = own_files(own)
    if stake.taken == "staged":
        return f"The index is everybody's. Limit the command to your own files (git reset -q -- {named})"
    return f"Commit your own files by name (git commit -- {named}): what others have staged stays staged"


def own_files(paths: Sequence[str]) -> str:
    """Files as a shell takes them; a word for them where there is none that it takes as it is."""
    return " ".join([path for path in paths if word(path) == path][:5]) or "YOUR-FILES"


def bypassed(scope: Scope, command: str, reason: str, holders: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Record that a person let something through."""
    detail: dict[str, object] = {
        "command": command,
        "reason": reason[:1000],
        "holders": list(holders)[:20],
        "files": list(files)[:20],
    }
    scope.emit(Event("guard.bypassed", agent_id=scope.actor.agent_id, reason_code="guard.bypassed", metadata=detail))
