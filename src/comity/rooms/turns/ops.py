"""Operations of a turn. Hooks of agent hosts call them; each acts for the agent of the host's session."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents import hooked
from comity.rooms.turns import brief, digest, idleness, injections, speaker
from comity.rooms.turns.message_lines import tokens
from comity.rooms.turns.model import (
    BRIEF_TOKENS,
    REMIND_MS,
    TURN_TOKENS,
    Asking,
    Digest,
    InjectionId,
    Moved,
    Prompted,
    Rests,
    Source,
    Tokens,
    Written,
)


@op("turn.start", effect="write", example={"source": "startup"})
def start_turn(scope: Scope, *, source: Source = "startup", budget_tokens: Tokens = BRIEF_TOKENS) -> Digest:
    """Brief an agent whose context begins: who is here, what they hold, and what waits.

    Empty when it is alone. What was injected into the old context and not seen is given again.
    """
    scope = speaker.settle(scope, source)
    hooked.note(scope)
    idleness.end(scope)
    speaker.goes_on(scope)
    injections.forget_unseen(scope)
    new = digest.digest(scope, min(TURN_TOKENS, budget_tokens // 2))
    left = max(budget_tokens - tokens(new.text), budget_tokens // 2)
    text = brief.brief(scope, left)
    return new._replace(text="\n".join(part for part in (text, new.text) if part))


def _looked(scope: Scope, question: str, *, moved: bool, goes_on: bool, **more: int) -> Digest | None:
    settled = speaker.look(scope)
    if settled is None or (goes_on and speaker.leaves_subagents(settled)):
        return None
    told = {"agent_id": settled.actor.agent_id, "now_ms": settled.now.ms, "moved": int(moved), **more}
    row = settled.tx.one(question, **told, **idleness.key(settled))
    return Digest() if row == (0,) else None


def _nothing_new(
    scope: Scope, *, moved: bool = False, prompted: bool = False, budget_tokens: int = TURN_TOKENS
) -> Digest | None:
    return _looked(
        scope, "turns.something_to_do", moved=moved, goes_on=prompted, remind_ms=REMIND_MS, hook_ms=hooked.AGAIN_MS
    )


@op("turn.next", effect="write", example={"budget_tokens": 150}, peek=_nothing_new)
def next_turn(
    scope: Scope, *, moved: Moved = False, prompted: Prompted = False, budget_tokens: Tokens = TURN_TOKENS
) -> Digest:
    """Say what is new since the last turn, most useful first, within a budget; each delivery once."""
    scope = speaker.settle(scope)
    hooked.note(scope)
    idleness.end(scope)
    if prompted:
        speaker.goes_on(scope)
    if moved:
        injections.seen(scope)
    return digest.digest(scope, budget_tokens)


@op("turn.written", effect="write", example={"injection_id": "0190d3f0-0000-7000-8000-000000000000"})
def turn_written(scope: Scope, *, injection_id: InjectionId) -> Written:
    """Confirm that a digest reached the host: its deliveries count as surfaced, and come no more."""
    return injections.written(speaker.settle(scope), injection_id)


def _nothing_urgent(scope: Scope, *, moved: bool = True, ask: bool = True, rests: bool = False) -> Digest | None:
    return _looked(scope, "turns.something_urgent", moved=moved, goes_on=False, rests=int(rests))


@op("turn.stop", effect="write", example={}, peek=_nothing_urgent)
def stop_turn(scope: Scope, *, moved: Moved = True, ask: Asking = True, rests: Rests = False) -> Digest:
    """Ask whether the agent may stop: interrupts it has not dealt with keep it going, once each.

    With ``rests`` it is idle when nothing keeps it going.
    """
    scope = speaker.settle(scope)
    if moved:
        injections.seen(scope)
    found = digest.at_stop(scope) if ask else Digest()
    if rests and not found.text:
        idleness.begin(scope)
    return found
