"""Tool sets: which tools a session is shown. A model reads every one of them at its start, so fewer may be better.

``core`` is the message bus. ``workspace`` adds who is here, claims, the everyday part of memory, and tasks. ``all`` is
everything, and the default: hosts that know agents of the protocol expect its 45 tools, most defer what is not used,
and the whole list costs less than 6,500 tokens (``tests/dialects/test_toolsets.py`` measures them).
"""

from __future__ import annotations

CORE = (
    "macp_get_instructions",
    "macp_register",
    "macp_join_channel",
    "macp_leave_channel",
    "macp_send_channel",
    "macp_send_direct",
    "macp_poll",
    "macp_read_message",
    "macp_ack",
    "macp_deregister",
)
WORKSPACE = (
    *CORE,
    "macp_ext_receipts",
    "macp_ext_list_agents",
    "macp_ext_get_session_context",
    "macp_ext_claim_files",
    "macp_ext_release_files",
    "macp_ext_list_locks",
    "macp_ext_set_memory",
    "macp_ext_get_memory",
    "macp_ext_search_memory",
    "macp_ext_dispatch_task",
    "macp_ext_next_task",
    "macp_ext_claim_task",
    "macp_ext_start_task",
    "macp_ext_complete_task",
    "macp_ext_block_task",
    "macp_ext_release_task",
    "macp_ext_get_task",
    "macp_ext_list_tasks",
)
SETS = {"core": frozenset(CORE), "workspace": frozenset(WORKSPACE)}


def shown(name: str, tools: str) -> bool:
    """Whether the tool called ``name`` is in the set called ``tools``."""
    return tools not in SETS or name in SETS[tools]


def select(listed: bytes, tools: str) -> bytes:
    """The part of a prebuilt tool list, one tool a line, that is in the set called ``tools``."""
    if tools not in SETS:
        return listed
    lines = listed.strip().removeprefix(b"[").removesuffix(b"]").split(b",\n")
    return b"[" + b",\n".join(line for line in lines if _name(line) in SETS[tools]) + b"]\n"


def _name(line: bytes) -> str:
    return line.split(b'"', 4)[3].decode()
