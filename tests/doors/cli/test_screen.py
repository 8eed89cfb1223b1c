"""Human output fits 80 and 40 columns, and what peers wrote steers no terminal."""

import io
import json

import pytest
from rich.cells import cell_len

from comity.doors.cli import clean
from comity.doors.cli.screen import Column, Screen, write_json
from tests.doors.cli.program import Program

HOSTILE = (
    "wide 你好世界 🎉👩‍👩‍👧 [bold red]markup[/] :smile: tab\there \x1b[31mred\x1b[0m \x1b]0;title\x07 "
    "\x9b2J \r overwritten \x08\x08 \u202egnp.exe \u2066 \x7f \U000e0041 https://example.org/" + "x" * 120
)
LINES = HOSTILE + "\nsecond line\n\n    indented"
FORBIDDEN = ("\x1b", "\x07", "\x9b", "\r", "\x08", "\u202e", "\u2066", "\x7f", "\U000e0041")


def fill(comity: Program) -> None:
    long = "an-agent-with-a-rather-long-name-你好-" + "z" * 60
    comity("poll", "--as", long, MACP_AGENT_ROLE="reviewer of everything that is written in this repository")
    comity("poll", "--as", "bob", MACP_DEFAULT_CHANNEL="a-channel-with-a-long-name-too")
    comity("send", LINES, "--as", "ann", "--to", long, "--priority", "interrupt", "--type", "alert")
    comity("send", LINES, "--as", "ann", "--to", "bob", "--priority", "steering")


@pytest.mark.parametrize("columns", [80, 40])
def test_nothing_is_wider_than_the_screen(comity: Program, columns: int) -> None:
    fill(comity)
    calls: tuple[list[str], ...] = (
        ["status"],
        ["agents"],
        ["tail", "--no-follow"],
        ["poll", "--as", "bob"],
        ["doctor"],
        ["prune", "--dry-run"],
        ["init"],
        [],
        ["send", "--help"],
        ["version"],
    )
    for arguments in calls:
        done = comity(*arguments, COLUMNS=str(columns))
        assert done.err == ""
        for line in done.out.splitlines():
            assert cell_len(line) <= columns, (arguments, line)
            assert arguments[-1:] == ["--help"] or not line.endswith(" "), (arguments, line)
        assert not any(mark in done.out for mark in FORBIDDEN), arguments


def test_a_diff_is_exact_whatever_the_screen(comity: Program) -> None:
    wide, narrow = (comity("init", "--dry-run", COLUMNS=columns).out for columns in ("200", "40"))
    exact, same = (
        [line for line in text.splitlines() if line[:1] in {"+", "-", "@"} and "edAt" not in line]
        for text in (wide, narrow)
    )
    assert len(max(exact, key=len)) > 40
    assert exact == same


def test_peers_cannot_steer_a_terminal(comity: Program) -> None:
    fill(comity)
    shown = comity("poll", "--as", "bob").out
    assert "\\x1b[31mred\\x1b[0m" in shown
    assert "[bold red]markup[/]" in shown
    assert ":smile:" in shown
    assert "  second line\n\n      indented\n" in shown
    raw = comity("poll", "--as", "bob", "--json")
    assert not any(mark in raw.out for mark in FORBIDDEN)
    assert raw.json["deliveries"][0]["content"] == LINES
    delivery_id = raw.json["deliveries"][0]["deliveryId"]
    assert not any(mark in comity("read", delivery_id, "--as", "bob").out for mark in FORBIDDEN)
    for line in comity("tail", "--no-follow", "--json").out.splitlines():
        assert not any(mark in line for mark in FORBIDDEN)
        json.loads(line)


def test_errors_are_one_clean_line(comity: Program) -> None:
    comity("poll")
    done = comity("send", "x", "--to", "evil\x1b[2J\nerror: forged")
    lines = done.err.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in done.err
    assert "\x1b" not in comity("evil\x1b[2J").err


def test_an_ascii_terminal_breaks_nothing(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "你好", "--as", "ann")
    for arguments in (["poll", "--as", "bob"], ["tail", "--no-follow"], ["poll", "--as", "bob", "--json"], ["--help"]):
        assert comity(*arguments, PYTHONIOENCODING="ascii").code == 0


def test_a_table_that_does_not_fit_becomes_records() -> None:
    columns = (Column("Agent", flexible=True), Column("Pending", right=True), Column("Empty"), Column("Since"))
    rows = [("planner", "3", "", "12:00:00"), ("bob", "12", "", "2026-01-01 12:00")]
    wide, narrow = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        Screen(wide).table(columns, rows)
        patch.setenv("COLUMNS", "24")
        Screen(narrow).table(columns, rows)
    assert wide.getvalue() == (
        "Agent    Pending  Since\nplanner        3  12:00:00\nbob           12  2026-01-01 12:00\n"
    )
    assert narrow.getvalue() == (
        "Agent    planner\nPending  3\nSince    12:00:00\n\nAgent    bob\nPending  12\nSince    2026-01-01\n"
        "         12:00\n"
    )


def test_clean() -> None:
    assert clean.line("a\nb\x1b[1m\u2028") == "a b\\x1b[1m\\u2028"
    assert clean.block("a\r\nb\rc\x00\ud800") == "a\nb\\x0dc\\x00\\ud800"
    assert clean.line("\U000e0041") == "\\U000e0041"
    assert clean.line("a\u200bb\u2060c\xadd\u0600") == "a\\u200bb\\u2060c\\xadd\\u0600"
    family, heart, word, wide = (
        "\U0001f469\u200d\U0001f467",
        "\u2764\ufe0f",
        "\u0645\u06cc\u200c\u062e",
        "a\u3000b\xa0c",
    )
    assert clean.line(f"{family} {heart} {word} {wide}") == f"{family} {heart} {word} {wide}"
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    hostile = "\x1b\x9b\u202e\ud800\U000e0041é"
    write_json({"text": hostile}, stream=out)
    out.seek(0)
    text = out.read()
    assert text.isprintable() or set(text) - {"\n"} <= set(map(chr, range(32, 126))) | {"é"}
    assert json.loads(text) == {"text": hostile}
