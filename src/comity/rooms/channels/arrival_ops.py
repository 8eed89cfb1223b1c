"""How an agent comes in that has no id yet, only a name that it would like."""

from __future__ import annotations

from comity.kernel.agent_names import is_made, kind_of, require_free
from comity.kernel.argument import Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents import identity, names, presence, sessions
from comity.rooms.agents.model import Tags
from comity.rooms.channels import membership
from comity.rooms.tokens import credentials

WantedName = Annotated[
    str, Text("A type of agent such as claude, or a whole name such as claude-calm-otter.", min=1, max=64)
]


class Joined(NamedTuple):
    """Who the session is from now on. ``kind`` is the type of agent that it came in as."""

    agent_id: str
    session_id: str
    name: str
    kind: str


@op("session.join", effect="write", example={"name": "claude"})
def join_session(scope: Scope, *, name: WantedName | None = None, interest_tags: Tags | None = None) -> Joined:
    """Register as an agent of a type, or under a name that nobody alive has, and join the channel.

    A type gets two words after it that no other agent has: several of one type are several agents. A whole name brings
    back the agent that had it; while that one lives in another session, a new name of its type is given instead. A
    session that is an agent already stays it, and a caller that a host started is the agent of its host's session.
    Without a name the caller comes in under the one that it has.
    """
    wanted = as_name(name or scope.actor.name)
    scope = _present(scope) or _chosen(scope, wanted)
    actor = scope.actor
    tags = actor.interest_tags if interest_tags is None else interest_tags
    sessions.register(scope, tags, actor.max_pending_messages, actor.max_context_bytes, None)
    if actor.channel:
        membership.join(scope, actor.channel)
    return Joined(actor.agent_id, actor.session_id, actor.name, kind_of(wanted))


def _present(scope: Scope) -> Scope | None:
    """As the agent that the session is already; None when it is none."""
    holder = scope.tx.one("agents.session_holder", session_id=scope.actor.session_id)
    if holder is None:
        return None
    known = scope.tx.one("agents.name_of", agent_id=holder[0])
    return scope.acting_as(scope.actor._replace(agent_id=holder[0], name=known[0] if known else holder[0]))


def _chosen(scope: Scope, wanted: str) -> Scope:
    """As the agent that a newcomer with this name is."""
    require_free(wanted, kind_of(wanted))
    name = wanted
    if not is_made(wanted) or _lives(scope, wanted) or credentials.owned(scope, wanted):
        name = names.make(kind_of(wanted), _names(scope, wanted), scope.new_id())
    scope = scope.acting_as(scope.actor._replace(agent_id=name, name=name))
    if scope.actor.host is None:
        return scope
    agent_id, name = identity.known_as(scope, scope.actor.host)
    return scope.acting_as(scope.actor._replace(agent_id=agent_id, name=name))


def as_name(name: str) -> str:
    """The name with dashes in the place of what cannot stand in a mention."""
    words = "".join(letter if letter.isalnum() or letter in "_." else " " for letter in name.strip()).split()
    return "-".join(words) or "agent"


def _lives(scope: Scope, agent_id: str) -> bool:
    """Whether another session is this agent, as far as can be known, or another agent goes by this name."""
    rows = scope.tx.all("agents.active_called", name=agent_id)
    dead = {one.session_id for one in presence.dead(scope)} if rows else set()
    return any(row[1] != scope.actor.session_id and row[1] not in dead for row in rows)


def _names(scope: Scope, wanted: str) -> set[str]:
    """Names and ids of agents, past ones too, that begin as a made name would."""
    rows = scope.tx.all("agents.names_from", low=kind_of(wanted), high=kind_of(wanted) + "~")
    return {str(value) for row in rows for value in row}
