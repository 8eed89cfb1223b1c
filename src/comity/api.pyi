"""The types of ``api.py``: every operation as a method of its noun. Written by `make generate`."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from comity.kernel.op import Op
from comity.rooms.agents import errand_ops as agents_errand_ops
from comity.rooms.agents import ops as agents_ops
from comity.rooms.channels import announcement_ops as channels_announcement_ops
from comity.rooms.channels import arrival_ops as channels_arrival_ops
from comity.rooms.channels import catch_up_ops as channels_catch_up_ops
from comity.rooms.channels import lapse_ops as channels_lapse_ops
from comity.rooms.channels import ops as channels_ops
from comity.rooms.claims import ops as claims_ops
from comity.rooms.context import ops as context_ops
from comity.rooms.edits import command_ops as edits_command_ops
from comity.rooms.edits import compare_ops as edits_compare_ops
from comity.rooms.edits import landing_ops as edits_landing_ops
from comity.rooms.edits import line_ops as edits_line_ops
from comity.rooms.edits import ops as edits_ops
from comity.rooms.edits import pending_ops as edits_pending_ops
from comity.rooms.edits import work_ops as edits_work_ops
from comity.rooms.goals import ops as goals_ops
from comity.rooms.integration import ops as integration_ops
from comity.rooms.jobs import ops as jobs_ops
from comity.rooms.jobs import runner_ops as jobs_runner_ops
from comity.rooms.lifecycle import ops as lifecycle_ops
from comity.rooms.lifecycle import pause_ops as lifecycle_pause_ops
from comity.rooms.lifecycle import session_begin_ops as lifecycle_session_begin_ops
from comity.rooms.memory import ops as memory_ops
from comity.rooms.plans import ops as plans_ops
from comity.rooms.profiles import ops as profiles_ops
from comity.rooms.radar import ops as radar_ops
from comity.rooms.rescue import ops as rescue_ops
from comity.rooms.tasks import addition_ops as tasks_addition_ops
from comity.rooms.tasks import named_action_ops as tasks_named_action_ops
from comity.rooms.tasks import ops as tasks_ops
from comity.rooms.tasks import survey_ops as tasks_survey_ops
from comity.rooms.tokens import ops as tokens_ops
from comity.rooms.turns import identity_ops as turns_identity_ops
from comity.rooms.turns import ops as turns_ops
from comity.rooms.turns import wakeup_ops as turns_wakeup_ops
from comity.rooms.vault import ops as vault_ops
from comity.rooms.worktrees import ops as worktrees_ops

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

class AgentCalls(Noun):
    """The operations ``agent.*``."""

    dead = Method(agents_ops.dead_agents)
    list = Method(lifecycle_ops.list_agents)
    hooks = Method(lifecycle_ops.agent_hooks)
    context = Method(lifecycle_ops.agent_context)
    sleep = Method(lifecycle_ops.sleep_agent)
    deactivate = Method(lifecycle_ops.deactivate_agent)
    delete = Method(lifecycle_ops.delete_agent)
    reap = Method(lifecycle_ops.reap_agents)

class ChannelCalls(Noun):
    """The operations ``channel.*``."""

    join = Method(channels_ops.join_channel)
    leave = Method(channels_ops.leave_channel)

class ClaimCalls(Noun):
    """The operations ``claim.*``."""

    acquire = Method(claims_ops.acquire_claim)
    renew = Method(claims_ops.renew_claim)
    release = Method(claims_ops.release_claim)
    list = Method(claims_ops.list_claims)
    settle = Method(edits_line_ops.settle_line)

class CommandCalls(Noun):
    """The operations ``command.*``."""

    check = Method(edits_command_ops.check_command)

class ContextCalls(Noun):
    """The operations ``context.*``."""

    query = Method(context_ops.query_context)

class EditCalls(Noun):
    """The operations ``edit.*``."""

    held = Method(edits_command_ops.held_edits)
    compare = Method(edits_compare_ops.compare_edits)
    landed = Method(edits_landing_ops.landed_edits)
    check = Method(edits_ops.check_edit)
    pending = Method(edits_pending_ops.pending_edits)

class EventCalls(Noun):
    """The operations ``event.*``."""

    list = Method(lifecycle_ops.list_events)

class GitCalls(Noun):
    """The operations ``git.*``."""

    check = Method(edits_command_ops.check_git)

class GoalCalls(Noun):
    """The operations ``goal.*``."""

    create = Method(goals_ops.create_goal)
    list = Method(goals_ops.list_goals)
    get = Method(goals_ops.get_goal)
    update = Method(goals_ops.update_goal)
    cascade = Method(goals_ops.cascade_goals)

class GuideCalls(Noun):
    """The operations ``guide.*``."""

    show = Method(lifecycle_ops.show_guide)
    next = Method(lifecycle_session_begin_ops.next_guide)

class IntegrationCalls(Noun):
    """The operations ``integration.*``."""

    run = Method(integration_ops.run_integration)
    begin = Method(integration_ops.begin_integration)
    list = Method(integration_ops.list_integrations)
    mend = Method(integration_ops.mend_integrations)

class JobCalls(Noun):
    """The operations ``job.*``."""

    get = Method(jobs_ops.get_job)
    list = Method(jobs_ops.list_jobs)
    cancel = Method(jobs_ops.cancel_job)
    take = Method(jobs_runner_ops.take_job)
    renew = Method(jobs_runner_ops.renew_job)
    finish = Method(jobs_runner_ops.finish_job)
    reap = Method(jobs_runner_ops.reap_jobs)

class MemoryCalls(Noun):
    """The operations ``memory.*``."""

    set = Method(memory_ops.set_memory)
    get = Method(memory_ops.get_memory)
    search = Method(memory_ops.search_memories)
    list = Method(memory_ops.list_memories)
    delete = Method(memory_ops.delete_memory)
    resolve = Method(memory_ops.resolve_memory)
    history = Method(memory_ops.memory_history)

class MessageCalls(Noun):
    """The operations ``message.*``."""

    announce = Method(channels_announcement_ops.announce_message)
    history = Method(channels_announcement_ops.message_history)
    catch_up = Method(channels_catch_up_ops.catch_up_messages)
    tend = Method(channels_lapse_ops.tend_messages)
    broadcast = Method(channels_ops.broadcast_message)
    send = Method(channels_ops.send_message)
    poll = Method(channels_ops.poll_messages)
    read = Method(channels_ops.read_message)
    ack = Method(channels_ops.acknowledge_message)

class PlanCalls(Noun):
    """The operations ``plan.*``."""

    begin = Method(plans_ops.begin_plan)
    update = Method(plans_ops.update_plan)
    get = Method(plans_ops.get_plan)
    list = Method(plans_ops.list_plans)
    note = Method(plans_ops.note_plan)
    deliver = Method(plans_ops.deliver_plan)
    add_error = Method(plans_ops.add_plan_error)
    resolve_error = Method(plans_ops.resolve_plan_error)
    set_task = Method(plans_ops.set_current_task)
    get_task = Method(plans_ops.get_current_task)
    clear_task = Method(plans_ops.clear_current_task)

class ProfileCalls(Noun):
    """The operations ``profile.*``."""

    register = Method(profiles_ops.register_profile)
    get = Method(profiles_ops.get_profile)
    list = Method(profiles_ops.list_profiles)
    find = Method(profiles_ops.find_profiles)

class RadarCalls(Noun):
    """The operations ``radar.*``."""

    changes = Method(radar_ops.last_change)
    look = Method(radar_ops.look_around)
    show = Method(radar_ops.show_radar)
    turn = Method(radar_ops.take_turn)

class ReceiptCalls(Noun):
    """The operations ``receipt.*``."""

    list = Method(channels_ops.list_receipts)

class RescueCalls(Noun):
    """The operations ``rescue.*``."""

    list = Method(rescue_ops.list_rescued)
    show = Method(rescue_ops.show_rescued)
    diff = Method(rescue_ops.diff_rescued)
    restore = Method(rescue_ops.restore_rescued)
    purge = Method(rescue_ops.purge_rescued)

class SearchCalls(Noun):
    """The operations ``search.*``."""

    find = Method(context_ops.find)

class SessionCalls(Noun):
    """The operations ``session.*``."""

    errand = Method(agents_errand_ops.begin_errand)
    renew = Method(agents_ops.renew_session)
    join = Method(channels_arrival_ops.join_session)
    start = Method(channels_ops.start_session)
    end = Method(lifecycle_ops.end_session)
    leave = Method(lifecycle_ops.leave_session)
    begin = Method(lifecycle_session_begin_ops.begin_session)
    identify = Method(turns_identity_ops.identify_session)
    find = Method(turns_identity_ops.find_session)

class TaskCalls(Noun):
    """The operations ``task.*``."""

    add = Method(tasks_addition_ops.add_task)
    add_many = Method(tasks_addition_ops.add_many_tasks)
    prioritize = Method(tasks_addition_ops.prioritize_task)
    transition = Method(tasks_named_action_ops.transition_task)
    take_next = Method(tasks_named_action_ops.take_next_task)
    dispatch = Method(tasks_ops.dispatch_task)
    claim = Method(tasks_ops.claim_task)
    start = Method(tasks_ops.start_task)
    complete = Method(tasks_ops.complete_task)
    block = Method(tasks_ops.block_task)
    cancel = Method(tasks_ops.cancel_task)
    release = Method(tasks_ops.release_task)
    get = Method(tasks_ops.get_task)
    list = Method(tasks_ops.list_tasks)
    archive = Method(tasks_ops.archive_tasks)
    ready = Method(tasks_ops.ready_tasks)
    next = Method(tasks_ops.next_task)
    depend = Method(tasks_ops.depend_task)
    history = Method(tasks_ops.task_history)
    survey = Method(tasks_survey_ops.survey_tasks)

class TokenCalls(Noun):
    """The operations ``token.*``."""

    create = Method(tokens_ops.create_token)
    list = Method(tokens_ops.list_tokens)
    get = Method(tokens_ops.get_token)
    revoke = Method(tokens_ops.revoke_token)
    check = Method(tokens_ops.check_token)
    touch = Method(tokens_ops.touch_tokens)

class TurnCalls(Noun):
    """The operations ``turn.*``."""

    start = Method(turns_ops.start_turn)
    next = Method(turns_ops.next_turn)
    written = Method(turns_ops.turn_written)
    stop = Method(turns_ops.stop_turn)
    watch = Method(turns_wakeup_ops.watch_turn)
    wake = Method(turns_wakeup_ops.wake_turn)

class VaultCalls(Noun):
    """The operations ``vault.*``."""

    register = Method(vault_ops.register_vault)
    index = Method(vault_ops.index_vault)
    search = Method(vault_ops.search_vault)
    get = Method(vault_ops.get_doc)
    list = Method(vault_ops.list_docs)

class WorkCalls(Noun):
    """The operations ``work.*``."""

    list = Method(edits_work_ops.list_work)
    settle = Method(edits_work_ops.settle_work)

class WorkspaceCalls(Noun):
    """The operations ``workspace.*``."""

    status = Method(lifecycle_ops.workspace_status)
    prune = Method(lifecycle_ops.prune_workspace)
    pause = Method(lifecycle_pause_ops.pause_workspace)
    resume = Method(lifecycle_pause_ops.resume_workspace)
    overview = Method(lifecycle_session_begin_ops.workspace_overview)
    check = Method(lifecycle_session_begin_ops.check_workspace)
    place = Method(lifecycle_session_begin_ops.place_workspace)

class WorktreeCalls(Noun):
    """The operations ``worktree.*``."""

    create = Method(worktrees_ops.create_worktree)
    list = Method(worktrees_ops.list_worktrees)
    remove = Method(worktrees_ops.remove_worktree)
    mend = Method(worktrees_ops.mend_worktrees)

class Nouns:
    """The operations by noun, as a workspace has them."""

    agent: AgentCalls
    channel: ChannelCalls
    claim: ClaimCalls
    command: CommandCalls
    context: ContextCalls
    edit: EditCalls
    event: EventCalls
    git: GitCalls
    goal: GoalCalls
    guide: GuideCalls
    integration: IntegrationCalls
    job: JobCalls
    memory: MemoryCalls
    message: MessageCalls
    plan: PlanCalls
    profile: ProfileCalls
    radar: RadarCalls
    receipt: ReceiptCalls
    rescue: RescueCalls
    search: SearchCalls
    session: SessionCalls
    task: TaskCalls
    token: TokenCalls
    turn: TurnCalls
    vault: VaultCalls
    work: WorkCalls
    workspace: WorkspaceCalls
    worktree: WorktreeCalls
