"""Inspection for ``comity doctor``: which hosts of a checkout know the server, and which could."""

from __future__ import annotations

import shutil
from pathlib import Path

from comity.hosts import files, target
from comity.hosts.catalog import hosts
from comity.hosts.host import starts
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.layout import host_files, workspace
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem


class HostState(NamedTuple):
    """One host here. ``starts``: what its entry ``macp`` starts, ``comity``, ``macp``, ``other`` or None."""

    name: str
    title: str
    file: str
    present: bool  # the file exists
    problem: Problem | None  # why it cannot be read
    starts: str | None
    doubles: tuple[str, ...]  # other entries that start a second server
    program: str | None  # where the host's command is, None: not on PATH or not known
    note: str

    @property
    def valid(self) -> bool:
        return self.problem is None

    @property
    def entry(self) -> bool:
        return self.starts is not None

    @property
    def ours(self) -> bool:
        return self.starts == "comity"


def inspect(root: Path) -> list[HostState]:
    """The state of every known host in the checkout of ``root``. Raises Invalid when ``root`` is no folder."""
    place = workspace(root)
    states: list[HostState] = []
    for item in host_files(place, hosts()):
        present, problem, what = False, None, None
        doubles: tuple[str, ...] = ()
        try:
            found = files.look(item.base, item.name)
            present = found.data is not None
            text = files.decode(item.name, found.data)[1] if found.data is not None else ""
            entry = target.entry_of(item, text)
            what = None if entry is None else starts(entry) or "other"
            doubles = tuple(target.doubles(item, text))
        except Problem as error:
            present, problem = True, error
        except MalformedJsonc as error:
            problem = files.malformed(item.name, error.message, error.line)
        states += [
            HostState(
                host.name,
                host.title,
                item.name,
                present,
                problem,
                what,
                doubles,
                shutil.which(host.program) if host.program else None,
                host.note,
            )
            for host in item.hosts
        ]
    order = [host.name for host in hosts()]
    return sorted(states, key=lambda state: order.index(state.name))
