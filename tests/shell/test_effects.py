"""What a shell line may change, foretold; beside what it really changes when a shell runs it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from comity.shell.changes import Change, Effects, takes
from comity.shell.effects import effects, reads_only
from tests.rounds import rounds
from tests.shell.playground import WORK, Outcome, Playground, lines
from tests.shell.wrappings import combined

# Programs that would ask another machine; such lines are only read.
AWAY = re.compile(r"\b(ssh|scp|docker|kubectl|gh|psql|npm|sudo|curl -s -d|watch|tmux)\b")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Playground:
    return Playground(tmp_path_factory.mktemp("ground").resolve())


def chosen(every: list[str], few: int, most: int = 10_000) -> list[str]:
    """Every line (``most``) in continuous integration, ``few`` of them elsewhere."""
    return random.Random(few).sample(every, min(len(every), rounds(few, most)))


def tried(ground: Playground, wanted: list[str], name: str) -> Iterator[tuple[str, Outcome]]:
    """Run each in a copy of its own, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        names = [f"{name}-{place}" for place in range(len(wanted))]
        yield from zip(wanted, pool.map(ground.outcome, wanted, names), strict=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["destructive.txt", "reported.txt"])
def test_what_goes_was_foretold(ground: Playground, name: str) -> None:
    found = dict(tried(ground, chosen(lines(name), 60), name))
    assert {line: out for line, out in found.items() if out.unforetold or out.untaken} == {}
    if name == "destructive.txt":
        assert [line for line, out in found.items() if not out.lost] == [], "these take nothing away"


@pytest.mark.timeout(900)
def test_it_is_foretold_in_whatever_form_it_stands(ground: Playground) -> None:
    found = dict(tried(ground, chosen(list(combined()), 60, 400), "form"))
    assert {line: out for line, out in found.items() if out.unforetold or out.untaken} == {}


def test_harmless_lines_are_left_alone(ground: Playground) -> None:
    every = lines("harmless.txt")
    assert len(every) > 500
    assert {line: taken for line in every if (taken := ground.taken(line))} == {}


@pytest.mark.timeout(600)
def test_harmless_lines_do_no_harm(ground: Playground) -> None:
    found = dict(
        tried(ground, chosen([line for line in lines("harmless.txt") if not AWAY.search(line)], 40), "harmless")
    )
    assert {line: out for line, out in found.items() if out.lost or out.unforetold} == {}


def said(line: str, folder: str = "/p", **more: str) -> Effects:
    return effects(line, folder, {"HOME": "/h", **more})


def only(line: str) -> Change:
    (change,) = said(line).changes
    return change


def test_a_path_is_absolute_and_where_the_shell_stands_by_then(tmp_path: Path) -> None:
    (tmp_path / "src" / "sub").mkdir(parents=True)
    top = tmp_path.resolve()
    assert only("cd src && echo x > ../a.py").paths == ("/p/a.py",)
    assert only(f"cd {top}/src; cd sub; rm ./x").paths == (f"{top}/src/sub/x",)
    assert only("rm ~/x").paths == ("/h/x",)


def test_a_shell_that_finds_no_folder_may_stay() -> None:
    assert [change.paths for change in said("cd nowhere; rm x").changes] == [("/p/nowhere/x",), ("/p/x",)]
    assert only("mkdir -p fresh; cd fresh; rm x").paths == ("/p/fresh/x",)
    assert only("cd nowhere && rm x").paths == ("/p/nowhere/x",)


def test_a_change_says_how(tmp_path: Path) -> None:
    ways = {
        "rm a": "remove",
        "mv a /q/": "move",
        "echo > a": "write",
        "git checkout -- a": "replace",
        "git switch main": "branch",
        "git add a": "index",
        "git commit -m x": "commit",
        "git worktree remove --force /w": "worktree",
        "git stash drop": "stash",
        "git branch -D old": "refs",
        "git push --force": "push",
    }
    for line, how in ways.items():
        assert said(line).changes[0].how == how, line


def test_content_that_stays_in_part_is_told_from_content_that_is_replaced() -> None:
    assert [only(line).keeps for line in ("echo >> a", "tee -a a", "sed -i s/a/b/ a")] == [True, True, True]
    assert [only(line).keeps for line in ("echo > a", "tee a", "cp /q/a a")] == [False, False, False]


def test_what_git_knows_of_a_file_decides(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    file = str(tmp_path.resolve() / "a")

    def reached(line: str) -> tuple[bool, bool, bool]:
        """Whether a tracked, an untracked and an ignored file would go."""
        changes = effects(line, str(tmp_path)).changes
        kinds = ((True, False), (False, False), (False, True))
        return tuple(any(takes(one, file, tracked=t, ignored=i) for one in changes) for t, i in kinds)  # type: ignore[return-value]

    assert reached("git reset --hard") == (True, False, False)
    assert reached("git clean -fd") == (False, True, False)
    assert reached("git clean -fdx") == (False, True, True)
    assert reached("git clean -fdX") == (False, False, True)
    assert reached("git clean -fdx -e a") == (False, False, False)
    assert reached("git stash -u") == (True, True, False)
    assert reached("git stash -a") == (True, True, True)
    assert reached("rm -rf .") == (True, True, True)
    assert reached("git switch other") == (False, False, False)


def test_what_an_operand_cannot_be_known_of_counts_as_the_whole_tree() -> None:
    for line in (
        "rm $(python3 list.py)",
        "git checkout -- $(./which.sh)",
        "./list | xargs sed -i s/a/b/",
        "patch < <(./make)",
    ):
        assert any(change.whole for change in said(line).changes), line


def test_one_file_of_unknown_name_does_not() -> None:
    for line in ('echo x > "$(./name)"', "cp a $(./name)", "tee $(./name)"):
        found = said(line)
        assert (found.changes, found.unknown) == ((), True), line


def test_unknown_is_what_may_write_anything() -> None:
    unknown = (
        "make",
        "./run.sh",
        "python3 x.py",
        'eval "$(./x)"',
        "bash x.sh",
        "npm test",
        "source x.sh",
        "git unheard-of",
    )
    assert [line for line in unknown if not said(line).unknown] == []
    assert [
        line for line in ("ls -l", "git status", "cat x | sort | head", "echo x > y", "cd x") if said(line).unknown
    ] == []


def test_a_variable_that_nobody_set_is_empty() -> None:
    assert said('rm -rf "$NONE_SUCH/x"').changes[0].paths == ("/x",)
    assert said("rm $WHICH", WHICH="a").changes[0].paths == ("/p/a",)
    assert said("cd $NONE_SUCH && rm a").changes[0].paths == ("/h/a",)


def test_git_works_where_it_is_told() -> None:
    assert only("git -C sub checkout -- a").paths == ("/p/sub/a",)
    assert only("git --git-dir=/q/.git --work-tree=/q reset --hard").place == "/q"
    assert only("GIT_WORK_TREE=/q GIT_DIR=/q/.git git reset --hard").place == "/q"
    assert said("git reset --hard", GIT_WORK_TREE="/q", GIT_DIR="/q/.git").changes[0].place == "/q"


def test_aliases_of_the_repository_are_followed() -> None:
    known = {"co": "checkout", "nuke": "!git reset --hard && git clean -fd", "loop": "loop", "again": "co --"}
    for line, verbs in (
        ("git co -- a", ["git checkout"]),
        ("git again a", ["git checkout"]),
        ("git nuke", ["git reset", "git clean"]),
    ):
        assert [change.verb for change in effects(line, "/p", {}, lambda: known).changes] == verbs
    assert effects("git loop", "/p", {}, lambda: known) == Effects((), True)


def test_a_person_lets_one_command_through() -> None:
    assert only("COMITY_BYPASS=1 COMITY_BYPASS_REASON='she agreed' git stash").bypass == "she agreed"
    assert only("export COMITY_BYPASS=1; git stash").bypass == ""
    assert only("git stash").bypass is None
    assert only("COMITY_BYPASS=1 bash -c 'git stash'").bypass == ""


def test_what_is_named_besides_is_told() -> None:
    assert only("git stash drop stash@{2}").names == ("stash@{2}",)
    assert only("git stash clear").names == ("*",)
    assert only("git push -f origin main:other").names == ("origin", "main:other")
    assert said("git checkout feature").changes[0].names == ("feature",)
    assert only("git clean -fdx -e .macp -e .masc").spares == (".macp", ".masc")
    assert only("git   reset  --hard").title == "git reset --hard"


def test_only_reading_is_told_from_all_else() -> None:
    reading = (
        "ls",
        "git log -p",
        "cat a | grep b > /dev/null",
        "find . -name x",
        "git stash list",
        "for f in *; do wc $f; done",
    )
    assert [line for line in reading if not reads_only(line)] == []
    assert [
        line for line in ("rm a", "make", "echo > a", "git stash", "find . -delete", "sed -i p a") if reads_only(line)
    ] == []


def test_no_line_is_too_long_or_too_deep() -> None:
    deep = "$(" * 3000 + "rm a" + ")" * 3000
    loops = "for a in {1..60}; do " * 5 + "rm $a; " + "done; " * 5
    growing = (
        "a=x; " + "a=$a$a$a; " * 60,
        "set x; " + "set -- $@ $@ $@; " * 40,
        "a=(x); " + "a+=(${a[@]} ${a[@]}); " * 50,
    )
    for line in (*growing, "cat <<E | sh\n" + "rm a\n" * 20_000 + "E\n", "x=y; " + "x=$(echo $x $x $x); " * 40):
        assert isinstance(said(line), Effects)
    for line in (deep, loops, "f() { f; f; }; f", "x" * 500_000, "((" * 4000, "{" * 4000, "a=b " * 50_000, "'" * 9999):
        assert isinstance(said(line), Effects)


def test_the_peers_work_of_the_ground_is_what_it_says(ground: Playground) -> None:
    assert ground.taken("rm -rf ../r ../wt") == list(WORK)
    assert ground.taken("true") == []


def test_any_text_is_read_without_a_fault(tmp_path: Path) -> None:
    choice = random.Random(11)
    every = [*lines("destructive.txt"), *lines("harmless.txt"), *combined()]
    letters = "\0\n\t\"'`$(){}[]<>|&;*?~!#\\ \ud800\udcff=-é:/%@^,"
    for _ in range(rounds(1500, 40_000)):
        line = choice.choice(every).replace("⏎", "\n")
        for _ in range(choice.randint(1, 4)):
            at = choice.randrange(len(line) + 1)
            line = choice.choice(
                (line[:at] + choice.choice(letters) + line[at:], line[:at] + line[at + 1 :], line[at:], line[:at])
            )
        assert isinstance(effects(line, str(tmp_path), {"HOME": "/h"}, dict), Effects), line
