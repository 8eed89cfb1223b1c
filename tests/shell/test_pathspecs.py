"""Pathspecs as git itself understands them: what `git ls-files` lists is what our reading reaches."""

from __future__ import annotations

import random
import shlex
import subprocess
from pathlib import Path

import pytest

from comity.shell.changes import reaches
from comity.shell.effects import effects
from tests.rounds import rounds

FILES = (
    *("a.py", "b.py", "A.py", "README.md", "src/a.py", "src/b.txt", "src/pkg/c.py", "src/pkg/deep/d.py", "srcs/e.py"),
    *("app/[id].tsx", "app/i.tsx", "app/(group)/page.tsx", "app/[...slug]/page.tsx", "docs/x.md", "docs/SRC/y.md"),
    *(
        "my notes.txt",
        ".hidden/f.py",
        ".dot",
        "x*y",
        "x-y",
        "back\\slash",
        "é/ü.py",
        "!bang",
        ":colon",
        "-dash",
        "{a,b}.txt",
    ),
    *("src/.env", "lib/a/b/c/d/e.py", "lib/a/e.py", "tests/test_a.py", "tests/data/1.json", "q?mark", "qxmark"),
)
SPECS = (
    *(
        ".",
        "./",
        "src",
        "src/",
        "./src",
        "src/.",
        "src/../src",
        "a.py",
        "*.py",
        "src/*",
        "src/*.py",
        "s*",
        "*",
        "**",
        "**/*",
    ),
    *(
        "src/**",
        "**/a.py",
        "*/a.py",
        "?.py",
        "[ab].py",
        "[!a].py",
        "[a-b].py",
        "[^a].py",
        "sr[c]/a.py",
        "sr[c]",
        "[[:alpha:]].py",
    ),
    *("app/[id].tsx", "app/[[]id].tsx", "app/\\[id\\].tsx", "app/*", "app/[[]*", "app/(group)", "app/(*)/page.tsx"),
    *("x*y", "x\\*y", "x[*]y", "q?mark", "q\\?mark", "my notes.txt", "my*", "{a,b}.txt", "*.{py,md}", "back\\\\slash"),
    *(":/", ":/src", ":/*.py", ":", ":(top)src", ":(top)*.py", ":(top,glob)*.py", ":(glob)*.py", ":(glob)**/*.py"),
    *(
        ":(glob)src/*",
        ":(glob)src/**",
        ":(glob)**/d.py",
        ":(glob)src/**/d.py",
        ":(glob)src/*/c.py",
        ":(glob)**",
        ":(glob)lib/**/e.py",
    ),
    *(":(icase)SRC", ":(icase)readme.MD", ":(icase)*.PY", ":(icase,glob)SRC/*.PY", ":(literal)x*y", ":(literal)*.py"),
    *(
        ":(literal)app/[id].tsx",
        ":(literal)src",
        ":(literal,top)a.py",
        ":(exclude)src",
        ":!src",
        ":^src",
        ":!*.py",
        ":!/src",
    ),
    *(
        ":(exclude,glob)src/*",
        ":(exclude,top)*.md",
        ":!src/",
        ":(exclude,icase)SRC",
        "nowhere",
        "src/nowhere*",
        "lib/*/e.py",
    ),
    *(
        "lib/a/*",
        "*e.py",
        "*/*",
        "src/p*",
        "tests/test_?.py",
        "tests/data/[0-9].json",
        "\\a.py",
        "src/[!p]*",
        ".*",
        ".hidden",
        "*.tsx",
    ),
)
PAIRS = (
    *(("src", ":!src/pkg"), ("*.py", ":!src"), (".", ":(exclude)*.md"), (":/", ":!app", ":!docs"), (":!src", ":!*.md")),
    *(
        ("src/*", ":(exclude,glob)src/*"),
        ("a.py", "docs"),
        ("*.tsx", ":(icase,exclude)APP/I.TSX"),
        (":(literal)x*y", ":!x-y"),
    ),
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("specs").resolve() / "re[po]"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x\n")
    for arguments in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    return root


def compare(tree: Path, folder: str, specs: tuple[str, ...]) -> tuple[set[str], set[str]] | None:
    """What git lists, and what we say is reached; None when git does not take them."""
    place = tree / folder
    asked = ["git", "ls-files", "-z", "--full-name", "--", *specs]
    done = subprocess.run(asked, cwd=place, check=False, capture_output=True, text=True)
    if done.returncode:
        return None
    line = f"git checkout -- {shlex.join(specs)}"
    changes = effects(line, str(place), {}).changes
    reached = {name for name in FILES if any(reaches(change, str(tree / name)) for change in changes)}
    return {name for name in done.stdout.split("\0") if name}, reached


@pytest.mark.parametrize("folder", ["", "src", "app", "src/pkg"])
def test_each_names_what_git_lists(tree: Path, folder: str) -> None:
    differing = {}
    for specs in (*((spec,) for spec in SPECS), *PAIRS):
        found = compare(tree, folder, specs)
        outside = folder and all(spec.startswith((":!", ":^", ":(exclude", ":")) and spec != ":/" for spec in specs)
        if found is not None and (not found[0] <= found[1] if outside else found[0] != found[1]):
            differing[specs] = (sorted(found[0] - found[1]), sorted(found[1] - found[0]))
    assert differing == {}, "what git lists and we do not, and the other way round"


def test_any_other_pattern_too(tree: Path) -> None:
    choice = random.Random(7)
    pieces = (
        "src",
        "a",
        "*",
        "?",
        "/",
        "**",
        ".py",
        "[a-c]",
        "[!x]",
        "\\*",
        "p",
        "pkg/",
        "app",
        "i",
        "[[]",
        "e",
        ".tsx",
        "../",
        "./",
    )
    magic = ("", "", "", ":/", ":(glob)", ":(icase)", ":(top,glob)", ":!", ":(exclude,glob)", ":(literal)")
    differing = {}
    for _ in range(rounds(60, 1500)):
        spec = choice.choice(magic) + "".join(choice.choices(pieces, k=choice.randint(1, 5)))
        folder = choice.choice(("", "src", "lib/a"))
        found = compare(tree, folder, (spec,))
        if found is not None and not found[0] <= found[1]:
            differing[folder, spec] = sorted(found[0] - found[1])
    assert differing == {}, "git lists what we do not"
