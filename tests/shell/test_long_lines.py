"""No bound of the reader says that nothing is written: what is left out is unknown."""

from __future__ import annotations

import pytest

from comity.shell.changes import Effects
from comity.shell.effects import effects
from comity.shell.line_reader import MOST_COMMANDS, is_read_whole


def seen(line: str) -> Effects:
    return effects(line, "/nowhere", {})


def paths(line: str) -> set[str]:
    return {path for change in seen(line).changes for path in change.paths}


@pytest.mark.parametrize(
    "line",
    [
        "cat > held.py <<'EOF'\n" + "x = 'a line'\n" * 60_000 + "EOF",
        "cat > held.py <<-EOF\n" + "\tx = $HOME\n" * 60_000 + "\tEOF",
        "cat > other.py <<'EOF'\n" + "x\n" * 300_000 + "EOF\nrm held.py",
        'printf %s "' + 'x = \\"1\\" ' * 60_000 + '" > held.py',
        "echo " + "a" * 600_000 + " > held.py",
        "rm " + " ".join(f"n{number}" for number in range(1500)) + " held.py",
        "rm n{1..1500}.py held.py",
        "for f in " + "n " * 400 + "held.py; do rm $f; done",
        "printf '%s\\n' " + "n " * 400 + "held.py | xargs rm",
    ],
    ids=lambda line: line[:18],
)
def test_a_long_line_is_read_to_its_end(line: str) -> None:
    assert "/nowhere/held.py" in paths(line)


@pytest.mark.parametrize(
    "line",
    [
        "touch n{1..5000}.py held.py",
        "for f in " + "n " * 900 + "held.py; do echo x > $f; done",
        "printf '%s\\n' " + "n " * 900 + "held.py | xargs touch",
        ":\n" * (MOST_COMMANDS + 10) + "touch held.py",
        "cat > a.py <<EOF\n" + "x\n" * 60_000 + "$(touch held.py)\nEOF",
        "if true; then\n" + ":\n" * (MOST_COMMANDS + 10) + "touch held.py\nfi",
        "(" + ":;" * (MOST_COMMANDS + 10) + "touch held.py)",
        "bash -c '" + ":\n" * (MOST_COMMANDS + 10) + "touch held.py'",
    ],
    ids=lambda line: line[:18],
)
def test_what_is_not_read_may_be_anything(line: str) -> None:
    assert seen(line).unknown or "/nowhere/held.py" in paths(line)


def test_a_line_says_whether_all_of_it_is_read() -> None:
    assert is_read_whole("echo x > a.py")
    assert is_read_whole("")
    assert is_read_whole("cat <<'EOF'\n" + ":\n" * 50_000 + "EOF")
    assert not is_read_whole(":\n" * (MOST_COMMANDS + 10))


def test_here_documents_end_where_a_shell_ends_them() -> None:
    assert paths("cat > a <<EOF\nx\n EOF\nrm b\nEOF\nrm c") == {"/nowhere/a", "/nowhere/c"}
    assert paths("cat > a <<-EOF\n\tx\n\tEOF\nrm c") == {"/nowhere/a", "/nowhere/c"}
    assert paths("cat > a <<'E.F'\nExF\nE.F\nrm c") == {"/nowhere/a", "/nowhere/c"}
    assert paths("cat > a <<EOF\nrm b") == {"/nowhere/a"}
    assert paths("cat <<A > a; cat <<B > b\nA\nB\nrm c") == {"/nowhere/a", "/nowhere/b", "/nowhere/c"}


@pytest.mark.parametrize(
    "line",
    [
        *("shfmt -w held.py", "biome format --write held.py", "terraform fmt held.py", "rubocop -a held.py"),
        *("autoflake --in-place held.py", "jupyter nbconvert --inplace held.py", "npx dprint fmt held.py"),
        *("pyupgrade held.py", "deno fmt held.py", "apply_patch '*** Begin Patch\n  *** Delete File: held.py\n'"),
        "applypatch <<'EOF'\n*** Begin Patch\n*** Update File: held.py\n@@\n-x\n+y\n*** End Patch\nEOF",
    ],
)
def test_formatters_and_patches_write_the_files_that_they_are_given(line: str) -> None:
    assert "/nowhere/held.py" in paths(line)
