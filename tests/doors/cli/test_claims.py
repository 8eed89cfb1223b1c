"""Claiming files at a prompt: paths count from the working directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.doors.cli.program import Program


def paths(comity: Program, *arguments: str, cwd: Path | None = None) -> list[str]:
    return [claim["filePath"] for claim in comity("claims", "--json", *arguments, cwd=cwd).json["claims"]]


def test_claim_look_and_release(comity: Program) -> None:
    src = comity.folder / "src"
    src.mkdir()
    claimed = comity("claim", "a.py", "*.md", "../x.py", "--reason", "new grammar", cwd=src)
    assert claimed.code == 0
    assert claimed.out.splitlines()[1:] == ["  src/*.md", "  src/a.py", "  x.py"]
    assert paths(comity) == ["src/*.md", "src/a.py", "x.py"]
    assert paths(comity, ".", cwd=src) == ["src/*.md", "src/a.py"]
    assert paths(comity, "x.py") == ["x.py"]
    table = comity("claims").out.splitlines()
    assert table[0].split() == ["Path", "Holder", "Mode", "Reason", "Age", "Until"]
    assert table[2].split()[:5] == ["src/a.py", "cli-tester", "exclusive", "new", "grammar"]
    released = comity("release", "**", cwd=src)
    assert released.out == "Released src/*.md\nReleased src/a.py\n"
    assert comity("release", "a.py", cwd=src).out == "None of these was held.\n"
    assert comity("release", str(comity.folder / "x.py")).out == "Released x.py\n"
    assert comity("claims").out == "Nothing is claimed.\n"


def test_a_held_file_is_refused_with_its_holder(comity: Program) -> None:
    comity("claim", "src/a.py", "--as", "ann", "--reason", "the lexer")
    refused = comity("claim", "src/**", "b.py", "--json")
    assert (refused.code, refused.error["reason"]) == (6, "claim.held")
    assert refused.error["data"]["holders"] == ["ann"]
    (peer,) = refused.error["data"]["conflicts"]
    assert (peer["agentId"], peer["filePath"], peer["reason"], peer["mode"]) == (
        *("ann", "src/a.py", "the lexer"),
        "exclusive",
    )
    assert {"ageSeconds", "expiresAt", "claimedAt"} <= peer.keys()
    assert [claim["agentId"] for claim in comity("claims", "--json").json["claims"]] == ["ann"]
    said = comity("claim", "src/**")
    assert (said.code, said.out) == (6, "")
    assert 'ann holds "src/a.py" ("the lexer") until ' in said.err
    assert "hint: " in said.err
    assert "partial" in said.err
    some = comity("claim", "src/a.py", "b.py", "--partial")
    assert some.code == 0
    assert "Not claimed: src/a.py" in some.out
    assert "the lexer" in some.out
    told = comity("claim", "src/*.py", "c.py", "--partial", "--json")
    assert (told.code, told.json["refused"], told.json["claims"][0]["filePath"]) == (0, ["src/*.py"], "c.py")
    left = comity("release", "**", "--json").json
    assert left == {"releasedFiles": ["b.py", "c.py"]}
    shared = comity("claim", "docs/", "--mode", "shared", "--ttl", "60", "--json").json
    assert (shared["claims"][0]["filePath"], shared["claims"][0]["mode"]) == ("docs", "shared")


def test_what_cannot_be(comity: Program) -> None:
    assert comity("claims", "--json").error["reason"] == "workspace.missing"
    outside = comity("claim", "../../x", "--json")
    assert (outside.code, outside.error["reason"]) == (2, "path.outside")
    assert comity("claim").code == 2
    assert comity("claims", "/etc/passwd").out == "Nothing is claimed.\n"


def test_a_working_directory_with_wildcards_in_its_name(comity: Program) -> None:
    odd = comity.folder / "x{a,b}[1]"
    odd.mkdir()
    assert comity("claim", "a.py", "{m,n}.py", cwd=odd).code == 0
    assert paths(comity) == [f"{odd.name}/{name}.py" for name in "amn"]
    assert comity("claim", f"{odd.name}/a.py", "--as", "ann").code == 6
    assert comity("claim", "xa/a.py", "xb[1]/a.py", "--as", "ann").code == 0
    assert comity("release", "a.py", cwd=odd).out == f"Released {odd.name}/a.py\n"


def test_another_worktree_is_only_told(comity: Program) -> None:
    def git(*arguments: str) -> None:
        who = {
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@t",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@t",
        }
        environment = {"HOME": str(comity.home), "PATH": "/usr/bin:/bin", **who}
        subprocess.run(["git", "-C", str(comity.folder), *arguments], check=True, capture_output=True, env=environment)

    git("commit", "-q", "--allow-empty", "-m", "first")
    tree = comity.folder.parent / "tree"
    git("worktree", "add", "-q", str(tree))
    (tree / "src").mkdir()
    comity("claim", "src/a.py", "--as", "ann")
    told = comity("claim", "a.py", "--json", cwd=tree / "src").json
    assert told["claims"][0]["filePath"] == "src/a.py"
    assert told["claims"][0]["worktree"] == str(tree)
    assert [(one["agentId"], one["elsewhere"]) for one in told["conflicts"]] == [("ann", True)]
    assert comity("claim", str(tree / "src/b.py"), "--json").error["reason"] == "path.outside"
    assert paths(comity) == ["src/a.py", "src/a.py"]
