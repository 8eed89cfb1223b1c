"""Tools that no host brings itself: what the name and the arguments of a call say that it changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import NO_REACH, Reach, foreign

HELD = "src/held.py"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with ``src/held.py``, ``notes.md`` and a folder."""
    folder = tmp_path / "repo"
    (folder / "src" / "inner").mkdir(parents=True)
    (folder / HELD).write_text("x = 1\n")
    (folder / "notes.md").write_text("x\n")
    (folder / "src" / "with blank.py").write_text("x\n")
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    return folder


def reached(tool: str, repo: Path, *, inside: str = "", **asked: Any) -> Reach:
    told = json.loads(json.dumps(asked).replace("REPO", str(repo)))
    return foreign(tool, told, str(repo / inside) if inside else str(repo), ())


WRITES = [
    ("mcp__filesystem__write_file", {"path": "REPO/src/held.py", "content": "y"}),
    ("mcp__filesystem__edit_file", {"path": "src/held.py", "edits": [{"oldText": "x", "newText": "y"}]}),
    ("mcp__filesystem__move_file", {"source": "REPO/src/held.py", "destination": "REPO/b.py"}),
    ("mcp__filesystem__move_file", {"source": "REPO/notes.md", "destination": "REPO/src/held.py"}),
    ("mcp__serena__replace_symbol_body", {"relative_path": "src/held.py", "name_path": "f", "body": "y"}),
    ("mcp__serena__insert_after_symbol", {"relative_path": "src/held.py", "name_path": "f", "body": "y"}),
    ("mcp__acp__Edit", {"file_path": "REPO/src/held.py", "old_string": "x", "new_string": "y"}),
    ("mcp__jetbrains__replace_text_in_file", {"pathInProject": "src/held.py", "oldText": "x", "newText": "y"}),
    ("mcp__jetbrains__create_new_file", {"pathInProject": "/src/held.py", "text": "y"}),
    ("mcp__text-editor__patch_text_file_contents", {"files": [{"file_path": "src/held.py", "patches": []}]}),
    ("mcp__editor__batch", {"operations": [{"op": "write", "args": {"filePath": "src/held.py"}}]}),
    ("mcp__morph__edit_file", {"target_filepath": "src/held.py", "code_edit": "y"}),
    ("mcp__ide__applyEdit", {"uri": "file://REPO/src/held.py", "text": "y"}),
    ("mcp__ide__applyEdit", {"uri": "file://localhost/REPO/src/held.py", "text": "y"}),
    ("mcp__lsp__rename", {"edit": {"changes": {"file://REPO/src/held.py": [{"newText": "y"}]}}}),
    ("mcp__lsp__rename", {"documentChanges": [{"textDocument": {"uri": "file://REPO/src/held.py"}, "edits": []}]}),
    ("mcp__editor__save", {"document": "src/held.py"}),
    ("mcp__editor__transform", {"where": "src/held.py"}),
    ("mcp__editor__do", {"request": '{"path": "src/held.py", "content": "y"}'}),
    ("mcp__x__write", {"root": "REPO/src", "path": "held.py", "content": "y"}),
    ("mcp__x__write", {"path": "./src/../src/held.py:12", "content": "y"}),
    ("mcp__x__delete", {"paths": ["notes.md", "src/held.py"]}),
    ("mcp__x__replace_in_files", {"files": "src/*.py", "search": "x", "replace": "y"}),
    ("mcp__x__apply_patch", {"patch": "*** Begin Patch\n *** Update File: src/held.py\n@@\n-x\n+y\n*** End Patch"}),
    ("mcp__x__apply_diff", {"diff": "--- a/src/held.py\n+++ b/src/held.py\n@@ -1 +1 @@\n-x\n+y\n"}),
    ("mcp__x__str_replace_based_edit_tool", {"command": "str_replace", "path": "src/held.py"}),
    ("serena_replace_regex", {"relative_path": "src/held.py", "regex": "x", "repl": "y"}),
    ("mcp_filesystem_write_file", {"path": "src/held.py", "content": "y"}),
    ("MCP:write_file", {"path": "src/held.py", "content": "y"}),
]


@pytest.mark.parametrize(("tool", "asked"), WRITES)
def test_a_tool_that_writes_names_its_file(tool: str, asked: dict[str, Any], repo: Path) -> None:
    found = reached(tool, repo, **asked)
    assert str(repo / HELD) in found.files
    assert found.unknown == tool


@pytest.mark.parametrize(
    ("tool", "asked"),
    [
        ("mcp__filesystem__read_text_file", {"path": "REPO/src/held.py"}),
        ("mcp__filesystem__read_multiple_files", {"paths": ["REPO/src/held.py"]}),
        ("mcp__serena__find_referencing_symbols", {"relative_path": "src/held.py", "name_path": "f"}),
        ("mcp__ide__getDiagnostics", {"uri": "file://REPO/src/held.py"}),
        ("mcp__x__str_replace_based_edit", {"command": "view", "path": "src/held.py"}),
        ("mcp__pytest__run_tests", {"path": "src"}),
        ("mcp__fs__create_directory", {"path": "src"}),
        ("mcp__mail__send", {"to": "src", "body": "see src/held.py"}),
        ("mcp__wiki__write_page", {"title": "held", "content": "src/held.py"}),
        ("mcp__fs__write_file", {"path": "new.json", "content": '{"files": ["src/held.py"]}'}),
        ("mcp__web__fetch", {"url": "https://example.com/src/held.py"}),
    ],
)
def test_what_only_reads_or_speaks_of_a_file_is_not_held_up_but_compared(
    tool: str, asked: dict[str, Any], repo: Path
) -> None:
    found = reached(tool, repo, **asked)
    assert str(repo / HELD) not in found.files
    assert str(repo / "src") not in found.files
    assert found.unknown == tool


def test_a_path_goes_from_the_folder_of_the_agent_and_from_the_top_of_the_checkout(repo: Path) -> None:
    found = reached("mcp__serena__replace_symbol_body", repo, inside="src/inner", relative_path="src/held.py", body="y")
    assert str(repo / HELD) in found.files
    found = reached("mcp__x__write_file", repo, inside="src", path="held.py", content="y")
    assert str(repo / HELD) in found.files


def test_names_are_read_as_an_address_writes_them(repo: Path) -> None:
    found = reached("mcp__ide__applyEdit", repo, uri="file://REPO/src/with%20blank.py", text="y")
    assert found.files == (str(repo / "src/with blank.py"),)


def test_a_folder_counts_where_it_is_moved_or_removed(repo: Path) -> None:
    assert reached("mcp__fs__move_file", repo, source="src", destination="lib").files[0] == str(repo / "src")
    assert reached("mcp__fs__delete_directory", repo, path="src").files == (str(repo / "src"),)


@pytest.mark.parametrize(
    ("tool", "asked", "line"),
    [
        ("mcp__serena__execute_shell_command", {"command": "echo y > src/held.py"}, "echo y > src/held.py"),
        ("mcp__desktop__start_process", {"command": "make", "timeout_ms": 10}, "make"),
        ("mcp__x__run", {"command": ["sed", "-i", "s/x/y/", "a b.py"]}, "sed -i s/x/y/ 'a b.py'"),
        ("mcp__x__run", {"command": "sed", "args": ["-i", "s/x/y/", "a.py"]}, "sed -i s/x/y/ a.py"),
        ("mcp__x__terminal", {"cmd": "rm held.py", "cwd": "REPO/src"}, "cd REPO/src && rm held.py"),
        ("mcp__odd__thing", {"command": "rm -f src/held.py"}, "rm -f src/held.py"),
        ("PowerShell", {"command": "rm src/held.py"}, "rm src/held.py"),
    ],
)
def test_a_command_line_is_read_as_one_of_a_shell(tool: str, asked: dict[str, Any], line: str, repo: Path) -> None:
    assert reached(tool, repo, **asked).command == line.replace("REPO", str(repo))


@pytest.mark.parametrize(
    "tool", ["", "mcp__macp__macp_ext_claim_files", "macp_send_channel", "masc_lock", "mcp_macp_poll"]
)
def test_tools_of_comity_change_nothing(tool: str, repo: Path) -> None:
    assert reached(tool, repo, files=[HELD]) == NO_REACH


@pytest.mark.parametrize(
    "asked", [{"path": "a\0b"}, {"path": "n\ud83d.py"}, {"path": "x" * 5000}, {"path": ["~", "~a/b"]}]
)
def test_odd_names_do_no_harm(asked: dict[str, Any], repo: Path) -> None:
    found = reached("mcp__x__write", repo, **{"other": {"file": HELD}, **asked})
    assert str(repo / HELD) in found.files


def test_arguments_without_end_are_compared(repo: Path) -> None:
    deep: Any = "src/held.py"
    for _ in range(500):
        deep = {"path": [deep]}
    assert foreign("mcp__x__write", {"path": deep}, str(repo), ()).unknown == "mcp__x__write"
    many = [f"file{number}" for number in range(50_000)]
    assert foreign("mcp__x__write", {"path": many}, str(repo), ()).unknown == "mcp__x__write"


@pytest.mark.parametrize("host", sorted(ADAPTERS))
def test_no_reader_of_a_host_is_among_its_writers(host: str) -> None:
    names = vars(sys.modules[ADAPTERS[host].read.__module__])
    edits = names.get("EDITS", (names.get("EDIT"),))
    assert {*edits, *names.get("PATCHES", ())}.isdisjoint(names["READERS"])
