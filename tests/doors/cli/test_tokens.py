"""Tokens at a prompt: made once, listed without secrets, revoked by id."""

from __future__ import annotations

import json
import re

from tests.doors.cli.program import Program

SECRET = re.compile(r"comity_[0-9a-f]{12}_[0-9a-f]{64}")


def test_a_token_is_made_shown_once_listed_and_revoked(comity: Program) -> None:
    made = comity("token", "create", "--role", "admin", "--agent", "ann", "--expires", "72h", "--label", "my laptop")
    (secret,) = SECRET.findall(made.out)
    assert made.out.splitlines()[0] == secret
    assert "for ann has the role admin" in " ".join(made.out.split())
    assert "curl -H " in made.out
    assert "comity mcp --url " in made.out
    listed = comity("token", "--json").json["tokens"]
    assert [(one["role"], one["agentId"], one["label"], one["state"]) for one in listed] == [
        ("admin", "ann", "my laptop", "live")
    ]
    table = comity("token", "list").out
    assert listed[0]["tokenId"] in table
    assert secret.rpartition("_")[2] not in table + json.dumps(listed)
    assert comity("token", "revoke", secret).out.startswith(f"Revoked {listed[0]['tokenId']}")
    assert "It was revoked before" in comity("token", "revoke", listed[0]["tokenId"]).out
    assert comity("token", "--json").json["tokens"] == []
    assert comity("token", "list", "--all", "--json").json["tokens"][0]["state"] == "revoked"
    assert (comity.db.stat().st_mode & 0o777, comity("agents", "--json").json["agents"]) == (0o600, [])


def test_how_long_it_lasts_is_said_or_configured(comity: Program) -> None:
    def lasts(*words: str) -> str | None:
        token = comity("token", "create", "--role", "worker", "--json", *words).json["token"]
        found: str | None = token.get("expiresAt")
        return found and f"{token['createdAt'][:10]} {found[:10]}"

    assert lasts("--expires", "never") is None
    by_default, a_month = lasts(), lasts("--expires", "30d")
    assert by_default == a_month
    config = comity.folder / ".masc" / "auth" / "config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"token_expiry_hours": 0}')
    assert lasts() == a_month  # the file may have come with the repository
    assert comity("trust", "--yes").code == 0
    assert lasts() is None
    config.write_text("{")
    broken = comity("token", "create", "--role", "worker", "--json")
    assert (broken.code, broken.error["reason"]) == (2, "auth.unreadable")


def test_a_time_that_cannot_be_makes_nothing(comity: Program) -> None:
    comity("send", "hello")
    for words in ("1w", "0h", "12", "1.5h", "", "999999999d", "\u0663h"):
        refused = comity("token", "create", "--role", "worker", f"--expires={words}", "--json")
        assert refused.code == 2, words
        assert refused.error["hint"]
    assert comity("token", "list", "--all", "--json").json["tokens"] == []


def test_what_is_refused_at_the_prompt(comity: Program) -> None:
    assert comity("token", "--json").error["reason"] == "workspace.missing"
    assert comity("token", "create", "--json").code == 2
    assert comity("token", "create", "--role", "boss", "--json").code == 2
    secret = comity("token", "create", "--role", "reader", "--json").json["secret"]
    unknown = comity("token", "revoke", f"comity_000000000000_{secret[-64:]}", "--json")
    assert (unknown.code, unknown.error["reason"]) == (5, "token.no_such")
    assert secret[-64:] not in unknown.out + unknown.err
