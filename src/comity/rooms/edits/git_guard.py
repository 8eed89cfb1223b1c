"""The guard before git commands that sweep a work tree: refused only when a living peer would lose work.

Work at stake is what a peer holds exclusively and has changed; a stash entry that a peer made; and, told of but never
refused, commits of a remote branch.
"""

from __future__ import annotations

import os

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.rooms.agents import identity
from comity.rooms.claims import release
from comity.rooms.claims.overlaps import Met
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import edit_guard
from comity.rooms.edits.breaches import held_by_peers
from comity.rooms.edits.claim_words import MOST_TOLD, says, some, whom
from comity.rooms.edits.edit_guard import EDIT_TAKES_MS, barring_others
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.unrecorded_refusals import family, living
from comity.rooms.turns import speaker
from comity.shell.git_commands import BYPASS, BYPASS_REASON, Sweep
from comity.system import git

STASH_TAKES_MS = 120_000
KEPT_MS = 90 * 86_400_000
_MOST_ENTRIES = 200


class Stake(NamedTuple):
    """What a command may take away, as git tells: changed files, stash entries with their files, remote commits.

    ``unknown``: git did not say in time what has changed; ``files`` are then what the command is limited to, if it is.
    """

    sweep: Sweep
    base: Base
    files: tuple[str, ...] = ()
    entries: tuple[tuple[git.Stash, tuple[str, ...]], ...] = ()
    commits: tuple[str, ...] = ()
    unknown: bool = False


class Danger(NamedTuple):
    """What a peer would lose."""

    holders: tuple[str, ...]
    files: tuple[str, ...]
    told: str


def place(base: Base, folder: str) -> Base:
    """The work tree that a command in ``folder`` works on, which need not be the agent's own."""
    folder = os.path.realpath(folder)
    found = git.top(folder)
    if found is None or base.folder == found or _within(base.folder, found):
        return base
    main = os.path.realpath(base.repository)
    if main == found or _within(main, found):
        return Base(base.repository, "", main, base.fold)
    return Base(base.repository, found, found, base.fold)


def _within(path: str, folder: str) -> bool:
    return path.startswith(os.path.join(folder, ""))


def others(scope: Scope) -> bool:
    """Whether other agents are about."""
    return edit_guard.others(speaker.look(scope) or scope)


def held(scope: Scope, base: Base) -> bool:
    """Whether any of them holds something in this work tree."""
    return bool(held_by_peers(speaker.look(scope) or scope, base))


def sweeps_now(scope: Scope) -> bool:
    """Whether the actor was let sweep and is not known to be done."""
    agent_id = (speaker.look(scope) or scope).actor.agent_id
    return scope.tx.one("edits.sweep_runs", agent_id=agent_id) is not None


def over(scope: Scope) -> None:
    """The actor's command has ended."""
    scope.tx.run("edits.sweep_over", agent_id=speaker.settle(scope).actor.agent_id)


def stake(sweep: Sweep, base: Base, folder: str) -> Stake:
    """Ask git, outside any transaction."""
    if sweep.loss == "stash":
        return Stake(sweep, base, entries=_entries(sweep, folder))
    if sweep.loss == "commits":
        return Stake(sweep, base, commits=tuple(git.overwritten_commits(folder, sweep.argument) or ()))
    listed = git.changed(folder, untracked=sweep.loss != "tracked", ignored="x" in sweep.argument)
    limits = [os.path.realpath(os.path.join(folder, path)) for path in sweep.paths]
    if listed is None:
        limits = limits or [os.path.realpath(folder) if sweep.loss == "untracked" else base.folder]
        whole = any(base.folder == limit or _within(base.folder, limit) for limit in limits)
        inside = [os.path.relpath(limit, base.folder) for limit in limits if _within(limit, base.folder)]
        return Stake(sweep, base, files=() if whole else tuple(inside), unknown=whole or bool(inside))
    paths = [*(listed.tracked if sweep.loss != "untracked" else ())]
    paths += listed.untracked if sweep.loss != "tracked" else ()
    paths += listed.ignored if "x" in sweep.argument else ()
    if limits:
        paths = [path for path in paths if any(path == limit or _within(path, limit) for limit in limits)]
    elif sweep.loss == "untracked":  # clean stays in its folder
        paths = [path for path in paths if _within(path, os.path.realpath(folder))]
    inside = [os.path.relpath(path, base.folder) for path in paths if _within(path, base.folder)]
    return Stake(sweep, base, files=tuple(inside))


def _entries(sweep: Sweep, folder: str) -> tuple[tuple[git.Stash, tuple[str, ...]], ...]:
    known = git.stashes(folder)
    if "*" not in sweep.argument:
        wanted = sweep.argument[0] if sweep.argument else "stash@{0}"
        wanted = f"stash@{{{wanted}}}" if wanted.isdigit() else wanted
        known = [entry for entry in known if entry.name == wanted]
    return tuple((entry, tuple(git.stashed_files(folder, entry.name) or ())) for entry in known[:_MOST_ENTRIES])


def barred(scope: Scope, stakes: list[Stake], reason: str) -> Verdict | None:
    """The refusal by reading alone, where a living peer would lose work; nothing else is decided."""
    scope, kin = family(scope)
    for stake in stakes:
        danger = None if stake.sweep.bypass or reason else _danger(scope, stake, kin)
        if danger is not None:
            return _refusal(stake, danger, asked=stake.sweep.bypass is not None)
    return None


def check(scope: Scope, stakes: list[Stake], reason: str) -> Verdict:
    """The verdict on all of them; a refusal, or what lets it through, is an event."""
    scope = speaker.settle(scope)
    release.release_deserted(scope)
    warnings = []
    kin = {scope.actor.agent_id, *identity.ancestors(scope, scope.actor.agent_id)}
    for stake in stakes:
        danger = _danger(scope, stake, kin)
        why = stake.sweep.bypass or reason
        if danger is not None and not why:
            return _refused(scope, stake, danger, asked=stake.sweep.bypass is not None)
        if danger is not None:
            bypassed(scope, stake.sweep.title, why, danger.holders, danger.files)
            warnings.append(f"{danger.told} It was let through: {quoted(why, 200)}")
        if stake.commits:
            warnings.append(_lost_commits(stake))
        if stake.sweep.loss in ("tracked", "untracked", "both"):
            scope.tx.run(
                "edits.swept",
                agent_id=scope.actor.agent_id,
                repository=stake.base.repository,
                worktree=stake.base.worktree,
                now_ms=scope.now.ms,
                title=stake.sweep.title,
            )
        if stake.sweep.saves:
            scope.tx.run("edits.forget_stashes", before_ms=scope.now.ms - KEPT_MS)
            scope.tx.run(
                "edits.stashed",
                repository=stake.base.repository,
                now_ms=scope.now.ms,
                agent_id=scope.actor.agent_id,
            )
    return Verdict(allowed=True, warning="\n".join(warnings[:MOST_TOLD]))


def _danger(scope: Scope, stake: Stake, kin: set[str]) -> Danger | None:
    if stake.entries:
        return _stashed_by_peers(scope, stake)
    if stake.sweep.loss in ("stash", "commits"):
        return None
    if stake.unknown:
        targets = [Target(path, tree=True) for path in stake.files] or _all_held(scope, stake.base)
    else:
        targets = [Target(path, tree=False) for path in [*stake.files, *_pending(scope, stake, kin)]]
    if not targets:
        return None
    barring = living(scope, barring_others(scope, stake.base, targets, kin))
    if not barring:
        return None
    holders = tuple(dict.fromkeys(one.held.agent_id for one in barring))
    files = tuple(sorted({path for one in barring for path in one.files}))
    return Danger(holders, files, _lost_files(scope, barring, files, unknown=stake.unknown))


def _all_held(scope: Scope, base: Base) -> list[Target]:
    """What peers hold there, whether it has changed or not."""
    return [Target(one.file_path, bool(one.tree)) for one in held_by_peers(scope, base)]


def _pending(scope: Scope, stake: Stake, kin: set[str]) -> list[str]:
    """Files that others were let edit just now and have not written yet."""
    base = stake.base
    since_ms = scope.now.ms - EDIT_TAKES_MS
    rows = scope.tx.all("edits.edited_since", repository=base.repository, worktree=base.worktree, since_ms=since_ms)
    found = []
    for path, agent_id, edited_ms in rows:
        if agent_id not in kin:
            try:
                written_ms = os.stat(os.path.join(base.folder, path)).st_mtime_ns // 1_000_000
            except OSError:
                written_ms = 0
            if written_ms < edited_ms:
                found.append(str(path))
    return found


def _lost_files(scope: Scope, barring: list[Met], files: tuple[str, ...], *, unknown: bool) -> str:
    told = " ".join(says(scope, one) for one in barring[:MOST_TOLD])
    if unknown:
        return f"git did not say in time what has changed, so it may take away changes of {some(list(files))}. {told}"
    return f"It would take away uncommitted changes of {some(list(files))}. {told}"


def _stashed_by_peers(scope: Scope, stake: Stake) -> Danger | None:
    """Entries that a living peer was let make shortly before they were made."""
    holders: dict[str, str] = {}
    names: list[str] = []
    files: list[str] = []
    for entry, paths in stake.entries:
        maker = scope.tx.one(
            "edits.stasher",
            repository=stake.base.repository,
            from_ms=entry.made_ms - STASH_TAKES_MS,
            until_ms=entry.made_ms + 1000,
        )
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
    what = quoted(stake.sweep.title)
    return f"{what} takes commits away from the remote branch that are not in what you push: {shown}{more}."


def _refused(scope: Scope, stake: Stake, danger: Danger, *, asked: bool) -> Verdict:
    detail: dict[str, object] = {
        "command": stake.sweep.title,
        "files": list(danger.files)[:20],
        "holders": list(danger.holders)[:20],
    }
    scope.emit(Event("git.refused", agent_id=scope.actor.agent_id, reason_code="claim.held", metadata=detail))
    return _refusal(stake, danger, asked=asked)


def _refusal(stake: Stake, danger: Danger, *, asked: bool) -> Verdict:
    hint = (
        f"Nothing was done. Limit the command to your own files, or ask {whom(danger.holders[0])} to commit "
        f"first. The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
    )
    if asked:
        hint = f"Nothing was done: {BYPASS} needs a reason in {BYPASS_REASON}."
    return Verdict(False, f"{quoted(stake.sweep.title)}: {danger.told} {hint}", holders=danger.holders)


def bypassed(scope: Scope, command: str, reason: str, holders: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Record that a person let something through."""
    detail: dict[str, object] = {
        "command": command,
        "reason": reason[:1000],
        "holders": list(holders)[:20],
        "files": list(files)[:20],
    }
    scope.emit(Event("guard.bypassed", agent_id=scope.actor.agent_id, reason_code="guard.bypassed", metadata=detail))
