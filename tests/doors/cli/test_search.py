"""One question over everything: by the protocol's scores (context) and by relevance (search)."""

from __future__ import annotations

from tests.doors.cli.program import Program


def test_both_find_what_is_known(comity: Program) -> None:
    (comity.folder / "docs").mkdir()
    (comity.folder / "docs" / "release.md").write_text("# Releasing\n\nThe release needs a tag.\n")
    comity("vault", "add", "docs")
    comity("memory", "set", "release day", "friday\x1b[31m", "--scope", "workspace")
    comity("goals", "create", "Release 1.0", "--type", "mission")
    scored = comity("context", "RELEASE day", "--json").json["results"]
    assert [(one["kind"], one["score"]) for one in scored] == [("memory", 10), ("goal", 7), ("vault_doc", 7)]
    assert list(scored[0]) == ["kind", "id", "title", "snippet", "score", "metadata"]
    shown = comity("context", "release", "--limit", "2").out
    assert [line.split("  ")[0] for line in shown.splitlines()[::2]] == ["goal", "memory"]
    ranked = comity("search", "release day").out
    assert ranked.startswith("memory  release day")
    assert "\x1b" not in ranked
    only = comity("search", "release tag", "--kind", "vault_doc", "--json").json["results"]
    assert [(one["metadata"]["path"], one["snippet"]) for one in only] == [
        ("release.md", "# Releasing\n\nThe release needs a tag.")
    ]
    assert comity("search", "releas").out == "Nothing is known about it.\n"  # whole words


def test_what_is_refused(comity: Program) -> None:
    for name in ("context", "search"):
        missing = comity(name, "x", "--json")
        assert (missing.code, missing.error["reason"]) == (5, "workspace.missing")
        assert comity(name).code == 2
    comity("join", "den", "--as", "ann")
    comity("memory", "set", "k", "the secret", "--scope", "channel", "--channel", "den", "--as", "ann")
    for name in ("context", "search"):
        assert comity(name, "secret", "--channel", "den", "--as", "ann", "--json").json["results"]
        assert comity(name, "secret", "--channel", "den", "--as", "bob", "--json").json == {"results": []}
    assert comity("search", "x", "--kind", "rumour").code == 2
