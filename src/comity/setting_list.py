"""What a setting is, how the text of one becomes its value, and every setting of the workspace.

Each setting is declared once: its name, its environment variables, its default, what it takes (bounds or choices, and
the unit), one sentence, and whether it loosens. A setting that loosens (it names a program, an address or a database,
it says who an agent is, what is allowed, and how much) counts only from the user: from an option, the environment, or
a file that the user agreed to (``comity.trust``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.text import readable
from comity.project import lies_inside

_SHOWN = 80  # characters of a value that a complaint repeats
_MOST_LISTED = 100  # values of a setting that may be given several times


def split(text: str) -> tuple[str, ...]:
    """Words with commas between them; blank ones are left out."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def as_text(text: str) -> str:
    """A short text."""
    if len(text) > 200 or not text.isprintable():
        raise ValueError
    return text


def as_path(text: str) -> str:
    """An absolute path."""
    if "\0" in text:
        raise ValueError
    return os.path.abspath(os.path.expanduser(text))


def as_whole(text: str) -> int:
    """A whole number, in ASCII digits."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError
    return int(text)


def as_number(text: str) -> float:
    """A number, perhaps with a fraction."""
    as_whole(text.replace(".", "", 1))
    return float(text)


def as_boolean(text: str) -> bool:
    """True or false, in whatever case."""
    return ("false", "true").index(text.lower()) == 1


def as_command(text: str) -> str:
    """A command line."""
    if len(text) > _MOST_COMMAND or "\0" in text:
        raise ValueError
    return text


def as_words(text: str) -> tuple[str, ...]:
    """Words."""
    if not text.startswith("["):
        return split(text)
    items = json.loads(text)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError
    return tuple(items)


# What fits, and what a usage line calls it.
_SAID = {
    as_text: ("at most 200 printable characters", "TEXT"),
    as_path: ("a path", "FILE"),
    as_whole: ("a whole number from {} to {}", "N"),
    as_boolean: ("true or false", "true|false"),
    as_words: ("a JSON list of strings, or words with commas between", "WORDS"),
    bool: ("nothing", ""),  # a switch
}
_MOST_COMMAND = 2000
_UNITS = {"s": "SECONDS", "days": "DAYS", "bytes": "BYTES"}  # by the last word of a setting's name


class Setting(NamedTuple):
    """One setting. ``env`` are its environment variables, the first that is set counts; in a file it has its name.

    ``kind`` makes the value of a text, and raises ValueError for one that does not fit (without one, a setting with
    ``bounds`` takes a whole number, and any other a short text); the value then lies in ``bounds``, or is one of
    ``choices``. ``repeated``: its option may be given several times, and its values have commas between them elsewhere.
    ``loosens``: it does not count from a file that came with the work tree; or a question of that, which gets the
    workspace's folder and the text. ``wanted`` says what fits and ``unit`` what a usage line calls it, where that does
    not follow from the rest.
    """

    name: str
    env: tuple[str, ...]
    default: Any
    doc: str
    kind: Callable[[str], Any] | None = None
    bounds: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    loosens: bool | Callable[[str, str], bool] = False
    repeated: bool = False
    wanted: str = ""
    unit: str = ""

    @property
    def flag(self) -> str:
        """Its command-line option."""
        return "--" + self.name.replace("_", "-")

    @property
    def value(self) -> str:
        """What a usage line calls its value; empty for a switch."""
        unit = self.unit or "|".join(self.choices) or _UNITS.get(self.name.rpartition("_")[2], "")
        return unit or _SAID[self._kind][1]

    @property
    def fitting(self) -> str:
        """What fits, in words."""
        return self.wanted or " or ".join(self.choices) or _SAID[self._kind][0].format(*(self.bounds or ()))

    @property
    def _kind(self) -> Callable[[str], Any]:
        return self.kind or (as_whole if self.bounds else as_text)

    def read(self, text: str) -> Any:
        """The value of a text. Raises Invalid ``setting.invalid``."""
        parts = split(text) if self.repeated else (text,)
        values = []
        for part in parts:
            try:
                values.append(self.fits(part))
            except ValueError:
                raise self._invalid(part, self.fitting) from None
        if len(values) > _MOST_LISTED:
            raise self._invalid(text, f"at most {_MOST_LISTED}")
        return tuple(values) if self.repeated else values[0]

    def fits(self, text: str) -> Any:
        """The value of one text. Raises ValueError."""
        value = self._kind(text.lower() if self.choices else text)
        if self.choices and value not in self.choices:
            raise ValueError
        if self.bounds and not self.bounds[0] <= value <= self.bounds[1]:
            raise ValueError
        return value

    def loosens_with(self, root: str, text: str) -> bool:
        """Whether this text in a file of the workspace ``root`` needs the user's agreement."""
        return self.loosens(root, text) if callable(self.loosens) else self.loosens

    def _invalid(self, text: str, wanted: str) -> Invalid:
        message = f"The setting {self.name} cannot be {text[:_SHOWN]!r}."
        return Invalid("setting.invalid", message, f"It takes {wanted}.", setting=self.name)


def told(
    declared: Iterable[Setting], flags: Mapping[str, str | None], env: Mapping[str, str], file: Mapping[str, str]
) -> dict[str, Any]:
    """The settings that flags, environment or file set, in this order; blank counts as absent. Raises Invalid."""
    found = {}
    for one in declared:
        for text in (flags.get(one.name), *map(env.get, one.env), file.get(one.name)):
            if text and (text := text.strip()):
                found[one.name] = one.read(text)
                break
    return found


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
        return f"{self.name} = {readable(self.value)}"


def aside(name: str, value: str, file: str) -> Aside:
    """The value of a setting in a file, fit to be shown."""
    return Aside(name, shown(value), file)


def shown(value: str, most: int = _SHOWN) -> str:
    """Somebody's text, cut and without what moves a terminal's cursor."""
    text = "".join(letter if letter.isprintable() else "?" for letter in value[: most + 1])
    return text if len(text) <= most else text[: most - 3] + "..."


SETTINGS = (
    Setting(
        "db",
        ("MACP_DB_PATH",),
        None,
        "The database file.",
        kind=as_path,
        loosens=lambda root, path: not lies_inside(root, path),
    ),
    Setting(
        "project_id", ("MACP_PROJECT_ID",), None, "The project; agents of one project share a database.", loosens=True
    ),
    Setting("channel", ("MACP_DEFAULT_CHANNEL",), None, "The channel to join; the project id when not set."),
    Setting(
        "agent_id",
        ("MACP_AGENT_ID",),
        None,
        "This agent's lasting id; else the host's session id, else random.",
        loosens=True,
    ),
    Setting("agent_name", ("MACP_AGENT_NAME",), None, "What peers see; the agent id when not set.", loosens=True),
    Setting("session_id", ("MACP_SESSION_ID",), None, "This process's session id; random when not set.", loosens=True),
    Setting("role", ("MACP_AGENT_ROLE",), "participant", "What this agent does, for peers to read."),
    Setting("interest_tags", ("MACP_INTEREST_TAGS",), (), "Tags that rank messages for this agent.", kind=as_words),
    Setting(
        "max_pending_messages",
        ("MACP_MAX_PENDING_MESSAGES",),
        200,
        "Deliveries that the queue holds.",
        bounds=(1, 100_000),
        loosens=True,
    ),
    Setting(
        "max_context_bytes",
        ("MACP_MAX_CONTEXT_BYTES",),
        16384,
        "Bytes of content in one poll.",
        bounds=(1, 100_000_000),
        loosens=True,
    ),
    Setting(
        "durability",
        ("COMITY_DURABILITY",),
        "normal",
        "normal: a power cut costs at most the last 2 s; full: a sync for every commit.",
        choices=("normal", "full"),
    ),
    Setting(
        "surface", ("COMITY_SURFACE",), "macp", "Whose tools servers have and hooks name.", choices=("macp", "masc")
    ),
    Setting(
        "tools",
        ("COMITY_TOOLS",),
        "all",
        "How many of them: core (messages), workspace (and awareness, claims, tasks), all.",
        choices=("core", "workspace", "all"),
    ),
    Setting(
        "enforcement",
        ("COMITY_ENFORCEMENT",),
        "guard",
        "What hooks do: off (nothing), guard (refuse edits of held files), strict (also when they cannot look).",
        choices=("off", "guard", "strict"),
        loosens=True,
    ),
    Setting(
        "wake",
        ("COMITY_WAKE",),
        "steering",
        "What wakes an idle agent, where its host can: off (nothing), interrupt, steering (and interrupt).",
        choices=("off", "interrupt", "steering"),
    ),
    Setting(
        "max_hops",
        ("COMITY_MAX_HOPS",),
        40,
        "Answers to and fro between two agents without a pause of a minute; 0: any number.",
        bounds=(0, 1_000_000),
        loosens=True,
    ),
    Setting(
        "max_per_minute",
        ("COMITY_MAX_PER_MINUTE",),
        120,
        "Messages in a minute from one agent to another, or to a channel; 0: any number.",
        bounds=(0, 1_000_000),
        loosens=True,
    ),
    Setting(
        "repeat_s",
        ("COMITY_REPEAT_S",),
        30,
        "Seconds for which the same content is not sent again to the same recipient; 0: it always is.",
        bounds=(0, 3600),
        loosens=True,
    ),
    Setting(
        "rescue_bytes",
        ("COMITY_RESCUE_BYTES",),
        268_435_456,
        "Bytes that copies of uncommitted work take at most; 0: none are kept.",
        bounds=(0, 1_000_000_000_000),
        loosens=True,
    ),
    Setting(
        "rescue_file_bytes",
        ("COMITY_RESCUE_FILE_BYTES",),
        16_777_216,
        "Bytes of a file of which a copy is kept at most.",
        bounds=(1, 1_000_000_000),
        loosens=True,
    ),
    Setting(
        "rescue_days",
        ("COMITY_RESCUE_DAYS",),
        30,
        "Days after which a copy of uncommitted work goes.",
        bounds=(1, 3650),
        loosens=True,
    ),
    Setting(
        "job_minutes",
        ("COMITY_JOB_MINUTES",),
        60,
        "Minutes for which a background job may run at most.",
        bounds=(1, 1440),
        loosens=True,
    ),
    Setting(
        "mail_days",
        ("COMITY_MAIL_DAYS",),
        7,
        "Days for which an unread steering or interrupt message waits whose sender set no time; 0: an hour.",
        bounds=(0, 365),
        loosens=True,
    ),
    Setting(
        "check_command",
        ("COMITY_CHECK_COMMAND",),
        "",
        "The command that must pass before branches are brought home, such as make test; run by sh.",
        kind=as_command,
        loosens=True,
        wanted="a command line of at most 2,000 characters",
        unit="COMMAND",
    ),
    Setting(
        "vault_outside",
        ("COMITY_VAULT_OUTSIDE",),
        False,
        "true: the vault may have folders outside the project.",
        kind=as_boolean,
        loosens=True,
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
