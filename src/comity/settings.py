"""The settings that hold: where a process stands, what it was told, and what the project's files say.

Precedence: flag, then environment, then the project's ``.macp/config.json`` and ``.macp/comity.toml``, then the default
(MACP v1.0, reference sections 6.2 to 6.4). Blank counts as absent everywhere. The project's files may have come with
somebody's repository: what loosens counts from them only once the user agreed (``comity.trust``); until then it is set
aside and told, and a database that lies elsewhere is refused, so that no second one is made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from importlib import import_module

from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any, Literal, cast
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.kernel.scope import Actor, Keeping, Limits
from comity.kernel.text import readable
from comity.project import (
    CONFIG,
    FOLDER,
    Project,
    ProjectLocation,
    find_workspace,
    lies_inside,
    project_of,
    slug,
    tracked,
    unreadable,
)
from comity.setting_list import BY_NAME, SETTINGS, Aside, Setting, as_boolean, as_path, as_words, aside, shown, told
from comity.system import files

TOML_NAME, CONFIG_NAME = f"{FOLDER}/comity.toml", f"{FOLDER}/{CONFIG}"
MAX_FILE_BYTES = 65_536

# What the environment tells, as the modules of the hosts have it (a test compares them): which variables hold the
# host's own session id, by the host's name, and which one the folder that the host was opened in.
HOST_SESSIONS = (("CLAUDE_CODE_SESSION_ID", "claude-code"), ("GEMINI_SESSION_ID", "gemini-cli"))
HOST_FOLDER = "CLAUDE_PROJECT_DIR"
PLACES = ("MACP_PROJECT_ROOT", HOST_FOLDER)
_ESCAPED = re.compile(rb"%([0-9A-Fa-f]{2})")


class Settings(NamedTuple):
    """Settings as they hold for one process. ``db`` is absolute; ``root`` is the project's folder.

    ``worktree`` is the folder that stands for ``root`` in the linked worktree that the process is in; empty elsewhere.
    ``host`` (its name) and ``host_session_id`` are those of the agent's host, as far as its environment tells.
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
    tools: Literal["core", "workspace", "all"]
    vault_outside: bool
    job_minutes: int
    enforcement: Literal["off", "guard", "strict"]
    wake: Literal["off", "interrupt", "steering"]
    max_hops: int
    max_per_minute: int
    repeat_s: int
    rescue_bytes: int
    rescue_file_bytes: int
    rescue_days: int
    mail_days: int
    check_command: str
    worktree: str
    host: str
    host_session_id: str
    named: bool
    git: str
    aside: tuple[Aside, ...]

    @property
    def program(self) -> str:
        """The host's short name, as peers see it; empty when the environment does not tell."""
        return short(self.host)

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
            keeping=Keeping(
                self.rescue_bytes, self.rescue_file_bytes, self.rescue_days, durable=self.durability == "full"
            ),
            mail_days=self.mail_days,
            check_command=self.check_command,
        )


class SettingsFile(NamedTuple):
    """A file of settings in the workspace ``root``, as it was read; ``values`` are texts by the setting's name."""

    root: str
    name: str
    declared: tuple[Setting, ...]
    content: bytes
    values: dict[str, str]

    def asks(self) -> tuple[Aside, ...]:
        """What of it needs the user's agreement."""
        loosening = {one.name: one.loosens_with for one in self.declared if one.loosens}
        return tuple(
            aside(name, text, self.name)
            for name, text in self.values.items()
            if name in loosening and text.strip() and loosening[name](self.root, text)
        )

    def left(self) -> tuple[Aside, ...]:
        """What of it does not count: it needs the user's agreement, and there is none."""
        asked = self.asks()
        return () if not asked or _agreed(self.root, self.name, self.content) else asked

    def counting(self, left: tuple[Aside, ...]) -> dict[str, str]:
        """The texts that count."""
        names = {one.name for one in left}
        return {name: text for name, text in self.values.items() if name not in names}


def resolve(
    flags: Mapping[str, str | None],
    env: Mapping[str, str],
    cwd: str,
    toml: SettingsFile | None = None,
    *,
    configured: bool = True,
) -> Settings:
    """The settings for one process. Raises Invalid for what cannot be, with the setting and what it takes.

    And Forbidden ``trust.needed`` for a database elsewhere that only a file of the tree names. Where files are spoiled
    (``spoiled_settings``), ``toml`` is what could be read, and the config counts only if ``configured``.
    """
    places = _Places(cwd)
    place, found = _place(env, places)
    project, root = project_of(place) if found and configured else None, place.root
    toml = toml_of(root) if toml is None else toml
    left = toml.left()
    given = told(SETTINGS, flags, env, toml.counting(left))
    if left and "db" not in given:
        _refuse_elsewhere(left, toml, chosen="project_id" in given)
    explicit = given.get("project_id")
    project_id = (
        slug(explicit or "") or (project.project_id if project and not explicit else slug(_last(root))) or "macp"
    )
    channel = given.get("channel") or (project.default_channel if project and not explicit else project_id)
    agent_id, name = _identity(given, env)
    host_session_id, host = host_session(env)
    values = {setting.name: setting.default for setting in SETTINGS} | given
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
        host=host,
        host_session_id=host_session_id,
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
        self._found: dict[str, tuple[ProjectLocation, bool]] = {}

    def of(self, start: str = "") -> tuple[ProjectLocation, bool]:
        """The workspace of a folder, and whether its config is there."""
        path = os.path.join(self._cwd, start) if start else self._cwd
        if path not in self._found:
            self._found[path] = find_workspace(path)
        return self._found[path]


def _place(env: Mapping[str, str], places: _Places) -> tuple[ProjectLocation, bool]:
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
    """The root that is named, and the host's folder. A host that fills in no variables passes them on as they are.

    Raises Invalid ``setting.invalid`` for an address that is of no folder here.
    """
    named, host_folder = (env.get(name, "").strip() for name in PLACES)
    return "" if "${" in named else _folder(named), "" if "${" in host_folder else _folder(host_folder)


def _folder(named: str) -> str:
    """A folder, as a path or as MCP names roots: ``file:///srv/garden%20shed`` (RFC 8089)."""
    scheme, colon, rest = named.partition(":")
    if not colon or scheme.lower() != "file":
        return named
    host, path = ("", rest) if not rest.startswith("//") else (rest[2:].partition("/")[0], rest[2:].partition("/")[2])
    path = path if path.startswith("/") else "/" + path
    decoded = os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), os.fsencode(path)))
    if host.lower() not in ("", "localhost") or "\0" in decoded or not decoded.strip("/"):
        told = f"{PLACES[0]}: {shown(named)} names no folder of this machine."
        raise Invalid("setting.invalid", told, "Name it by its path, or as file:///PATH.", setting=PLACES[0])
    return decoded


def _worktree(root: str, env: Mapping[str, str], places: _Places) -> str:
    """The folder that stands for ``root`` in the linked worktree around the working directory; empty when in none."""
    for start in ("", *filter(None, _named_folders(env))):
        place, _ = places.of(start)
        if place.root == root:
            return place.checkout if place.worktree is not None else ""
    return ""


def toml_of(root: str) -> SettingsFile:
    """The project's TOML file. Raises Invalid ``config.unreadable`` and ``config.unknown_setting``."""
    return read_toml(root, TOML_NAME, SETTINGS)


def read_toml(root: str, name: str, declared: tuple[Setting, ...]) -> SettingsFile:
    """A TOML file of settings in a workspace; without values when there is none.

    Raises Invalid ``config.unreadable`` and ``config.unknown_setting``.
    """
    path = os.path.join(root, *name.split("/"))
    if not os.path.lexists(path):
        return SettingsFile(root, name, declared, b"", {})
    try:
        content = files.read(root, name, MAX_FILE_BYTES)
        found = import_module("tomllib").loads(content.decode())  # only projects that have the file pay for it
    except (OSError, ValueError, RecursionError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise unreadable(path, why, "Mend the file or remove it.") from None
    return SettingsFile(root, name, declared, content, values_of(found, root, path, declared))


def values_of(found: Mapping[str, object], root: str, path: str, declared: tuple[Setting, ...]) -> dict[str, str]:
    """The texts of settings by their name, as a TOML file at ``path`` has them. Raises as ``read_toml``."""
    known = {one.name: one for one in declared}
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise Invalid(
            "config.unknown_setting",
            f"{path}: there is no setting {shown(unknown[0])!r}.",
            f"Settings are: {', '.join(known)}.",
            path=path,
        )
    return {one: _text_of(known[one], value, root, path) for one, value in found.items()}


def _text_of(setting: Setting, value: object, root: str, path: str) -> str:
    """A value of a TOML file as text; a relative path counts from the workspace's folder."""
    own = {bool: setting.kind is as_boolean, list: setting.repeated or setting.kind is as_words}
    fits = own.get(type(value), isinstance(value, str | int | float))
    if not fits:
        raise unreadable(path, f"{setting.name} is no text or number.", "Mend the file.")
    if isinstance(value, list) and setting.repeated:
        return ",".join(map(str, value))
    text = value if isinstance(value, str) else readable(value)
    return os.path.join(root, os.path.expanduser(text.strip())) if setting.kind is as_path and text.strip() else text


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


def _refuse_elsewhere(left: tuple[Aside, ...], toml: SettingsFile, *, chosen: bool) -> None:
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
    session, host = host_session(env)
    if session:
        return BY_NAME["agent_id"].read(session), f"{short(host)}-{session[-4:]}"
    agent_id = _random_id()
    return agent_id, f"agent-{agent_id[-4:]}"


def host_session(env: Mapping[str, str]) -> tuple[str, str]:
    """The host's session id and the host's name; empty when the environment does not tell."""
    for variable, host in HOST_SESSIONS:
        session = env.get(variable, "").strip()
        if session:
            return session, host
    return "", ""


def short(host: str) -> str:
    """The first word of a host's name: names of agents begin with it."""
    return host.partition("-")[0]


def _random_id() -> str:
    return TimeOrderedIds().new(SystemClock().now().ms)


def _last(path: str) -> str:
    return os.path.basename(path.rstrip(os.sep))
