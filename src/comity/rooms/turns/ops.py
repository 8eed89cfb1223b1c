"""Operations of a turn. Hooks of agent hosts call them; each acts for the agent of the host's session."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.turns import brief, digest, seeing, settling
from comity.rooms.turns.model import (
    BRIEF_TOKENS,
    TURN_TOKENS,
    Digest,
    Identity,
    InjectionId,
    Moved,
    Source,
    Tokens,
    Written,
)


def _known(scope: Scope) -> Identity | None:
    settled = settling.look(scope)
    return None if settled is None else Identity(*settled.actor[:2])


@op("session.identify", effect="write", example={}, peek=_known)
def identify_session(scope: Scope) -> Identity:
    """Say which agent a session of an agent host is, registering it when it is new."""
    return Identity(*settling.settle(scope).actor[:2])


@op("turn.start", effect="write", example={"source": "startup"})
def start_turn(scope: Scope, *, source: Source = "startup", budget_tokens: Tokens = BRIEF_TOKENS) -> Digest:
    """Brief an agent whose context begins: who is here, what they hold, and what waits. Empty when it is alone."""
    scope = settling.settle(scope, anew=source != "startup")
    seeing.seen(scope)
    text = brief.brief(scope, budget_tokens)
    new = digest.digest(scope, TURN_TOKENS)
    return new._replace(text="\n".join(part for part in (text, new.text) if part))


def _nothing_new(scope: Scope, *, moved: bool = False, budget_tokens: int = TURN_TOKENS) -> Digest | None:
    settled = settling.look(scope)
    if settled is None:
        return None
    row = settled.tx.one(
        "turns.something_to_do", agent_id=settled.actor.agent_id, now_ms=settled.now.ms, moved=int(moved)
    )
    return Digest() if row == (0,) else None


@op("turn.next", effect="write", example={"budget_tokens": 150}, peek=_nothing_new)
def next_turn(scope: Scope, *, moved: Moved = False, budget_tokens: Tokens = TURN_TOKENS) -> Digest:
    """Say what is new since the last turn, most useful first, within a budget; each delivery once."""
    scope = settling.settle(scope)
    if moved:
        seeing.seen(scope)
    return digest.digest(scope, budget_tokens)


@op("turn.written", effect="write", example={"injection_id": "0190d3f0-0000-7000-8000-000000000000"})
def turn_written(scope: Scope, *, injection_id: InjectionId) -> Written:
    """Confirm that a digest reached the host: its deliveries count as surfaced, and come no more."""
    return seeing.written(settling.settle(scope), injection_id)


@op("turn.stop", effect="write", example={}, peek=_nothing_new)
def stop_turn(scope: Scope, *, moved: Moved = True, budget_tokens: Tokens = TURN_TOKENS) -> Digest:
    """Ask whether the agent may stop: unread interrupts, once each, for which it is to go on."""
    scope = settling.settle(scope)
    if moved:
        seeing.seen(scope)
    return digest.digest(scope, budget_tokens, only_interrupts=True)
