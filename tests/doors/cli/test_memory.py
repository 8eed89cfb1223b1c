"""Shared memory at a prompt: what people see, what programs read, and what is refused."""

from __future__ import annotations

from tests.doors.cli.program import Program


def test_a_value_from_set_to_history(comity: Program) -> None:
    said = comity(
        "memory", "set", "build command", "make test", "--scope", "workspace", "--tag", "build", "--as", "ann"
    )
    assert said.out == "Remembered build command (workspace).\n"
    other = comity("memory", "set", "build command", "make all", "--scope", "workspace", "--as", "bob")
    assert "The key now has 2 values" in other.out
    found = comity("memory", "get", "build command", "--as", "bob")
    assert "Agents disagree: choose one with comity memory resolve." in found.out
    settled = comity("memory", "resolve", "build command", "make check", "--scope", "workspace", "--json").json
    assert (settled["archivedCount"], settled["entry"]["authorAgentId"]) == (2, "cli-tester")
    listed = comity("memory", "--json").json["entries"]
    assert [(entry["key"], entry["value"]) for entry in listed] == [("build command", "make check")]
    assert comity("memory", "list", "--tag", "build").out == "Nothing is remembered that matches.\n"
    past = comity("memory", "history", "build command", "--scope", "workspace").out
    assert [line.split()[0] for line in past.splitlines()[2::3]] == ["holds", "resolved", "resolved"]
    forgot = comity("memory", "delete", "build command", "--scope", "workspace").out
    assert forgot == "Forgot 1 value; comity memory history keeps them.\n"


def test_searching_plain_and_ranked(comity: Program) -> None:
    comity("memory", "set", "parser", "The parser reads tokens\x1b[31m.", "--scope", "workspace", "--layer", "behavior")
    plain = comity("memory", "search", "parser the parser")
    assert plain.out == "Nothing is remembered that matches.\n"  # key and value are two lines
    found = comity("memory", "search", "PARSER READ").out
    assert "\x1b" not in found
    assert "The parser reads tokens\\x1b[31m." in found
    assert "+" not in found.splitlines()[0]
    assert "behavior" in found.splitlines()[0]
    ranked = comity("memory", "search", "tokens, parser!", "--rank", "--json").json["entries"]
    assert ranked[0]["snippet"].startswith("The parser")
    assert "rank" in ranked[0]


def test_what_is_refused(comity: Program) -> None:
    missing = comity("memory", "--json")
    assert (missing.code, missing.error["reason"]) == (5, "workspace.missing")
    scopeless = comity("memory", "set", "k", "v")
    assert (scopeless.code, scopeless.out) == (2, "")
    blank = comity("memory", "set", " ", "v", "--scope", "agent", "--json")
    assert (blank.code, blank.error["reason"]) == (2, "memory.blank_key")
    comity("memory", "set", "k", "secret", "--scope", "channel", "--channel", "garden", "--as", "ann")
    stranger = comity("memory", "get", "k", "--channel", "elsewhere", "--json")
    assert (stranger.code, stranger.error["reason"]) == (4, "MACP_ERR_SENDER_NOT_MEMBER")
    assert comity("memory", "fly").code == 2
