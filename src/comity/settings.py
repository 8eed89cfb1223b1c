"""The settings that hold: where a process stands, what it was told, and what the project's files say.

Precedence: flag, then environment, then the project's ``.macp/config.json`` and ``.macp/comity.toml``, then the default
(MACP v1.0, reference sections 6.2 to 6.4). Blank counts as absent everywhere. The project's files may have come with
somebody's repository: what loosens counts from them only once the user agreed (``comity.trust``); until then it is set
aside and told, and a database that lies elsewhere is refused, so that nobody makes a second one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib import import_module

from comity.declared import BY_NAME, SETTINGS, Aside, aside, shown, text
from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any, Literal, cast
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.kernel.scope import Actor, Limits
from comity.project import CONFIG, FOLDER, Place, Project, find_workspace, lies_inside, project_of, slug, tracked
from comity.system import files

TOML_NAME, CONFIG_NAME = f"{FOLDER}/comity.toml", f"{FOLDER}/{CONFIG}"
_MAX_TOML_BYTES = 1_000_000

# Environment variables in which hosts tell their own session id, and the host's short name.
HOST_SESSIONS = (("CLAUDE_CODE_SESSION_ID", "claude"), ("GEMINI_SESSION_ID", "gemini"))


class Settings(NamedTuple):
    """Settings as they hold for one process. ``db`` is absolute; ``root`` is the project's folder.

    ``worktree`` is the folder that stands for ``root`` in the linked worktree that the process is in; empty elsewhere.
    ``program`` and ``host_session_id`` are those of the agent's host, as far as its environment tells.
    ``named``: the user chose the agent's id. ``git`` is the git folder with the index of ``root``'s checkout; empty
    without one. ``aside``: what the project's files say and what does not count.
    """

    root: str
    db: str
    project_id: str
    channel: str
    agent_id: str
    agent_name: str
    session_id: str
    role: str
    interest_tags: tuple[str, ...]
    max_pending_messages: int
    max_context_bytes: int
    durability: Literal["normal", "full"]
    surface: Literal["macp", "masc"]
    tools: Literal["core", "workspace", "all"] = "all"
    vault_outside: bool = False
    enforcement: Literal["off", "guard", "strict"] = "guard"
    wake: Literal["off", "interrupt", "steering"] = "steering"
    max_hops: int = 40
    max_per_minute: int = 120
    repeat_s: int = 30
    worktree: str = ""
    program: str = ""
    host_session_id: str = ""
    named: bool = False
    git: str = ""
    aside: tuple[Aside, ...] = ()

    @property
    def actor(self) -> Actor:
        """Who calls, with these settings."""
        return Actor(
            self.agent_id,
            self.session_id,
            self.agent_name,
            self.channel,
            self.project_id,
            self.role,
            self.interest_tags,
            self.max_pending_messages,
            self.max_context_bytes,
            self.root,
            self.worktree,
            self.vault_outside,
            limits=Limits(self.max_hops, self.max_per_minute, self.repeat_s),
            database=self.db,
        )


class Toml(NamedTuple):
    """``.macp/comity.toml``: the file as it was read, and its settings as text."""

    content: bytes
    values: dict[str, str]

    def asks(self, root: str) -> tuple[Aside, ...]:
        """What of it needs the user's agreement."""
        return tuple(
            aside(name, value, TOML_NAME)
            for name, value in self.values.items()
            if BY_NAME[name].loosens and value.strip() and not (name == "db" and lies_inside(root, value))
        )


def resolve(flags: Mapping[str, str | None], env: Mapping[str, str], cwd: str) -> Settings:
    """The settings for one process. Raises Invalid for what cannot be, with the setting and what it takes.

    And Forbidden ``trust.needed`` for a database elsewhere that only a file of the tree names.
    """
    places = _Places(cwd)
    place, found = _place(env, places)
    project, root = project_of(place) if found else None, place.root
    toml = toml_of(root)
    asked = toml.asks(root)
    left = () if not asked or _agreed(root, TOML_NAME, toml.content) else asked
    given = _given(flags, env, toml, left)
    if left and "db" not in given:
        _refuse_elsewhere(left, toml, chosen="project_id" in given)
    explicit = given.get("project_id")
    project_id = (
        slug(explicit or "") or (project.project_id if project and not explicit else slug(_last(root))) or "macp"
    )
    channel = given.get("channel") or (project.default_channel if project and not explicit else project_id)
    agent_id, name = _identity(given, env)
    values = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}
    values.update(
        root=root,
        db=given.get("db") or _database(project, root, project_id, shared=bool(explicit)),
        project_id=project_id,
        channel=channel,
        agent_id=agent_id,
        agent_name=given.get("agent_name") or name,
        session_id=given.get("session_id") or _random_id(),
        worktree=_worktree(root, env, places),
        git=place.git,
        program=_host(env)[1],
        host_session_id=_host(env)[0],
        named="agent_id" in given,
        aside=left,
    )
    return Settings(**values)


def workspace_of(env: Mapping[str, str], cwd: str) -> str:
    """The folder of the project that ``resolve`` finds; none of its files is read."""
    return _place(env, _Places(cwd))[0].root


class _Places:
    """The workspaces of folders, relative ones counted from ``cwd``; each is looked for once."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._found: dict[str, tuple[Place, bool]] = {}

    def of(self, start: str = "") -> tuple[Place, bool]:
        """The workspace of a folder, and whether its config is there."""
        path = os.path.join(self._cwd, start) if start else self._cwd
        if path not in self._found:
            self._found[path] = find_workspace(path)
        return self._found[path]


def _place(env: Mapping[str, str], places: _Places) -> tuple[Place, bool]:
    """The project of the named root, else of the working directory, else of the folder the host was opened in."""
    named, host_folder = _named_folders(env)
    if named:
        found = places.of(named)
        return found if found[1] else (places.of()[0], False)
    here = places.of()
    if not here[1] and host_folder:
        found = places.of(host_folder)
        return found if found[1] else here
    return here


def _named_folders(env: Mapping[str, str]) -> tuple[str, str]:
    """The root that is named, and the host's folder. A host that fills in no variables passes them on as they are."""
    named, host_folder = (env.get(name, "").strip() for name in ("MACP_PROJECT_ROOT", "CLAUDE_PROJECT_DIR"))
    return "" if "${" in named else named, "" if "${" in host_folder else host_folder


def _worktree(root: str, env: Mapping[str, str], places: _Places) -> str:
    """The folder that stands for ``root`` in the linked worktree around the working directory; empty when in none."""
    for start in ("", *filter(None, _named_folders(env))):
        place, _ = places.of(start)
        if place.root == root:
            return place.checkout if place.worktree is not None else ""
    return ""


def _given(
    flags: Mapping[str, str | None], env: Mapping[str, str], toml: Toml, left: tuple[Aside, ...]
) -> dict[str, Any]:
    """What flags, environment and the project's TOML say, checked; without what of the latter is set aside."""
    values = {name: value for name, value in toml.values.items() if all(one.name != name for one in left)}
    given = {}
    for setting in SETTINGS:
        for value in (flags.get(setting.name), env.get(setting.env), values.get(setting.name)):
            told = (value or "").strip()
            if told:
                given[setting.name] = setting.read(setting.name, told)
                break
    return given


def toml_of(root: str) -> Toml:
    """The project's TOML file; without values when there is none. Raises Invalid ``config.unreadable``."""
    path = os.path.join(root, *TOML_NAME.split("/"))
    if not os.path.lexists(path):
        return Toml(b"", {})
    try:
        content = files.read(root, TOML_NAME, _MAX_TOML_BYTES)
        found = import_module("tomllib").loads(content.decode())  # only projects that have the file pay for it
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        hint = "Mend the file or remove it."
        raise Invalid("config.unreadable", f"{path}: {why}", hint, path=path) from None
    unknown = sorted(set(found) - set(BY_NAME))
    if unknown:
        raise Invalid(
            "config.unknown_setting",
            f"{path}: there is no setting {shown(unknown[0])!r}.",
            f"Settings are: {', '.join(BY_NAME)}.",
            path=path,
        )
    values = {
        name: json.dumps(value) if isinstance(value, list | bool) else str(value) for name, value in found.items()
    }
    if values.get("db", "").strip():
        values["db"] = os.path.join(root, os.path.expanduser(values["db"].strip()))
    return Toml(content, values)


def config_asks(project: Project) -> tuple[Aside, ...]:
    """What of the project's config needs the user's agreement: a database that lies neither in the workspace nor, for
    a config that git does not track, in the place that the protocol has for shared ones.
    """
    path = project.db_path
    if path is None or lies_inside(project.root, path):
        return ()
    shared = _shared_database(project.project_id)
    if path == shared and not tracked(project.root, (CONFIG_NAME,)):
        return ()
    return (aside("dbPath", path, CONFIG_NAME),)


def database_counts(project: Project) -> bool:
    """Whether the project's config may name its database."""
    return not config_asks(project) or _agreed(project.root, CONFIG_NAME, project.content)


def _agreed(root: str, name: str, content: bytes) -> bool:
    """Whether the user agreed to a file of the tree; only projects that ask for something pay for looking."""
    agreed: bool = import_module("comity.trust").agreed(root, name, content)
    return agreed


def _refuse_elsewhere(left: tuple[Aside, ...], toml: Toml, *, chosen: bool) -> None:
    """Forbidden when what is set aside would have chosen the database. ``chosen``: the user named the project."""
    names = {one.name for one in left}
    if "db" in names:
        raise _needed(TOML_NAME, toml.values["db"])
    if "project_id" in names and not chosen:
        raise _needed(TOML_NAME, _shared_database(slug(toml.values["project_id"])))


def _needed(file: str, path: str) -> Forbidden:
    return Forbidden(
        "trust.needed",
        f"{file} names a database outside the workspace: {shown(path, 300)}.",
        "If that is meant, agree once with `comity trust`; or name it yourself with --db or MACP_DB_PATH.",
        path=path,
        file=file,
    )


def _database(project: Project | None, root: str, project_id: str, *, shared: bool) -> str:
    if shared:
        return _shared_database(project_id)
    if project is not None and project.db_path is not None:
        if not database_counts(project):
            raise _needed(CONFIG_NAME, project.db_path)
        return project.db_path
    return os.path.join(root, FOLDER, f"{project_id}.macp.db")


def _shared_database(project_id: str) -> str:
    """The protocol's own place for a database that several folders share."""
    return os.path.join(os.path.expanduser("~"), FOLDER, "projects", f"{project_id}.macp.db")


def _identity(given: Mapping[str, Any], env: Mapping[str, str]) -> tuple[str, str]:
    """Agent id and display name: as given, else from the host's session id, else random."""
    agent_id = cast("str", given.get("agent_id", ""))
    if agent_id:
        return agent_id, agent_id
    session, host = _host(env)
    if session:
        return text("agent_id", session), f"{host}-{session[-4:]}"
    agent_id = _random_id()
    return agent_id, f"agent-{agent_id[-4:]}"


def _host(env: Mapping[str, str]) -> tuple[str, str]:
    """The host's session id and short name; empty when the environment does not tell."""
    for variable, host in HOST_SESSIONS:
        session = env.get(variable, "").strip()
        if session:
            return session, host
    return "", ""


def _random_id() -> str:
    return TimeOrderedIds().new(SystemClock().now().ms)


def _last(path: str) -> str:
    return os.path.basename(path.rstrip(os.sep))
