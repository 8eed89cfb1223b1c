"""Which room writes which table: its own, and those of the rooms below it. SQL looks the same way as imports do."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ROOT / "src" / "comity" / "rooms"
# The room that each table belongs to. The log is nobody's: every room appends to it through the scope.
OWNERS = {
    "tokens": ("comity_tokens",),
    "agents": (
        *("agents", "sessions", "channel_members", "macp_ext_agent_state"),
        *("comity_presence", "comity_host_sessions", "comity_hooked"),
    ),
    "channels": ("channels", "messages", "ack_states", "sequence_counters", "comity_pairs"),
    "claims": ("macp_ext_file_claims", "comity_claim_details", "comity_fence", "comity_line"),
    "memory": ("macp_ext_memories", "comity_changes", "comity_search_docs", "comity_search_state", "comity_search"),
    "profiles": ("macp_ext_profiles",),
    "goals": ("macp_ext_goals",),
    "tasks": ("macp_ext_tasks", "comity_task_details", "comity_task_dependencies", "comity_task_lifts"),
    "jobs": ("comity_jobs",),
    "vault": ("macp_ext_vault_registry", "macp_ext_vault_docs", "comity_vault_files", "comity_vault_roots"),
    "lifecycle": ("audit_log", "comity_pause"),
    "turns": ("comity_injections", "comity_wakes"),
    "work": ("comity_work", "comity_asked"),
    "rescue": ("comity_versions",),
    "edits": (
        *("comity_edits", "comity_looks", "comity_own_changes", "comity_stashes", "comity_sweeps", "comity_trees"),
        "comity_heads",
    ),
    "plans": ("comity_plans", "comity_plan_entries", "comity_current_tasks"),
    "worktrees": ("comity_worktrees",),
    "integration": ("comity_integrations",),
    "radar": ("comity_radar_checkouts", "comity_radar_pairs", "comity_radar_turn"),
    "replies": ("comity_answers", "comity_idempotency"),
}
OWNER = {table: room for room, tables in OWNERS.items() for table in tables}
WRITES = re.compile(r"\b(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+(?!SET\b)([a-z_]+)\b(?!\{)")


def order() -> list[str]:
    """The rooms from the top to the bottom, as the contract on imports has them."""
    contracts = ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return re.findall(r"\((\w+)\)", contracts["importlinter:contract:rooms"]["layers"])


@pytest.mark.parametrize("room", sorted(path.parent.name for path in ROOMS.glob("*/queries.sql")))
def test_a_room_writes_its_own_tables_and_those_below(room: str) -> None:
    rank = {name: number for number, name in enumerate(order())}
    statements = re.sub(r"--[^\n]*", "", (ROOMS / room / "queries.sql").read_text(encoding="utf-8"))
    written = {table for table in WRITES.findall(statements) if not table.startswith("{")}
    assert written <= OWNER.keys(), f"no room owns {sorted(written - OWNER.keys())}: say whose they are"
    upwards = {table: OWNER[table] for table in written if rank[OWNER[table]] < rank[room]}
    assert upwards == {}, f"{room} writes tables of rooms above it"


def test_every_table_of_the_schema_has_an_owner() -> None:
    made = set()
    for path in sorted((ROOT / "src" / "comity" / "store" / "schema").glob("*.sql")):
        made |= set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", path.read_text(encoding="utf-8")))
    assert made - OWNER.keys() <= {"comity_schema", "comity_event_subjects"}, "the store keeps these two itself"
