"""What is checked before a task moves, each check with what it tells those it refuses."""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.machine import Unheard
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Forbidden
from comity.kernel.quoting import called, title, word
from comity.kernel.record import to_json
from comity.kernel.scope import Scope
from comity.rooms.tasks.lookup import facts
from comity.rooms.tasks.machine import HELD, MACHINE, Check, Heard
from comity.rooms.tasks.model import Found, label, normal_slug


class Move(NamedTuple):
    """Who wants what of which task."""

    scope: Scope
    seen: Found
    heard: Heard


def my_profile(scope: Scope) -> str | None:
    """The caller's profile, normalised; other programs store it as it was given (reference E-13)."""
    row = scope.tx.one("tasks.my_profile", agent_id=scope.actor.agent_id)
    return normal_slug(row[0]) if row is not None and isinstance(row[0], str) else None


def _check_free_or_mine(move: Move) -> None:
    holder = move.seen.task.assigned_agent_id
    if holder is not None and holder != move.scope.actor.agent_id:
        raise taken(move.scope, move.seen)


def taken(scope: Scope, seen: Found) -> Conflict:
    """What the losers of a race are told: who won, and since when."""
    task = seen.task
    row = scope.tx.one("tasks.agent_name", agent_id=task.assigned_agent_id)
    who = title(task.assigned_agent_id or "", row[0] if row is not None else None)
    return Conflict(
        "task.taken",
        f"{label(task)} belongs to {who}: {word(task.status)} since {word(task.updated_at)}.",
        "Take another one: the list of ready tasks has what is free. Ask its holder if you need this one.",
        **facts(seen),
        holderName=row[0] if row is not None else None,
        since=task.updated_at,
    )


def _check_mine(move: Move) -> None:
    task = move.seen.task
    if task.assigned_agent_id == move.scope.actor.agent_id:
        return
    whose = f"assigned to {called(task.assigned_agent_id)}" if task.assigned_agent_id else "assigned to nobody"
    hint = "Only its holder may do that." if task.assigned_agent_id else "Claim it first."
    raise Forbidden("task.not_yours", f"{label(task)} is {whose}, not to you.", hint, **facts(move.seen))


def _check_mine_or_dispatched(move: Move) -> None:
    task = move.seen.task
    if move.scope.actor.agent_id in (task.assigned_agent_id, task.dispatcher_agent_id):
        return
    dispatcher = called(task.dispatcher_agent_id)
    raise Forbidden(
        "task.not_yours",
        f"{label(task)} is assigned to {called(task.assigned_agent_id or 'nobody')}, not to you.",
        f"Only its holder and its dispatcher, {dispatcher}, may {move.heard} it. Ask one of them.",
        **facts(move.seen),
    )


def _check_free_mine_or_dispatched(move: Move) -> None:
    if move.seen.task.assigned_agent_id is not None:
        _check_mine_or_dispatched(move)


def _check_profile(move: Move) -> None:
    wanted = move.seen.task.profile_slug
    if wanted is None:
        return
    mine = my_profile(move.scope)
    if mine != normal_slug(wanted):
        raise Forbidden(
            "task.other_profile",
            f"{label(move.seen.task)} is for agents of profile {word(wanted)}; yours is {word(mine or 'none')}.",
            "Take another task, or register with that profile.",
            **facts(move.seen),
            profileSlug=wanted,
            yourProfileSlug=mine,
        )


def _check_state(move: Move) -> None:
    to = MACHINE.step(move.seen.task.status, move.heard)
    if isinstance(to, Unheard):
        hint = f"That is possible while it is {' or '.join(to.possible_in)}."
        if move.seen.task.assigned_agent_id == move.scope.actor.agent_id and move.seen.task.status in HELD:
            hint += " You hold it already."
        raise Conflict(
            "task.wrong_state",
            f"{label(move.seen.task)} is {word(move.seen.task.status)}; you cannot {move.heard} it.",
            hint,
            **facts(move.seen),
            possibleIn=list(to.possible_in),
        )


def _check_ready(move: Move) -> None:
    waiting = move.seen.task.waiting_on
    if move.seen.task.status == "pending" and waiting:
        named = ", ".join(f"{word(one.number or one.task_id)} ({word(one.status)})" for one in waiting[:10])
        dead = any(one.status == "cancelled" for one in waiting)
        raise Conflict(
            "task.waiting",
            f"{label(move.seen.task)} waits for {named}.",
            "What it waits for was cancelled: give it other dependencies, or cancel it."
            if dead
            else "Do those first, or take another task.",
            **facts(move.seen),
            waitingOn=[to_json(one) for one in waiting],
        )


CHECKS: dict[Check, Callable[[Move], None]] = {
    "free_or_mine": _check_free_or_mine,
    "mine": _check_mine,
    "mine_or_dispatched": _check_mine_or_dispatched,
    "free_mine_or_dispatched": _check_free_mine_or_dispatched,
    "profile": _check_profile,
    "state": _check_state,
    "ready": _check_ready,
}
