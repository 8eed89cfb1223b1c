"""The types of ``api.py``: every operation as a method of its noun. ``tests/test_api.py`` keeps them true."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from comity.kernel.op import Op
from comity.rooms.agents import ops as agents
from comity.rooms.channels import announcement_ops as announcing
from comity.rooms.channels import arrival_ops as entering
from comity.rooms.channels import catch_up_ops as catching
from comity.rooms.channels import ops as channels
from comity.rooms.claims import ops as claims
from comity.rooms.context import ops as context
from comity.rooms.edits import command_ops as commands
from comity.rooms.edits import ops as edits
from comity.rooms.goals import ops as goals
from comity.rooms.lifecycle import ops as lifecycle
from comity.rooms.lifecycle import session_begin_ops as beginning
from comity.rooms.memory import ops as memory
from comity.rooms.profiles import ops as profiles
from comity.rooms.tasks import addition_ops as adding
from comity.rooms.tasks import named_action_ops as acting
from comity.rooms.tasks import ops as tasks
from comity.rooms.tasks import survey_ops as surveying
from comity.rooms.tokens import ops as tokens
from comity.rooms.turns import identity_ops as joining
from comity.rooms.turns import ops as turns
from comity.rooms.turns import wakeup_ops as waking
from comity.rooms.vault import ops as vault

P = ParamSpec("P")
R = TypeVar("R")

class Calls(Protocol):
    """Whatever runs an operation by name."""

    def call(self, name: str, arguments: Mapping[str, object], /) -> Any: ...

class Noun:
    """The operations on one kind of thing."""

    calls: Calls
    def __init__(self, calls: Calls) -> None: ...

class Method(Generic[P, R]):
    """An operation as a method of its noun."""

    def __init__(self, op: Op[P, R]) -> None: ...
    @overload
    def __get__(self, noun: None, owner: type) -> Method[P, R]: ...
    @overload
    def __get__(self, noun: Noun, owner: type) -> Callable[P, R]: ...

class SessionCalls(Noun):
    """The agent's session."""

    start = Method(channels.start_session)
    begin = Method(beginning.begin_session)
    join = Method(entering.join_session)
    renew = Method(agents.renew_session)
    end = Method(lifecycle.end_session)
    leave = Method(lifecycle.leave_session)
    identify = Method(joining.identify_session)

class ChannelCalls(Noun):
    """Channels."""

    join = Method(channels.join_channel)
    leave = Method(channels.leave_channel)

class MessageCalls(Noun):
    """Messages and their deliveries."""

    broadcast = Method(channels.broadcast_message)
    send = Method(channels.send_message)
    announce = Method(announcing.announce_message)
    history = Method(announcing.message_history)
    catch_up = Method(catching.catch_up_messages)
    poll = Method(channels.poll_messages)
    read = Method(channels.read_message)
    ack = Method(channels.acknowledge_message)

class ReceiptCalls(Noun):
    """What became of messages."""

    list = Method(channels.list_receipts)

class AgentCalls(Noun):
    """Agents."""

    list = Method(lifecycle.list_agents)
    context = Method(lifecycle.agent_context)
    sleep = Method(lifecycle.sleep_agent)
    deactivate = Method(lifecycle.deactivate_agent)
    delete = Method(lifecycle.delete_agent)
    dead = Method(agents.dead_agents)
    reap = Method(lifecycle.reap_agents)

class GoalCalls(Noun):
    """Goals."""

    create = Method(goals.create_goal)
    list = Method(goals.list_goals)
    get = Method(goals.get_goal)
    update = Method(goals.update_goal)
    cascade = Method(goals.cascade_goals)

class TaskCalls(Noun):
    """Tasks."""

    dispatch = Method(tasks.dispatch_task)
    add = Method(adding.add_task)
    add_many = Method(adding.add_many_tasks)
    prioritize = Method(adding.prioritize_task)
    transition = Method(acting.transition_task)
    take_next = Method(acting.take_next_task)
    claim = Method(tasks.claim_task)
    start = Method(tasks.start_task)
    complete = Method(tasks.complete_task)
    block = Method(tasks.block_task)
    cancel = Method(tasks.cancel_task)
    release = Method(tasks.release_task)
    get = Method(tasks.get_task)
    list = Method(tasks.list_tasks)
    survey = Method(surveying.survey_tasks)
    archive = Method(tasks.archive_tasks)
    ready = Method(tasks.ready_tasks)
    next = Method(tasks.next_task)
    depend = Method(tasks.depend_task)
    history = Method(tasks.task_history)

class ClaimCalls(Noun):
    """File claims."""

    acquire = Method(claims.acquire_claim)
    renew = Method(claims.renew_claim)
    release = Method(claims.release_claim)
    list = Method(claims.list_claims)

class MemoryCalls(Noun):
    """Shared memory."""

    set = Method(memory.set_memory)
    get = Method(memory.get_memory)
    search = Method(memory.search_memories)
    list = Method(memory.list_memories)
    delete = Method(memory.delete_memory)
    resolve = Method(memory.resolve_memory)
    history = Method(memory.memory_history)

class ProfileCalls(Noun):
    """Profiles."""

    register = Method(profiles.register_profile)
    get = Method(profiles.get_profile)
    list = Method(profiles.list_profiles)
    find = Method(profiles.find_profiles)

class VaultCalls(Noun):
    """Documents."""

    register = Method(vault.register_vault)
    search = Method(vault.search_vault)
    get = Method(vault.get_doc)
    list = Method(vault.list_docs)

class ContextCalls(Noun):
    """Everything that is known."""

    query = Method(context.query_context)

class SearchCalls(Noun):
    """Search by relevance."""

    find = Method(context.find)

class TurnCalls(Noun):
    """What reaches an agent inside its loop."""

    start = Method(turns.start_turn)
    next = Method(turns.next_turn)
    written = Method(turns.turn_written)
    stop = Method(turns.stop_turn)
    watch = Method(waking.watch_turn)
    wake = Method(waking.wake_turn)

class EditCalls(Noun):
    """Guarded edits."""

    check = Method(edits.check_edit)
    compare = Method(commands.compare_edits)
    held = Method(commands.held_edits)

class CommandCalls(Noun):
    """Shell commands."""

    check = Method(commands.check_command)

class GitCalls(Noun):
    """Git, before it takes a peer's work away."""

    check = Method(commands.check_git)

class GuideCalls(Noun):
    """Guidance for agents."""

    show = Method(lifecycle.show_guide)
    next = Method(beginning.next_guide)

class EventCalls(Noun):
    """The log."""

    list = Method(lifecycle.list_events)

class WorkspaceCalls(Noun):
    """The workspace as a whole."""

    status = Method(lifecycle.workspace_status)
    overview = Method(beginning.workspace_overview)
    check = Method(beginning.check_workspace)
    place = Method(beginning.place_workspace)
    prune = Method(lifecycle.prune_workspace)

class TokenCalls(Noun):
    """Who may use the server over the network."""

    create = Method(tokens.create_token)
    list = Method(tokens.list_tokens)
    get = Method(tokens.get_token)
    revoke = Method(tokens.revoke_token)
    check = Method(tokens.check_token)
    touch = Method(tokens.touch_tokens)
