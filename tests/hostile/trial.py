"""One repository through the doors, and what is wrong then: something ran, something outside changed, a door hung."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.hostile.doors import Group, Step, betrayed, groups, hosts_for
from tests.hostile.programs import busy
from tests.hostile.registry import Repository
from tests.hostile.repositories import PLAIN
from tests.hostile.world import State, World

_SHOWN = 6


def lines(world: World, text: str) -> frozenset[str]:
    """The lines, without what differs from machine to machine and from time to time."""
    plain = re.sub(r"[0-9]+", "#", text.replace(str(world.root), "ROOT"))
    return frozenset(" ".join(line.split()) for line in plain.splitlines())


def learn(world: World) -> None:
    """What doctor, status and init say where nothing is hostile: there no word proves anything."""
    verdict = Trial(world, PLAIN, 0, whole=False, only="looks").verdict()
    assert "in its place" not in verdict.said, "the copied database is taken for another one"
    world.usual = lines(world, verdict.said)


class Fault(NamedTuple):
    """What went wrong; ``kind`` is counted."""

    kind: str
    repository: str
    door: str
    what: str

    def __str__(self) -> str:
        return f"{self.repository} / {self.door}: {self.what}"


class Verdict(NamedTuple):
    """What came of one repository. ``said`` is what doctor, status and failing doors told."""

    repository: str
    faults: list[Fault]
    processes: int
    slowest_ms: float
    slowest: str
    said: str
    skipped: str = ""


class Trial:
    """One repository in one world. ``only``: doors whose group's name begins so."""

    def __init__(self, world: World, repository: Repository, number: int, *, whole: bool, only: str = "") -> None:
        self.world, self.repository, self.number = world, repository, number
        self.whole, self.only = whole, only
        self.faults: list[Fault] = []
        self.said: list[str] = []
        self.processes = 0
        self.slowest = (0.0, "")

    def verdict(self) -> Verdict:
        """Build it, run every door, and look."""
        world, repository = self.world, self.repository
        world.restore("template")
        try:
            repository.build(world.folder, world)
        except PermissionError as error:
            return Verdict(repository.name, [], 0, 0, "", "", f"it needs root: {error}")
        except Exception as error:
            error.add_note(f"while building {repository.name}")
            raise
        world.keep("hostile")
        hung = 0
        for group in self._groups():
            if hung and group.name.startswith("hooks"):
                continue
            hung += self._group(group)
        self._unnamed()
        slowest_s, slowest = self.slowest
        return Verdict(repository.name, self.faults, self.processes, slowest_s * 1000, slowest, "\n".join(self.said))

    def _groups(self) -> Iterator[Group]:
        hosts, forked = hosts_for(self.repository, self.number, whole=self.whole)
        repository = self.repository
        if not self.whole and not repository.few and repository is not PLAIN:
            repository = repository._replace(canaries=())  # it runs in a project of its own
        for group in groups(self.world, repository, hosts, forked):
            if group.name.startswith(self.only):
                yield group

    def _group(self, group: Group) -> bool:
        """Run its doors on the repository as it was built. Whether one hung; the rest is left out then."""
        self.world.restore("hostile")
        before = self.world.outside()
        hung = False
        for step in group.steps:
            self._step(step)
            hung = self._hung(step) or hung
            if hung and group.name.startswith("hooks"):
                break
        self._outside(group.name, before)
        return hung

    def _step(self, step: Step) -> None:
        self.processes += 1
        self.slowest = max(self.slowest, (step.ran.took_s, step.door))
        for what in (*step.faults, *betrayed(step.ran)):
            self._fault("answered wrongly", step.door, what)
        if step.door in ("doctor", "status"):
            self.said.append(step.ran.text)
        elif not step.door.startswith("hook"):
            self.said.append(step.ran.err)
            if step.door.startswith("init"):
                self.said += [line for line in step.ran.out.splitlines() if "problem:" in line or "skipped" in line]

    def _hung(self, step: Step) -> bool:
        """Whether it took too long for how busy the machine is otherwise."""
        times = busy()
        if not step.ran.late and step.ran.took_s <= step.limit_s * times:
            return False
        took = f"it was killed after {step.ran.took_s:.1f} s" if step.ran.late else f"it took {step.ran.took_s:.1f} s"
        self._fault("hung", step.door, f"hangs: {took}, on a machine that is {times:.1f} times slower than alone")
        return True

    def _outside(self, door: str, before: State) -> None:
        for marker in sorted(path.name for path in self.world.markers.iterdir()):
            self._fault("executed", door, f"ran {marker}")
        after = self.world.outside()
        changed = [f"{name} is new ({after[name]})" for name in sorted(after.keys() - before.keys())]
        changed += [f"{name} is gone" for name in sorted(before.keys() - after.keys())]
        changed += [
            f"{name} was {before[name]}, is {after[name]}"
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        ]
        if changed:
            more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
            self._fault("changed outside", door, "; ".join([*changed[:_SHOWN], *more]))

    def _unnamed(self) -> None:
        wanted = self.repository.named
        said = "\n".join(lines(self.world, "\n".join(self.said)) - self.world.usual).lower()
        asked = {"status", "doctor", "mcp", "serve", "init"} & set(self.repository.doors)
        silent = [word for word in wanted if re.sub(r"[0-9]+", "#", word.lower()) not in said]
        if asked and not self.only and (silent if self.repository.each else silent and len(silent) == len(wanted)):
            every = "" if self.repository.each else "any of "
            self._fault("unnamed", "doctor, status", f"nobody says {every}{', '.join(map(repr, silent))}")

    def _fault(self, kind: str, door: str, what: str) -> None:
        self.faults.append(Fault(kind, self.repository.name, door, what))
