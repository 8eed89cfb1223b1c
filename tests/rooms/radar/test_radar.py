"""The radar says what a merge would do, tells both sides once, and changes nothing."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from comity import Workspace
from comity.dialects.masc import worktree_text
from comity.kernel.record import to_json
from comity.rooms.channels.model import PRIORITIES
from comity.rooms.radar.model import Radar, RadarPair
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run
from tests.rooms.radar import random_edits
from tests.rounds import rounds

LINES = "".join(f"{number}\n" for number in range(1, 21))


@pytest.fixture(autouse=True)
def _long_files(root: Path, git: Git) -> None:
    for name in ("a.py", "b.py"):
        (root / name).write_text(LINES)
    git("commit", "-qam", "Longer.")


@pytest.fixture
def places(ann: Workspace, bob: Workspace) -> tuple[Path, Path]:
    """A worktree of ann's, and one of bob's."""
    mine = ann.worktree.create(task_id="task-001").worktree.path
    return Path(mine), Path(bob.worktree.create(task_id="task-002").worktree.path)


def _edit(path: Path, line: int, text: str) -> None:
    lines = path.read_text().splitlines(keepends=True)
    lines[line - 1] = f"{text}\n"
    path.write_text("".join(lines))


def _between(found: Radar) -> RadarPair:
    return next(one for one in found.pairs if one.one.startswith(".worktrees"))


def _mail(who: Workspace) -> list[tuple[str, str]]:
    """What came since the last look."""
    found = who.message.poll().deliveries
    for one in found:
        who.message.ack(delivery_id=one.delivery_id)
    return [(PRIORITIES[one.priority], one.content) for one in found]


def test_a_list_of_files_that_both_touched_is_no_conflict(
    ann: Workspace, bob: Workspace, places: tuple[Path, Path]
) -> None:
    _edit(places[0] / "a.py", 2, "two")
    _edit(places[1] / "a.py", 18, "eighteen")
    pair = _between(ann.radar.look())
    assert (pair.state, pair.both) == ("clean", ["a.py"])
    assert _mail(ann) == _mail(bob) == []


def test_uncommitted_work_conflicts_with_its_lines(ann: Workspace, bob: Workspace, places: tuple[Path, Path]) -> None:
    (places[0] / "a.py").write_text("0\n" + LINES)
    _edit(places[0] / "a.py", 6, "five")
    _edit(places[1] / "a.py", 5, "fuenf")
    pair = _between(ann.radar.look())
    (conflict,) = pair.conflicts
    assert (pair.state, pair.committed, conflict.paths) == ("conflict", False, ["a.py"])
    assert conflict.lines[0].one == (6, 6)
    assert conflict.lines[0].other == (5, 5)
    ((urgency, text),) = _mail(ann)
    assert urgency == "advisory"
    assert '"a.py" at your lines 6' in text
    assert "bob's" in text
    ((_, theirs),) = _mail(bob)
    assert '"a.py" at your lines 5' in theirs


def test_what_both_have_committed_is_steering_and_told_once(
    ann: Workspace, bob: Workspace, places: tuple[Path, Path]
) -> None:
    for path, text in zip(places, ("five", "fuenf"), strict=True):
        _edit(path / "a.py", 5, text)
        run(path, "commit", "-qam", text)
    ann.radar.look()
    assert [urgency for urgency, _ in _mail(ann)] == ["steering"]
    assert [urgency for urgency, _ in _mail(bob)] == ["steering"]
    bob.radar.look(anew=True)
    _edit(places[0] / "b.py", 1, "one")
    ann.radar.look()
    assert _mail(ann) == _mail(bob) == [], "nothing new conflicts"


def test_a_conflict_that_is_gone_is_told_once(ann: Workspace, bob: Workspace, places: tuple[Path, Path]) -> None:
    for path, text in zip(places, ("five", "fuenf"), strict=True):
        _edit(path / "a.py", 5, text)
    ann.radar.look()
    _mail(ann), _mail(bob)
    run(places[1], "checkout", "-q", "--", "a.py")
    pair = next((one for one in ann.radar.look(anew=True).pairs if one.one.startswith(".worktrees")), None)
    assert pair is None, "what is as its base is compared with nobody"
    ((urgency, text),) = _mail(ann)
    assert urgency == "info"
    assert "go together again" in text


def test_a_deletion_against_an_edit_and_one_number_twice(ann: Workspace, places: tuple[Path, Path]) -> None:
    run(places[0], "rm", "-q", "b.py")
    _edit(places[1] / "b.py", 1, "one")
    for path, name in zip(places, ("0007_users.sql", "0007_orders.sql"), strict=True):
        (path / "db").mkdir()
        (path / "db" / name).write_text("x\n")
    pair = _between(ann.radar.look())
    assert [one.kind for one in pair.conflicts] == ["modify/delete"]
    assert pair.signs == ["the number 7 is given twice: db/0007_users.sql and db/0007_orders.sql"]


def test_a_base_that_moved_under_the_same_file_is_told(
    ann: Workspace, root: Path, git: Git, places: tuple[Path, Path]
) -> None:
    _edit(places[0] / "a.py", 2, "two")
    ann.radar.look()
    assert _mail(ann) == []
    _edit(root / "a.py", 18, "eighteen")
    git("commit", "-qam", "Move on.")
    ann.radar.look()
    ((urgency, text),) = _mail(ann)
    assert urgency == "advisory"
    assert '"main" moved under your worktree' in text
    _edit(root / "a.py", 2, "zwei")
    git("commit", "-qam", "Collide.")
    ann.radar.look()
    ((_, collided),) = _mail(ann)
    assert 'the base "main" will not merge' in collided


def test_the_main_checkout_counts_with_its_uncommitted_work(
    ann: Workspace, root: Path, places: tuple[Path, Path]
) -> None:
    _edit(root / "a.py", 5, "main")
    _edit(places[0] / "a.py", 5, "ann")
    pairs = {(one.one, one.other): one.state for one in ann.radar.look().pairs}
    assert pairs[".", ".worktrees/ann-task-001"] == "conflict"


def test_only_what_changed_is_looked_at(ann: Workspace, places: tuple[Path, Path]) -> None:
    for path, text in zip(places, ("five", "fuenf"), strict=True):
        _edit(path / "a.py", 5, text)
        run(path, "commit", "-qam", text)
    first = ann.radar.look()
    assert (first.looked, first.merged) == (3, 3)
    again = ann.radar.look()
    assert (again.looked, again.merged) == (0, 0)
    assert again.pairs == first.pairs == ann.radar.show().pairs
    _edit(places[0] / "b.py", 1, "one")
    run(places[0], "commit", "-qam", "More.")
    after = ann.radar.look()
    assert (after.looked, after.merged) == (1, 2)


def test_nothing_in_the_repository_changes(ann: Workspace, root: Path, places: tuple[Path, Path]) -> None:
    for path, text in zip(places, ("five", "fuenf"), strict=True):
        _edit(path / "a.py", 5, text)
        (path / "new.txt").write_text(text)
    before = _everything(root)
    assert _between(ann.radar.look()).state == "conflict"
    assert _everything(root) == before


def _everything(root: Path) -> dict[str, bytes]:
    """Every file of the git folder and of the worktrees."""
    places = (root / ".git", root / ".worktrees")
    return {str(path): path.read_bytes() for place in places for path in sorted(place.rglob("*")) if path.is_file()}


def test_a_name_with_a_newline_and_quotes_stays_on_one_line(
    ann: Workspace, bob: Workspace, places: tuple[Path, Path]
) -> None:
    name = 'a\n"b" and\tmore.py'
    for place, text in zip(places, ("mine\n", "theirs\n"), strict=True):
        (place / name).write_text(text)
        run(place, "add", "-A")
        run(place, "commit", "-qm", "Add.")
    found = _between(ann.radar.look())
    assert [list(one.paths) for one in found.conflicts] == [[name]]
    ((_, told),) = _mail(bob)
    assert name not in told
    assert "more.py" in told
    lines = worktree_text.radar(to_json(ann.radar.show())).splitlines()
    assert any("b" in line and "more.py" in line for line in lines)
    assert not any(line.lstrip().startswith("b") for line in lines)


def test_a_merge_under_way_is_told_and_stops_nothing(ann: Workspace, root: Path, places: tuple[Path, Path]) -> None:
    _edit(places[0] / "a.py", 5, "five")
    run(places[0], "commit", "-qam", "five")
    _edit(places[1] / "a.py", 5, "fuenf")
    run(places[1], "commit", "-qam", "fuenf")
    with pytest.raises(subprocess.CalledProcessError):
        run(places[1], "merge", "-q", "ann/task-001")
    found = ann.radar.look()
    assert any("bob-task-002" in note for note in found.notes) or _between(found).state in ("clean", "conflict")


def test_two_processes_that_look_at_once_tell_it_once(
    world: World, ann: Workspace, bob: Workspace, root: Path, machine: FakeMachine, places: tuple[Path, Path]
) -> None:
    eve = world.agent("eve", root=str(root), observer=machine.start(), database=world.path)
    assert ann.radar.turn().yours
    assert not eve.radar.turn().yours
    assert ann.radar.turn().yours
    world.clock.advance(20)
    assert eve.radar.turn().yours
    for path, text in zip(places, ("five", "fuenf"), strict=True):
        _edit(path / "a.py", 5, text)
    for who in (ann, eve, bob):
        who.radar.look()
    assert len(_mail(bob)) == 1


@pytest.mark.parametrize("seed", range(rounds(6, 40)))
def test_what_is_predicted_is_what_git_then_does(world: World, machine: FakeMachine, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    folder = (tmp_path / "pairs").resolve()
    folder.mkdir()
    random_edits.begin(folder, dice)
    sides = [folder / ".worktrees" / name for name in ("one", "two")]
    (folder / ".git" / "info").mkdir(exist_ok=True)
    (folder / ".git" / "info" / "exclude").write_text(".worktrees/\n.macp/\n")
    for side in sides:
        random_edits.git(folder, "worktree", "add", "-q", "-b", side.name, str(side))
        random_edits.change(side, dice)
    eve = world.agent("eve", root=str(folder), observer=machine.start(), database=str(tmp_path / "x.db"))
    found = next((one for one in eve.radar.look().pairs if one.one.startswith(".worktrees")), None)
    predicted = set() if found is None else {path for one in found.conflicts for path in one.paths}
    really = random_edits.conflicts(*sides)
    assert bool(predicted) == bool(really), (predicted, really)
