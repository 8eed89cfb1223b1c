"""Announcing: a channel message that also reaches, one by one, those whom it mentions."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.javascript import trim
from comity.kernel.problem import Invalid, Problem, Refused
from comity.kernel.quoting import called, word
from comity.kernel.scope import Scope
from comity.rooms.agents import presence
from comity.rooms.channels import mentions, send
from comity.rooms.channels.deliveries import insert
from comity.rooms.channels.mentions import Meant, Person
from comity.rooms.channels.model import Announced, Draft, Refusal, Sent, Waiting

MOST_MENTIONS = 50
STEERING = 2
_QUOTED = 4000  # characters of a channel message that a mention repeats
_SCANNED = 10_000  # rows of the channel's log in which a repeated message is looked for


def announce(scope: Scope, channel: str, content: str, priority: int | str) -> Announced:
    """Say it to the channel, then tell everybody who is mentioned. What a recipient refused is told."""
    text = trim(content)
    if not text:
        raise Invalid("message.blank", "A message is more than blanks.", "Say something.")
    draft = Draft(text, priority, "broadcast", [], 1, [], None, "text/plain", "received")
    mentioned = mentions.read(content)  # untrimmed: what is indented is code
    sure = sum(one.sure for one in mentioned)
    if sure > MOST_MENTIONS:
        raise Invalid(
            "message.many_mentions",
            f"The message mentions {sure} names; at most {MOST_MENTIONS} are told.",
            "Mention a type with @@, or send it to the channel without mentions.",
        )
    sent = send.broadcast(scope, channel, draft)
    written = len(sent.delivery_ids)
    if not sent.delivery_ids and not sent.refused:
        _keep(scope, channel, draft, sent.message_id)
        written = 1
    meant = Meant([], []) if sent.repeated else _meant(scope, mentioned)
    told, refused, waiting = _tell(scope, channel, draft, sent, meant.agent_ids)
    row = scope.tx.one(
        "channels.sequence",
        channel_id=channel,
        message_id=sent.message_id,
        limit=_SCANNED if sent.repeated else written,
    )
    return Announced(
        sent.message_id,
        row[0] if row is not None and row[0] is not None else 0,
        channel,
        len(sent.recipient_agent_ids),
        told,
        meant.unknown,
        (*sent.refused, *refused),
        sent.repeated,
        (*waiting, *(one for one in sent.waiting if one.agent_id not in told)),
    )


def _keep(scope: Scope, channel: str, draft: Draft, message_id: str) -> None:
    """Nobody else is in the channel: the sender's own copy keeps the message for those who join later."""
    events: list[Event] = []
    me = scope.actor.agent_id
    row = scope.tx.one("channels.next_sequence", agent_id=me)
    insert(scope, [(me, row[0] if row is not None else 1)], draft, message_id, channel, events, acknowledged=True)
    scope.emit(*events)


def _meant(scope: Scope, mentioned: list[mentions.Mention]) -> Meant:
    if not mentioned:
        return Meant([], [])
    me = scope.actor.agent_id
    here = [Person(agent_id, name) for agent_id, name in scope.tx.all("channels.present")]
    mine = [person for person in here if person.agent_id == me]
    own = {one for one in mentioned if not one.all and mine and one.name in mine[0][:2]}

    def living() -> dict[str, bool]:
        states = {one.agent_id: verdict.state for one, verdict in presence.verdicts(scope)}
        known = ((person.agent_id, states.get(person.agent_id)) for person in here)
        return {agent_id: state != "lapsed" for agent_id, state in known if state != "dead"}

    others = [person for person in here if person.agent_id != me]
    return mentions.resolve([one for one in mentioned if one not in own], others, living)


def _tell(
    scope: Scope, channel: str, draft: Draft, sent: Sent, agent_ids: list[str]
) -> tuple[list[str], list[Refusal], list[Waiting]]:
    """A direct delivery to each; who got one, who did not, and who does not see it now."""
    if not agent_ids:
        return [], [], []
    name = called(scope.actor.name, scope.actor.agent_id)
    more = f" (the beginning; all of it is message {sent.message_id})" if len(draft.content) > _QUOTED else ""
    direct = draft._replace(
        content=f"{name} mentions you in channel {word(channel)}: {draft.content[:_QUOTED]}{more}",
        priority=max(STEERING, draft.level),
        type="mention",
        source_references=[f"message:{sent.message_id}"],
    )
    told: list[str] = []
    refused: list[Refusal] = []
    waiting: list[Waiting] = []
    for agent_id in agent_ids:
        try:
            waiting += send.send(scope, agent_id, direct).waiting
            told.append(agent_id)
        except (Refused, Problem) as error:
            problem = error.problem if isinstance(error, Refused) else error
            refused.append(Refusal(agent_id, problem.reason, problem.message))
    return told, refused, waiting
