"""Every setting: its default (once), its bounds, its environment variable, one sentence, and whether it loosens.

A setting that loosens (it names a program, an address or a database, it says who an agent is, what is allowed, and how
much) counts only from the user: from an option, the environment, or a file that the user agreed to (``comity.trust``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid

_SHOWN = 80


class Setting(NamedTuple):
    """One setting; ``env`` names its environment variable, ``read`` checks and converts its text.

    ``loosens``: it does not count from a file that came with the work tree.
    """

    name: str
    env: str
    default: Any
    doc: str
    read: Callable[[str, str], Any]
    loosens: bool = False

    @property
    def flag(self) -> str:
        """Its command-line option."""
        return "--" + self.name.replace("_", "-")


class Aside(NamedTuple):
    """A setting that is set aside: it loosens, and stands in a file of the tree to which the user did not agree.

    ``value`` is cut, and printable.
    """

    name: str
    value: str
    file: str

    @property
    def text(self) -> str:
        """It as one would write it."""
        return f"{self.name} = {json.dumps(self.value, ensure_ascii=False)}"


def aside(name: str, value: str, file: str) -> Aside:
    """The value of a setting in a file, fit to be shown."""
    return Aside(name, shown(value), file)


def shown(value: str, most: int = _SHOWN) -> str:
    """Somebody's text, cut and without what moves a terminal's cursor."""
    text = "".join(letter if letter.isprintable() else "?" for letter in value[: most + 1])
    return text if len(text) <= most else text[: most - 3] + "..."


def text(name: str, value: str) -> str:
    """A value that is a short text. Raises Invalid ``setting.invalid``."""
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
    Setting("db", "MACP_DB_PATH", None, "The database file.", _path, loosens=True),
    Setting(
        "project_id",
        "MACP_PROJECT_ID",
        None,
        "The project; agents of one project share a database.",
        text,
        loosens=True,
    ),
    Setting("channel", "MACP_DEFAULT_CHANNEL", None, "The channel to join; the project id when not set.", text),
    Setting(
        "agent_id",
        "MACP_AGENT_ID",
        None,
        "This agent's lasting id; else the host's session id, else random.",
        text,
        loosens=True,
    ),
    Setting("agent_name", "MACP_AGENT_NAME", None, "What peers see; the agent id when not set.", text, loosens=True),
    Setting(
        "session_id", "MACP_SESSION_ID", None, "This process's session id; random when not set.", text, loosens=True
    ),
    Setting("role", "MACP_AGENT_ROLE", "participant", "What this agent does, for peers to read.", text),
    Setting("interest_tags", "MACP_INTEREST_TAGS", (), "Tags that rank messages for this agent.", _tags),
    Setting(
        "max_pending_messages",
        "MACP_MAX_PENDING_MESSAGES",
        200,
        "Deliveries that the queue holds.",
        _count(100_000),
        loosens=True,
    ),
    Setting(
        "max_context_bytes",
        "MACP_MAX_CONTEXT_BYTES",
        16384,
        "Bytes of content in one poll.",
        _count(100_000_000),
        loosens=True,
    ),
    Setting(
        "durability",
        "COMITY_DURABILITY",
        "normal",
        "normal: a power cut costs at most the last 2 s; full: a sync for every commit.",
        _choice("normal", "full"),
    ),
    Setting("surface", "COMITY_SURFACE", "macp", "Whose tools servers have and hooks name.", _choice("macp", "masc")),
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
        loosens=True,
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
        loosens=True,
    ),
    Setting(
        "max_per_minute",
        "COMITY_MAX_PER_MINUTE",
        120,
        "Messages in a minute from one agent to another, or to a channel; 0: any number.",
        _count(1_000_000, 0),
        loosens=True,
    ),
    Setting(
        "repeat_s",
        "COMITY_REPEAT_S",
        30,
        "Seconds for which the same content is not sent again to the same recipient; 0: it always is.",
        _count(3600, 0),
        loosens=True,
    ),
    Setting(
        "vault_outside",
        "COMITY_VAULT_OUTSIDE",
        False,
        "true: the vault may have folders outside the project.",
        _flag,
        loosens=True,
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
