"""Files of instructions and ``init``: the user's own keep their place, and the block is read once."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from comity.hosts import gemini_cli, init_record, markdown, target
from comity.hosts.host import Include
from comity.hosts.init import InitReport, Options, Plan, apply, plan, remove
from comity.hosts.init_record import RecordedFile, Section
from comity.hosts.target import Target

START, END = markdown.START, markdown.END


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CODEX_HOME", raising=False)
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def run(root: Path, **options: object) -> InitReport:
    return apply(plan(root, Options(**options)))  # type: ignore[arg-type]


def write(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def blocks(root: Path) -> list[str]:
    """The files in which a block stands."""
    found = (path for path in root.rglob("*.md") if path.is_file() and not path.is_symlink())
    return sorted(str(path.relative_to(root)) for path in found if markdown.span(path.read_text()) is not None)


def note(made: Plan) -> str:
    return next(one for one in made.notes if one.startswith("AGENTS.md is not made"))


def test_where_nothing_stands_agents_is_made_and_no_other_file(repo: Path) -> None:
    assert run(repo).ok
    assert blocks(repo) == ["AGENTS.md"]
    assert not (repo / "CLAUDE.md").exists()


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (("AGENTS.md",), ["AGENTS.md"]),
        (("CLAUDE.md",), ["CLAUDE.md"]),
        ((".claude/CLAUDE.md",), [".claude/CLAUDE.md", "AGENTS.md"]),
        (("AGENTS.md", "CLAUDE.md"), ["AGENTS.md", "CLAUDE.md"]),
        (("CLAUDE.md", ".claude/CLAUDE.md"), ["CLAUDE.md"]),
        (("part/AGENTS.md",), ["AGENTS.md"]),
        (("part/CLAUDE.md",), []),
        (("GEMINI.md",), []),
        (("AGENT.md",), []),
        ((".junie/guidelines.md",), []),
    ],
)
def test_no_file_is_made_that_takes_anothers_place(repo: Path, there: tuple[str, ...], wanted: list[str]) -> None:
    for name in there:
        write(repo, name, f"# {name}\n")
    made = plan(repo)
    assert apply(made).ok
    assert blocks(repo) == wanted
    assert all((repo / name).read_text().startswith(f"# {name}\n") for name in there)
    if not wanted:
        assert there[0] in note(made)
    assert plan(repo).writes == ()
    assert apply(remove(repo)).ok
    assert [(repo / name).read_text() for name in there] == [f"# {name}\n" for name in there]
    assert blocks(repo) == []


@pytest.mark.parametrize("where", ["home", "project"])
def test_a_file_that_codex_falls_back_to_keeps_its_place(repo: Path, tmp_path: Path, where: str) -> None:
    base = tmp_path / "home" if where == "home" else repo
    write(base, ".codex/config.toml", 'project_doc_fallback_filenames = ["TEAM.md", 3]\n')
    write(repo, "TEAM.md", "# Team\n")
    made = plan(repo)
    assert apply(made).ok
    assert not (repo / "AGENTS.md").exists()
    assert "Codex CLI would no longer read TEAM.md" in note(made)


def test_what_gemini_reads_is_the_users_to_say(repo: Path) -> None:
    text = '{"context": {"fileName": "RULES.md"}}'
    path = write(repo, ".gemini/settings.json", text)
    assert run(repo).ok
    assert '"context": {"fileName": "RULES.md"}' in path.read_text()


@pytest.mark.parametrize("text", ["", '{"context": {"fileName": "RULES.md"}, "theme": "dark"}'])
def test_what_an_earlier_version_had_gemini_read_is_taken_back(repo: Path, text: str) -> None:
    path = repo / ".gemini/settings.json"
    earlier = gemini_cli.HOST._replace(includes=(Include(("context", "fileName"), "AGENTS.md", also=("GEMINI.md",)),))
    merged = target.merge(Target("host", repo, ".gemini/settings.json", (earlier,)), text or None, ())
    assert "AGENTS.md" in merged.text
    wrote = RecordedFile(text.encode() or None, init_record.digest(merged.text.encode()), merged.undos)
    data = init_record.dump(
        init_record.InitRecord(Section({}, []), {".": Section({".gemini/settings.json": wrote}, [])})
    )
    assert data is not None
    write(repo, ".gemini/settings.json", merged.text)
    write(repo, ".macp/init.json", data.decode())
    assert run(repo).ok
    settings = json.loads(path.read_text())
    assert settings.get("context") == (json.loads(text)["context"] if text else None)
    apply(remove(repo))
    assert (path.read_text() if path.exists() else "") == text


@pytest.mark.parametrize(
    "text",
    [
        "@AGENTS.md\n",
        "See @AGENTS.md for all rules.\n",
        "- @./AGENTS.md\n",
        "**@AGENTS.md**\n",
        "> @AGENTS.md#rules\n",
        "1. first\n\n       @AGENTS.md\n",
        "`code` and @AGENTS.md\n",
        "@docs/more.md\n",
    ],
)
def test_a_file_that_imports_agents_gets_no_block_of_its_own(repo: Path, text: str) -> None:
    write(repo, "AGENTS.md", "# Rules\n")
    write(repo, "docs/more.md", "More is in @../AGENTS.md\n")
    path = write(repo, "CLAUDE.md", text)
    assert run(repo).ok
    assert path.read_text() == text
    assert blocks(repo) == ["AGENTS.md"]


@pytest.mark.parametrize(
    "text",
    [
        "```\n@AGENTS.md\n```\n",
        "~~~~\n```\n@AGENTS.md\n~~~~\n",
        "- item\n  ```\n  @AGENTS.md\n  ```\n",
        "Write `@AGENTS.md` to import it.\n",
        "`` `@AGENTS.md `` is code.\n",
        "    @AGENTS.md\n    @AGENTS.md\n",
        "mail@AGENTS.md\n",
        "(@AGENTS.md)\n",
        "<!-- @AGENTS.md -->\n",
        "<!--\n@AGENTS.md\n-->\n",
        "@../AGENTS.md\n",
        "@AGENTS.md.\n",
    ],
)
def test_what_claude_code_takes_for_no_import_is_none(repo: Path, text: str) -> None:
    write(repo, "AGENTS.md", "# Rules\n")
    path = write(repo, "CLAUDE.md", text)
    assert run(repo).ok
    assert blocks(repo) == ["AGENTS.md", "CLAUDE.md"]
    assert path.read_text().startswith(text)


def test_imports_that_go_in_a_circle_end(repo: Path) -> None:
    write(repo, "AGENTS.md", "# Rules\n")
    write(repo, "CLAUDE.md", "@a.md\n")
    write(repo, "a.md", "@CLAUDE.md @/nowhere.md @~/nothing.md\n")
    assert run(repo).ok
    assert blocks(repo) == ["AGENTS.md", "CLAUDE.md"]


def test_a_block_beside_an_import_goes(repo: Path) -> None:
    write(repo, "AGENTS.md", "# Rules\n")
    path = write(repo, "CLAUDE.md", "# Claude\n")
    run(repo)
    assert blocks(repo) == ["AGENTS.md", "CLAUDE.md"]
    path.write_text("@AGENTS.md\n" + path.read_text())
    run(repo)
    assert path.read_text() == "@AGENTS.md\n# Claude\n"


def test_files_that_an_earlier_version_made_give_their_place_back(repo: Path) -> None:
    """It made both, each with the block alone; the user wrote rules into one of them, and into a new one."""
    block = markdown.block("repo", "repo") + "\n"
    wrote = RecordedFile(None, init_record.digest(block.encode()), ())
    kept = init_record.InitRecord(Section({}, []), {".": Section({"AGENTS.md": wrote, "CLAUDE.md": wrote}, [])})
    for name in ("AGENTS.md", "CLAUDE.md"):
        write(repo, name, block)
    data = init_record.dump(kept)
    assert data is not None
    write(repo, ".macp/init.json", data.decode())
    write(repo, "AGENTS.md", f"# Rules\n\n{block}")
    assert run(repo).ok
    assert blocks(repo) == ["AGENTS.md"]
    assert not (repo / "CLAUDE.md").exists()
    apply(remove(repo))
    assert (repo / "AGENTS.md").read_text() == "# Rules\n\n"


def test_agents_that_init_made_goes_when_the_user_writes_the_other(repo: Path) -> None:
    run(repo)
    write(repo, "CLAUDE.md", "# Mine\n")
    run(repo)
    assert blocks(repo) == ["CLAUDE.md"]
    assert not (repo / "AGENTS.md").exists()
    apply(remove(repo))
    assert (repo / "CLAUDE.md").read_text() == "# Mine\n"


def test_a_clone_keeps_the_ids_that_the_one_file_states(repo: Path, tmp_path: Path) -> None:
    write(repo, "CLAUDE.md", "# Mine\n")
    run(repo, project_id="team", channel="talk")
    clone = Path(tmp_path.resolve()) / "other"
    subprocess.run(["git", "init", "-q", str(clone)], check=True)
    write(clone, "CLAUDE.md", (repo / "CLAUDE.md").read_text())
    made = plan(clone)
    assert (made.project_id, made.channel) == ("team", "talk")


# --- one file, two names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("real", "other"), [("AGENTS.md", "CLAUDE.md"), ("CLAUDE.md", "AGENTS.md")])
@pytest.mark.parametrize("hard", [False, True], ids=["link", "hard link"])
def test_a_file_with_two_names_stays_one(repo: Path, real: str, other: str, hard: bool) -> None:
    write(repo, real, "# Rules\n")
    if hard:
        os.link(repo / real, repo / other)
    else:
        (repo / other).symlink_to(real)
    assert run(repo).ok
    assert (repo / real).samefile(repo / other)
    assert (repo / other).is_symlink() != hard
    assert (repo / real).read_text().count(START) == 1
    assert plan(repo).writes == ()
    report = apply(remove(repo))
    assert (report.ok, report.exit_code) == (True, 0)
    assert (repo / real).samefile(repo / other)
    assert (repo / real).read_text() == "# Rules\n"
    assert not (repo / ".macp").exists()


def test_a_shorter_text_leaves_nothing_of_the_longer_in_a_file_with_two_names(repo: Path) -> None:
    write(repo, "a.json", '{"mcpServers": {}}' + " " * 5000)
    (repo / ".cursor").mkdir()
    os.link(repo / "a.json", repo / ".cursor/mcp.json")
    run(repo, hosts=("cursor",))
    apply(remove(repo))
    assert (repo / "a.json").samefile(repo / ".cursor/mcp.json")
    assert (repo / "a.json").read_text() == '{"mcpServers": {}}' + " " * 5000


# --- markers ------------------------------------------------------------------------------------------------------

SPOKEN_OF = [
    f"Our block stands between {START} and {END}.\n",
    f"`{START}`\n`{END}`\n",
    f"```html\n{START}\nx\n{END}\n```\n",
    f"- like this:\n\n  ~~~\n  {START}\n  x\n  {END}\n  ~~~\n",
    f"    {START}\n    x\n    {END}\n",
    f"> ```\n> {START}\n> {END}\n> ```\n",
    f"> {START}\n> {END}\n",
    f"* {START} begins it\n* {END} ends it\n",
]


@pytest.mark.parametrize("text", SPOKEN_OF)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_markers_that_are_only_spoken_of_are_text(repo: Path, text: str, newline: str) -> None:
    text = text.replace("\n", newline)
    path = repo / "AGENTS.md"
    path.write_bytes(text.encode())
    assert run(repo).ok
    assert path.read_bytes().startswith(text.encode())
    assert len(path.read_bytes()) > len(text) + 300
    assert plan(repo).writes == ()
    path.write_bytes(path.read_bytes() + b"later\n")
    assert apply(remove(repo)).ok
    assert path.read_bytes() == text.encode() + b"later\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a\n{START}\nb\n{START}\nc\n{END}\nd\n{END}\n", 4),
        (f"{START}\nb\n{END}\nmine\n{START}\nc\n{END}\n", 5),
        (f"a\n{START}\n", 2),
        (f"a\n{END}\n", 2),
        ("# Rules\n\n```sh\nmake\n", 3),
    ],
)
def test_what_makes_no_pair_is_left_alone_and_its_line_named(repo: Path, text: str, line: int) -> None:
    path = write(repo, "AGENTS.md", text)
    report = run(repo)
    (problem,) = report.problems
    assert (report.exit_code, problem.data["file"], problem.data["line"]) == (2, "AGENTS.md", line)
    assert path.read_text() == text
    assert apply(remove(repo)).ok
    assert not (repo / ".macp").exists()
