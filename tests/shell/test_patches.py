"""Patches are read at least as leniently as the programs that apply them."""

from __future__ import annotations

import pytest

from comity.shell.patches import named, of_codex, of_diff

HELD = "src/held.py"


def begun(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


@pytest.mark.parametrize(
    "patch",
    [
        begun(f"*** Update File: {HELD}", "@@", "-x", "+y"),
        begun(f"  *** Update File: {HELD}", "@@", "-x", "+y"),
        begun(f"\t*** Delete File: {HELD}"),
        begun(f"\u00a0*** Delete File: {HELD}\u3000"),
        begun(f"*** Add File:{HELD}", "+x"),
        begun(f"*** add file: {HELD}", "+x"),
        begun("*** Update File: old.py", f"*** Move to: {HELD}", "@@", "-x", "+y"),
        begun("*** Update File: old.py", f"  *** Move to: {HELD}", "@@", "-x", "+y"),
        begun("*** Add File: new.py", "+x", f"   *** Update File: {HELD}", "@@", "-x", "+y"),
        begun("*** Delete File: old.py", f" *** Update File: {HELD}", "@@", "-x", "+y"),
        begun("*** Update File: old.py", "@@", "-x", "+y", f"*** Update File: {HELD}", "@@", "-x", "+y"),
        begun("*** Update File: old.py", "@@", "-x", "+y", "*** End of File", f" *** Delete File: {HELD}"),
        begun("*** Update File: old.py", "@@", "-x", "+y", f"  *** Delete File: {HELD}"),
        begun(f"*** Update File: {HELD}", "@@", "-x", "+y").replace("\n", "\r\n"),
        begun("*** Add File: n\ud83d.py", "+x", f"*** Update File: {HELD}", "@@", "-x", "+y"),
        f"  *** Begin Patch\n  *** Update File: {HELD}\n@@\n-x\n+y\n  *** End Patch",
        f"<<'EOF'\n*** Begin Patch\n*** Delete File: {HELD}\n*** End Patch\nEOF\n",
        f"*** Update File: {HELD}\n@@\n-x\n+y",
    ],
)
def test_whatever_codex_applies_to_a_file_names_it(patch: str) -> None:
    assert HELD in of_codex(patch)


@pytest.mark.parametrize("sign", ["+", "-", "+  ", "- "])
def test_a_header_in_what_is_written_names_no_file(sign: str) -> None:
    patch = begun("*** Update File: notes.md", "@@", "-x", f"{sign}*** Update File: {HELD}")
    assert of_codex(patch) == ["notes.md"]


def test_a_header_behind_blanks_is_context_where_the_file_has_that_line() -> None:
    patch = begun("*** Update File: notes.md", "@@", f" *** Update File: {HELD}", "-x", "+y")
    assert of_codex(patch, lambda name: f"# Notes\n*** Update File: {HELD}\nx\n") == ["notes.md"]
    assert of_codex(patch, lambda name: "# Notes\nx\n") == ["notes.md", HELD]


@pytest.mark.parametrize(
    "diff",
    [
        f"--- a/{HELD}\n+++ b/{HELD}\n@@ -1 +1 @@\n-x\n+y\n",
        f"--- {HELD}\n+++ {HELD}\n@@ -1 +1 @@\n-x\n+y\n",
        f"--- a/{HELD}\t2026-11-30\n+++ b/{HELD}\t2026-11-30\n@@ -1 +1 @@\n-x\n+y\n",
        f"diff --git a/{HELD} b/{HELD}\r\ndeleted file mode 100644\r\n",
        f"diff --git a/old.py b/{HELD}\nsimilarity index 100%\nrename from old.py\nrename to {HELD}\n",
        f"  --- a/{HELD}\n  +++ b/{HELD}\n  @@ -1 +1 @@\n  -x\n  +y\n",
        f"*** {HELD}\t2026\n--- {HELD}\t2026\n***************\n*** 1 ****\n! x\n--- 1 ----\n! y\n",
    ],
)
def test_a_diff_of_any_kind_names_its_files(diff: str) -> None:
    assert HELD in named(diff)


def test_names_that_git_wrote_in_octal_are_those_of_the_files() -> None:
    assert "src/gr\u00fcn.py" in of_diff('diff --git "a/src/gr\\303\\274n.py" "b/src/gr\\303\\274n.py"\n', 1)


def test_lines_of_a_codex_patch_are_no_diff() -> None:
    patch = begun("*** Update File: notes.md", "@@", f"+++ b/{HELD}")
    assert named(patch) == ["notes.md"]
