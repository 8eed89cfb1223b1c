"""More hooks for a host whose version was not known when ``init`` wrote those that every supported version takes."""

from __future__ import annotations

from pathlib import Path

from comity.hosts import files, hook_edit, init_record
from comity.hosts.hook_install import WIRINGS, program_of, running
from comity.hosts.host import Version, Wiring
from comity.hosts.init import Options, apply, plan
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.versions import supported, taken
from comity.kernel.problem import Problem


def upgrade(checkout: str, host: str, version: Version) -> bool:
    """Write the hooks that this version of the host takes, where ``init`` wrote fewer; whether any were written.

    Nothing but that file is changed, and nothing is raised for one that cannot be.
    """
    for wiring in WIRINGS:
        if wiring.host == host and supported(wiring, version):
            try:
                return _fewer(Path(checkout), wiring, version) and _write(Path(checkout), wiring, version)
            except (Problem, MalformedJsonc):
                return False
    return False


def _fewer(checkout: Path, wiring: Wiring, told: Version) -> bool:
    """Whether the hooks of this Comity stand there as they are for a version that is not known, and more are taken."""
    data = files.look(checkout, wiring.file).data
    there = hook_edit.commands(files.decode(wiring.file, data)[1], wiring) if data else {}
    least, more = set(taken(wiring, None).events), set(taken(wiring, told).events)
    own = all(program_of(command, wiring.host) == running() for command in there.values())
    return own and set(there) == least != more


def _write(checkout: Path, wiring: Wiring, told: Version) -> bool:
    made = plan(checkout, Options(hosts=(wiring.host,)), versions={wiring.host: told})
    if {change.name for change in made.writes} != {wiring.file, init_record.NAME}:
        return False  # something else has changed since: that is for `init` to say
    return apply(made).ok
