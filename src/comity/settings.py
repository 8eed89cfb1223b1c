"""Every setting: its default (once), its bounds, where it may come from, one sentence.

Precedence: flag, then environment, then the project's ``.macp/config.json`` and ``.macp/comity.toml``, then the default
(MACP v1.0, reference sections 6.2 to 6.4). Blank counts as absent everywhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from importlib import import_module

from comity.kernel.clock import SystemClock
from comity.kernel.hints import Any, Literal, cast
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.scope import Actor, Limits
from comity.project import FOLDER, Project, find_project, find_workspace, slug

TOML = "comity.toml"

# Environment variables in which hosts tell their own session id, and the host's short name.
HOST_SESSIONS = (("CLAUDE_CODE_SESSION_ID", "claude"), ("GEMINI_SESSION_ID", "gemini"))


class Setting(NamedTuple):
    """One setting; ``env`` names its environment variable, ``read`` checks and converts its text."""

    name: str
    env: str
    default: Any
    doc: str
    read: Callable[[str, str], Any]

    @property
    def flag(self) -> str:
        """Its command-line option."""
        return "--" + self.name.replace("_", "-")


class Settings(NamedTuple):
    """Settings as they hold for one process. ``db`` is absolute; ``root`` is the project's folder.

    ``worktree`` is the folder that stands for ``root`` in the linked worktree that the process is in; empty elsewhere.
    ``program`` and ``host_session_id`` are those of the agent's host, as far as its environment tells.
    ``named``: the user chose the agent's id.
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
        )


def _text(name: str, value: str) -> str:
    if len(value) > 200 or not value.isprintable():
        raise _invalid(name, value, "at most 200 printable characters")
    return value


def _path(name: str, value: str) -> str:
    if "\0" in value:
        raise _invalid(name, value, "a path")
    return os.path.abspath(os.path.expanduser(value))


def _tags(name: str, value: str) -> tuple[str, ...]:
    if value.startswith("["):
        try:
            items = json.loads(value)
        except ValueError:
            items = None
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise _invalid(name, value, "a JSON list of strings, or words with commas between")
        return tuple(items)
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _count(most: int, least: int = 1) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = -1
        if not least <= number <= most:
            raise _invalid(name, value, f"a whole number from {least} to {most}")
        return number

    return read


def _flag(name: str, value: str) -> bool:
    word = value.lower()
    if word not in ("true", "false"):
        raise _invalid(name, value, "true or false")
    return word == "true"


def _choice(*words: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in words:
            raise _invalid(name, value, " or ".join(words))
        return value

    return read


def _invalid(name: str, value: str, wanted: str) -> Invalid:
    return Invalid(
        "setting.invalid",
        f"The setting {name} cannot be {value[:80]!r}.",
        f"It takes {wanted}.",
        setting=name,
    )


SETTINGS = (
    Setting("db", "MACP_DB_PATH", None, "The database file.", _path),
    Setting("project_id", "MACP_PROJECT_ID", None, "The project; agents of one project share a database.", _text),
    Setting("channel", "MACP_DEFAULT_CHANNEL", None, "The channel to join; the project id when not set.", _text),
    Setting(
        "agent_id", "MACP_AGENT_ID", None, "This agent's lasting id; else the host's session id, else random.", _text
    ),
    Setting("agent_name", "MACP_AGENT_NAME", None, "What peers see; the agent id when not set.", _text),
    Setting("session_id", "MACP_SESSION_ID", None, "This process's session id; random when not set.", _text),
    Setting("role", "MACP_AGENT_ROLE", "participant", "What this agent does, for peers to read.", _text),
    Setting("interest_tags", "MACP_INTEREST_TAGS", (), "Tags that rank messages for this agent.", _tags),
    Setting(
        "max_pending_messages", "MACP_MAX_PENDING_MESSAGES", 200, "Deliveries that the queue holds.", _count(100_000)
    ),
    Setting("max_context_bytes", "MACP_MAX_CONTEXT_BYTES", 16384, "Bytes of content in one poll.", _count(100_000_000)),
    Setting(
        "durability",
        "COMITY_DURABILITY",
        "normal",
        "normal: a power cut costs at most the last 2 s; full: a sync for every commit.",
        _choice("normal", "full"),
    ),
    Setting("surface", "COMITY_SURFACE", "macp", "Whose tools the MCP server has.", _choice("macp", "masc")),
    Setting(
        "tools",
        "COMITY_TOOLS",
        "all",
        "How many of them: core (messages), workspace (and awareness, claims, tasks), all.",
        _choice("core", "workspace", "all"),
    ),
    Setting(
        "enforcement",
        "COMITY_ENFORCEMENT",
        "guard",
        "What hooks do: off (nothing), guard (refuse edits of held files), strict (also when they cannot look).",
        _choice("off", "guard", "strict"),
    ),
    Setting(
        "wake",
        "COMITY_WAKE",
        "steering",
        "What wakes an idle agent, where its host can: off (nothing), interrupt, steering (and interrupt).",
        _choice("off", "interrupt", "steering"),
    ),
    Setting(
        "max_hops",
        "COMITY_MAX_HOPS",
        40,
        "Answers to and fro between two agents without a pause of a minute; 0: any number.",
        _count(1_000_000, 0),
    ),
    Setting(
        "max_per_minute",
        "COMITY_MAX_PER_MINUTE",
        120,
        "Messages in a minute from one agent to another, or to a channel; 0: any number.",
        _count(1_000_000, 0),
    ),
    Setting(
        "repeat_s",
        "COMITY_REPEAT_S",
        30,
        "Seconds for which the same content is not sent again to the same recipient; 0: it always is.",
        _count(3600, 0),
    ),
    Setting(
        "vault_outside",
        "COMITY_VAULT_OUTSIDE",
        False,
        "true: the vault may have folders outside the project.",
        _flag,
    ),
)
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def resolve(flags: Mapping[str, str | None], env: Mapping[str, str], cwd: str) -> Settings:
    """The settings for one process. Raises Invalid for what cannot be, with the setting and what it takes."""
    project = _project(env, cwd)
    root = project.root if project else find_workspace(cwd)[0].root
    given = _given(flags, env, root)
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
        worktree=_worktree(root, env, cwd),
        program=_host(env)[1],
        host_session_id=_host(env)[0],
        named="agent_id" in given,
    )
    return Settings(**values)


def _project(env: Mapping[str, str], cwd: str) -> Project | None:
    """The project of the named root, else of the working directory, else of the folder the host was opened in."""
    named = env.get("MACP_PROJECT_ROOT", "").strip()
    if named and "${" not in named:  # a host that does not fill in variables passes them on as they are
        return find_project(os.path.join(cwd, named))
    found = find_project(cwd)
    host_folder = env.get("CLAUDE_PROJECT_DIR", "").strip()
    if found is None and host_folder:
        found = find_project(host_folder)
    return found


def _worktree(root: str, env: Mapping[str, str], cwd: str) -> str:
    """The folder that stands for ``root`` in the linked worktree around the working directory; empty when in none."""
    for start in (cwd, env.get("MACP_PROJECT_ROOT", "").strip(), env.get("CLAUDE_PROJECT_DIR", "").strip()):
        if start and "${" not in start:
            place, _ = find_workspace(os.path.join(cwd, start))
            if place.root == root:
                return place.checkout if place.worktree is not None else ""
    return ""


def _given(flags: Mapping[str, str | None], env: Mapping[str, str], root: str) -> dict[str, Any]:
    """What flags, environment and the project's TOML say, checked."""
    toml = _read_toml(root)
    given = {}
    for setting in SETTINGS:
        for value in (flags.get(setting.name), env.get(setting.env), toml.get(setting.name)):
            text = (value or "").strip()
            if text:
                given[setting.name] = setting.read(setting.name, text)
                break
    return given


def _read_toml(root: str) -> dict[str, str]:
    path = os.path.join(root, FOLDER, TOML)
    if not os.path.exists(path):
        return {}
    try:
        with open(path, "rb") as file:
            content = import_module("tomllib").load(file)  # only projects that have the file pay for it
    except (OSError, ValueError) as error:
        raise Invalid("config.unreadable", f"{path}: {error}", "Mend the file or remove it.", path=path) from None
    unknown = sorted(set(content) - set(_BY_NAME))
    if unknown:
        raise Invalid(
            "config.unknown_setting",
            f"{path}: there is no setting {unknown[0]!r}.",
            f"Settings are: {', '.join(_BY_NAME)}.",
            path=path,
        )
    return {name: json.dumps(value) if isinstance(value, list) else str(value) for name, value in content.items()}


def _database(project: Project | None, root: str, project_id: str, *, shared: bool) -> str:
    if shared:
        return os.path.join(os.path.expanduser("~"), FOLDER, "projects", f"{project_id}.macp.db")
    if project is not None and project.db_path is not None:
        return project.db_path
    return os.path.join(root, FOLDER, f"{project_id}.macp.db")


def _identity(given: Mapping[str, Any], env: Mapping[str, str]) -> tuple[str, str]:
    """Agent id and display name: as given, else from the host's session id, else random."""
    agent_id = cast("str", given.get("agent_id", ""))
    if agent_id:
        return agent_id, agent_id
    session, host = _host(env)
    if session:
        return _text("agent_id", session), f"{host}-{session[-4:]}"
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
