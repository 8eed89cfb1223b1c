"""Profiles at a prompt."""

from __future__ import annotations

from tests.doors.cli.program import Program


def test_a_profile_is_described_shown_and_found(comity: Program) -> None:
    made = comity(
        *(
            "profiles",
            "register",
            "Reviewer",
            "Reviewer",
            "Reads changes.",
            "--skill",
            "review:Code review:Python,tests",
        ),
        *("--skill", "go", "--memory", "style", "--document", "docs/style.md", "--pack", "Be kind."),
    )
    assert made.code == 0
    shown = comity("profiles", "get", "REVIEWER").out
    assert shown == made.out
    for text in ("reviewer", "Code review (python, tests)", "style", "docs/style.md", "Be kind."):
        assert text in shown
    found = comity("profiles", "find", "PYTHON", "--json").json["profiles"]
    assert [(one["slug"], [skill["id"] for skill in one["skills"]]) for one in found] == [
        ("reviewer", ["review", "go"])
    ]
    assert "Reads changes." in comity("profiles", COLUMNS="120").out
    assert comity("profiles", "list", "--json").json["profiles"] == found


def test_what_is_refused(comity: Program) -> None:
    assert comity("profiles", "--json").error["reason"] == "workspace.missing"
    nameless = comity("profiles", "register", "r", "R", "Reads.", "--skill", ":x", "--json")
    assert (nameless.code, nameless.error["reason"]) == (2, "skill.unreadable")
    blank = comity("profiles", "register", "r", " ", "Reads.", "--json")
    assert (blank.code, blank.error["reason"]) == (2, "profile.blank_field")
    unknown = comity("profiles", "get", "nobody")
    assert (unknown.code, unknown.out) == (5, "")
    assert "hint: " in unknown.err
    assert "There is no such profile" in comity("profiles", "find", "cobol").out
