"""Committed settings that loosen, and those that say that the database lies elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.hostile.registry import OWN, Repository, add, hostile
from tests.hostile.world import World

_TRUST = ("trust", "outside", "leads out", "not inside", "set aside")

_Where = Callable[[World], str]
# What the database is said to be, and where that is.
_PLACES: dict[str, tuple[str, _Where]] = {
    "absolute": ("a new file of the home, by its absolute path", lambda world: str(world.me / "new.db")),
    "home": ("a key file of the home", lambda world: "~/.ssh/authorized_keys2"),
    "upward": ("a new file above the repository", lambda world: "../../new.db"),
    "other": ("the database of another project", lambda world: str(world.other_database)),
    "pipe": ("a pipe", lambda world: str(world.fifo(world.me / "pipe"))),
    "memory": ("the memory of the process", lambda world: "/proc/self/mem"),
    "text": ("a text file of the user", lambda world: str(world.bashrc)),
    "empty": ("an empty file of the user", lambda world: str(world.empty)),
    "git": ("a hook of git", lambda world: ".git/hooks/post-checkout"),
    "uri": ("a name that SQLite would take for an address", lambda world: f"file:{world.me}/new.db?mode=rwc"),
}
_IN_CONFIG = ("absolute", "upward", "other", "git")


def _settings_name(name: str) -> None:
    what, where = _PLACES[name]

    def build(folder: Path, world: World) -> None:
        world.settings(f'db = "{where(world)}"\n')

    named = () if name == "uri" else (*_TRUST, "git folder")
    add(Repository(f"db-{name}", f"comity.toml says that the database is {what}.", build, named, OWN))


def _config_names(name: str) -> None:
    what, where = _PLACES[name]

    def build(folder: Path, world: World) -> None:
        world.config(dbPath=where(world))

    named = (*_TRUST, "git folder")
    add(Repository(f"dbpath-{name}", f"config.json says that the database is {what}.", build, named, OWN))


for _name in _PLACES:
    _settings_name(_name)
for _name in _IN_CONFIG:
    _config_names(_name)


@hostile(*_TRUST, doors=OWN, few=True)
def moved_project_maps_along(folder: Path, world: World) -> None:
    """config.json was written for a folder /x, so that a database /x/../../new.db seems to have moved along."""
    world.config(projectRoot="/x", dbPath="/x/../../../new.db")


@hostile(doors=OWN, few=True)
def moved_project_is_the_root(folder: Path, world: World) -> None:
    """config.json was written for the folder /, so that every absolute path moved along, into the checkout."""
    world.config(projectRoot="/", dbPath=str(world.other_database))


@hostile(*_TRUST, doors=OWN)
def moved_project_through_a_link(folder: Path, world: World) -> None:
    """A database that moved along lies below a link that leads out."""
    world.track(world.link(folder / "data", world.elsewhere))
    world.config(projectRoot="/x", dbPath="/x/data/new.db")


@hostile(*_TRUST, doors=OWN)
def database_below_a_link(folder: Path, world: World) -> None:
    """comity.toml names a database below a folder of the repository that is a link to the other project."""
    world.track(world.link(folder / "data", "../other/.macp"))
    world.settings('db = "data/other.macp.db"\n')


@hostile("enforcement", doors=OWN)
def enforcement_off(folder: Path, world: World) -> None:
    """comity.toml switches the hooks off."""
    world.settings('enforcement = "off"\n')


_LOOSE = {
    "enforcement": '"off"',
    "agent_id": '"bob"',
    "agent_name": '"bob"',
    "session_id": '"s"',
    "vault_outside": "true",
    "max_hops": "0",
    "max_per_minute": "0",
    "repeat_s": "0",
    "max_context_bytes": "100000000",
    "max_pending_messages": "100000",
}


@hostile(*_LOOSE, each=True, doors=OWN, few=True)
def everything_looser(folder: Path, world: World) -> None:
    """comity.toml loosens everything that can be loosened."""
    world.settings("".join(f"{name} = {value}\n" for name, value in _LOOSE.items()))


@hostile("agent_id", "set aside", doors=OWN)
def named_by_the_branch(folder: Path, world: World) -> None:
    """comity.toml says who the agent is."""
    world.settings('agent_id = "peer-of-shop"\n')


@hostile("vault_outside", doors=OWN, few=True)
def vault_outside(folder: Path, world: World) -> None:
    """comity.toml lets the vault have folders outside the project."""
    world.settings("vault_outside = true\n")


_SERVER = {
    "allow_host": '["evil.example"]',
    "allow_origin": '["http://evil.example"]',
    "rate": "0",
    "burst": "1000000",
    "max_body_bytes": "1000000000",
    "retention_days": "0.000001",
    "tls_cert": '"cert.pem"',
    "tls_key": '"key.pem"',
}


@hostile(*_SERVER, each=True, doors=("serve", "status", "doctor"), few=True)
def server_looser(folder: Path, world: World) -> None:
    """server.toml loosens everything that can be loosened."""
    text = "".join(f"{name} = {value}\n" for name, value in _SERVER.items())
    world.track(world.write(world.masc / "config" / "server.toml", text))


@hostile("host", "set aside", doors=("serve", "status", "doctor"), few=True)
def server_for_everybody(folder: Path, world: World) -> None:
    """server.toml has the server listen on all addresses, and auth/config.json wants no token."""
    world.track(
        world.write(world.masc / "config" / "server.toml", 'host = "0.0.0.0"\n'),
        world.write(world.masc / "auth" / "config.json", '{"enabled": false, "require_token": false}'),
    )


@hostile("require_token", "auth/config.json", doors=("serve", "status", "doctor"), few=True)
def tokens_are_not_wanted(folder: Path, world: World) -> None:
    """A committed auth/config.json says that nobody needs a token."""
    world.track(world.write(world.masc / "auth" / "config.json", '{"enabled": false, "require_token": false}'))
