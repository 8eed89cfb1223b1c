"""The vault at a prompt: folders count from the working directory."""

from __future__ import annotations

from tests.doors.cli.program import Program


def write(comity: Program, **texts: str) -> None:
    """Files of the folder docs, by their names without extension."""
    (comity.folder / "docs").mkdir(exist_ok=True)
    for name, text in texts.items():
        (comity.folder / "docs" / f"{name}.md").write_text(text)


def test_a_folder_is_added_searched_and_shown(comity: Program) -> None:
    write(comity, release="# How to release\n\nTag it, then push.\n", other="# Other\x1b[31m\n", gone="no\0text")
    added = comity("vault", "add", ".", cwd=comity.folder / "docs")
    assert "2 documents of" in added.out
    assert "2 added." in " ".join(added.out.split())
    assert "Left out: 1 binary." in added.out
    assert "\r" not in added.err  # progress is for terminals
    table = comity("vault").out
    assert [line.split()[0] for line in table.splitlines()] == ["Path", "other.md", "release.md"]
    assert "\x1b" not in table
    assert comity("vault", "list", "--tag", "release", "--json").json["docs"][0]["title"] == "How to release"
    assert "Tag it, then push." in comity("vault", "search", "push", "--rank").out
    assert comity("vault", "search", "push").out.split()[2:] == ["release.md", "How", "to", "release"]
    assert comity("vault", "show", "release.md").out == "# How to release\n\nTag it, then push.\n\n"
    (comity.folder / "docs" / "other.md").unlink()
    again = comity("vault", "add", "docs", "--json").json
    assert [again[name] for name in ("added", "updated", "removed", "unchanged")] == [0, 0, 1, 1]
    assert again["skipped"] == {"binary": 1}


def test_what_is_refused(comity: Program) -> None:
    assert comity("vault", "--json").error["reason"] == "workspace.missing"
    outside = comity("vault", "add", "..", "--json")
    assert (outside.code, outside.error["reason"]) == (4, "vault.outside")
    missing = comity("vault", "add", "nowhere")
    assert (missing.code, missing.out) == (5, "")
    assert "hint: " in missing.err
    assert comity("vault", "show", "none.md", "--json").error["reason"] == "vault.unknown_doc"
    assert "comity vault add FOLDER" in comity("vault", "search", "nothing").out
    (comity.folder.parent / "more").mkdir()
    (comity.folder.parent / "more" / "a.md").write_text("# More\n")
    (comity.folder / ".macp" / "comity.toml").write_text("vault_outside = true\n")
    assert comity("vault", "add", "../more", "--json").error["reason"] == "vault.outside"
    assert comity("trust", "--yes").code == 0
    assert comity("vault", "add", "../more", "--json").json["indexedDocs"] == 1
