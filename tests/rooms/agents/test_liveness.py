"""Who counts as dead: the rules, case by case, without a file or a process."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.kernel.observer import Presence, Sighting
from comity.rooms.agents.liveness import MAX_GAP_MS, MAX_JUMP_MS, Evidence, Reported, Watch, comparable, judge

NOW = 1_000_000_000
LEASE = 120_000
STEADY = LEASE  # an observer that has looked on for long
HERE = Presence(1, "tick-9", "boot", "pid:[1]")


def reported(age_ms: int = 0, *, pid: int | None = 7, started: str = "tick-1", lease_ms: int = LEASE) -> Reported:
    seen_ms = NOW - age_ms
    return Reported(
        "session", "ann", pid, started, "boot", "pid:[1]", "machine", "claude", "", "", seen_ms, seen_ms + lease_ms
    )


RUNS = Sighting("running", "tick-1")

CASES = {
    # name: (age of the last sign of life, what was seen, steady for, verdict)
    "it runs": (0, RUNS, STEADY, "alive"),
    "it runs, and its lease lapsed long ago (SIGSTOP, a debugger, a suspended machine)": (
        9_999_999,
        RUNS,
        STEADY,
        "alive",
    ),
    "it is gone": (0, Sighting("absent"), 0, "dead"),
    "it ended and nobody has waited for it": (0, Sighting("zombie", "tick-1"), 0, "dead"),
    "its pid is used anew": (0, Sighting("running", "tick-2"), 0, "dead"),
    "its pid is used anew, by another zombie": (0, Sighting("zombie", "tick-2"), 0, "dead"),
    "something is at its pid, nobody knows what (macOS, hidden /proc)": (0, Sighting("running"), STEADY, "leased"),
    "the same, and the lease lapsed": (LEASE, Sighting("running"), STEADY, "dead"),
    "nobody may look": (0, Sighting("unknown"), STEADY, "leased"),
    "out of sight (another container, another boot, hooks only)": (0, None, STEADY, "leased"),
    "out of sight, one moment before the lease ends": (LEASE - 1, None, STEADY, "leased"),
    "out of sight, the lease lapsed": (LEASE, None, STEADY, "dead"),
    "the lease lapsed, but the observer has just begun to look": (LEASE, None, 0, "lapsed"),
    "the lease lapsed, and the observer has not looked on for half of it": (LEASE, None, LEASE // 2 - 1, "lapsed"),
    "the clock jumped ahead an hour, or the machine was suspended": (3_600_000, None, 0, "lapsed"),
    "the clock was set back a little after its last sign of life": (-LEASE, None, STEADY, "leased"),
    "the clock was set back an hour, and it has not been heard of since": (-3_600_000, None, STEADY, "dead"),
    "the clock was set back an hour, just now": (-3_600_000, None, 0, "lapsed"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_verdict(case: tuple[int, Sighting | None, int, str]) -> None:
    age_ms, sighting, steady_ms, wanted = case
    assert judge(Evidence(reported(age_ms), sighting, NOW, steady_ms)).state == wanted


def test_an_unknown_start_proves_nothing_about_who_is_there() -> None:
    unknown = reported(LEASE * 2, started="")
    assert judge(Evidence(unknown, Sighting("running", "tick-1"), NOW, 0)).state == "lapsed"
    assert judge(Evidence(unknown, Sighting("zombie", "tick-1"), NOW, 0)).state == "lapsed"
    assert judge(Evidence(unknown, Sighting("absent"), NOW, 0)).state == "dead"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"pid": None}, False),  # known only by hooks
        ({"boot_id": "earlier"}, False),  # before a reboot, or on another machine
        ({"namespace": "pid:[2]"}, False),  # another container
        ({"boot_id": ""}, False),
        ({"namespace": ""}, False),
        ({"machine": "renamed"}, True),  # names prove nothing
    ],
    ids=str,
)
def test_a_pid_counts_only_where_it_means_the_same(change: dict[str, str], same: bool) -> None:
    assert comparable(reported()._replace(**change), HERE) is same  # type: ignore[arg-type]
    assert not comparable(reported()._replace(**change), None)  # type: ignore[arg-type]


def test_two_who_know_no_boot_do_not_see_each_other() -> None:
    assert not comparable(reported()._replace(boot_id="", namespace=""), Presence(1))


@given(
    age_ms=st.integers(-(10**9), 10**9),
    lease_ms=st.integers(0, 10**7),
    steady_ms=st.integers(0, 10**9),
    sighting=st.one_of(
        st.none(),
        st.builds(Sighting, st.sampled_from(["running", "zombie", "unknown"]), st.sampled_from(["tick-1", ""])),
    ),
)
def test_nobody_dies_without_proof(age_ms: int, lease_ms: int, steady_ms: int, sighting: Sighting | None) -> None:
    evidence = Evidence(reported(age_ms, lease_ms=lease_ms), sighting, NOW, steady_ms)
    verdict = judge(evidence)
    if verdict.state == "dead" and sighting != Sighting("zombie", "tick-1"):
        assert sighting != RUNS
        assert steady_ms >= lease_ms / 2
        assert not 0 <= age_ms < lease_ms
    if sighting == RUNS:
        assert verdict.state == "alive"


def test_a_watch_counts_from_its_first_look() -> None:
    watch = Watch()
    assert [watch.look(pace, NOW + pace) for pace in (5_000, 7_000, 17_000, 30_000)] == [0, 2_000, 12_000, 25_000]


def test_a_gap_begins_the_watch_anew() -> None:
    watch = Watch()
    watch.look(0, NOW)
    assert watch.look(MAX_GAP_MS, NOW + MAX_GAP_MS) == MAX_GAP_MS
    later = 2 * MAX_GAP_MS + 1  # stopped, frozen, starved
    assert watch.look(later, NOW + later) == 0
    assert watch.look(later + 2_000, NOW + later + 2_000) == 2_000


@pytest.mark.parametrize("jump_ms", [MAX_JUMP_MS + 1, -MAX_JUMP_MS - 1, 3_600_000, -3_600_000])
def test_a_jump_of_the_clock_begins_the_watch_anew(jump_ms: int) -> None:
    watch = Watch()
    watch.look(0, NOW)
    watch.look(10_000, NOW + 10_000)
    assert watch.look(12_000, NOW + 12_000 + jump_ms) == 0
    assert watch.look(20_000, NOW + 20_000 + jump_ms) == 8_000


def test_a_clock_that_is_slewed_does_not() -> None:
    watch = Watch()
    watch.look(0, NOW)
    assert watch.look(10_000, NOW + 10_000 + MAX_JUMP_MS) == 10_000
