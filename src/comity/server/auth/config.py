"""The server's rules of access: ``.masc/auth/config.json``.

Without the file the defaults hold. A file that cannot be understood, in whatever part, stops the server from starting:
nobody who wrote down a rule is to run without it. A rule that makes access easier than the defaults counts only once
the user agreed to the file (``comity.trust``), since it may have come with somebody's repository; one that makes it
harder always counts.
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
import stat
from collections.abc import Callable
from typing import Any, Literal, Self

from comity import trust
from comity.declared import Aside, aside
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.system import files

FOLDER = ".masc"  # beside .macp, in the project's folder
FILE = "auth/config.json"  # below .masc
MAX_CONFIG_BYTES = 65_536
MAX_EXPIRY_HOURS = 87_600
DEFAULT_EXPIRY_HOURS = 720  # 30 days


class AuthConfig(NamedTuple):
    """Who needs a token, what somebody without one may do, and how long new tokens last.

    ``require_token`` None: exactly when the server can be reached from other machines. ``default_role`` is that of
    callers without a token where none is needed. ``token_expiry_hours`` 0: new tokens do not expire. ``aside``: what
    the file says and what does not count.
    """

    require_token: bool | None = None
    default_role: Literal["reader", "worker"] = "worker"
    token_expiry_hours: float = DEFAULT_EXPIRY_HOURS
    aside: tuple[Aside, ...] = ()

    @classmethod
    def read(cls, masc_folder: str | os.PathLike[str]) -> Self:
        """The rules of one ``.masc`` folder. Raises Invalid ``auth.unreadable``."""
        rules = read_rules(masc_folder)
        left = rules.asks()
        if left and trust.agreed(*rules.place, rules.content):
            left = ()
        names = {one.name for one in left}
        counting: dict[str, Any] = {name: value for name, value in rules.values.items() if name not in names}
        if counting.get("token_expiry_hours", 0) is None:
            counting["token_expiry_hours"] = 0
        return cls(**counting, aside=left)

    def requires_token(self, host: str) -> bool:
        """Whether callers of a server that listens on ``host`` need a token."""
        return not is_loopback(host) if self.require_token is None else self.require_token

    @property
    def expires_in_s(self) -> int:
        """How long a new token lasts, in seconds; 0 is for ever."""
        return math.ceil(self.token_expiry_hours * 3600)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on ``host``; no, when in doubt."""
    name = host.strip().lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Rules(NamedTuple):
    """The file as it stands: its workspace and its name there, what was read, and its fields."""

    place: tuple[str, str]
    content: bytes
    values: dict[str, Any]

    def asks(self) -> tuple[Aside, ...]:
        """What of it needs the user's agreement."""
        found = ((name, value) for name, value in self.values.items() if not _FIELDS[name].tightens(value))
        return tuple(aside(name, json.dumps(value), self.place[1]) for name, value in found)


def read_rules(masc_folder: str | os.PathLike[str]) -> Rules:
    """What is written down in one ``.masc`` folder, whether it counts or not. Raises Invalid ``auth.unreadable``."""
    root, folder = os.path.split(os.path.abspath(os.fspath(masc_folder)))
    name = f"{folder}/{FILE}"
    content = _read(root, name)
    values = {} if content is None else _values(os.path.join(root, *name.split("/")), content)
    return Rules((root, name), content or b"", values)


def _read(root: str, name: str) -> bytes | None:
    """The file's content; None when there is no such file."""
    path = os.path.join(root, *name.split("/"))
    try:
        descriptor = files.open_file(root, name, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            anybody = os.fstat(file.fileno()).st_mode & stat.S_IWOTH
            content = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    if anybody and os.name == "posix":
        raise _unreadable(path, "everybody on this machine may change it (chmod 600)")
    if len(content) > MAX_CONFIG_BYTES:
        raise _unreadable(path, f"it is longer than {MAX_CONFIG_BYTES:,} bytes")
    return content


def _values(path: str, raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)[:200] or type(error).__name__) from None
    if not isinstance(content, dict):
        raise _unreadable(path, "it holds no JSON object")
    for name, value in content.items():
        if name not in _FIELDS:
            raise _unreadable(path, f"there is no field {name[:80]!r}; there are {', '.join(_FIELDS)}")
        if not _FIELDS[name].fits(value):
            raise _unreadable(path, f"{name} takes {_FIELDS[name].wanted}, not {json.dumps(value)[:80]}")
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _is_expiry(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value is None
    return 0 <= value <= MAX_EXPIRY_HOURS


class _Field(NamedTuple):
    """One field: what it takes, and which values make access no easier than the default."""

    wanted: str
    fits: Callable[[object], bool]
    tightens: Callable[[Any], bool]


_FIELDS = {
    "require_token": _Field(
        "true, false or null", lambda value: value is None or isinstance(value, bool), lambda value: value is not False
    ),
    "default_role": _Field('"reader" or "worker"', lambda value: value in ("reader", "worker"), lambda _: True),
    "token_expiry_hours": _Field(
        f"a number from 0 (never) to {MAX_EXPIRY_HOURS}, or null (never)",
        _is_expiry,
        lambda value: value is not None and 0 < value <= DEFAULT_EXPIRY_HOURS,
    ),
}


def _unreadable(path: str, why: str) -> Invalid:
    return Invalid(
        "auth.unreadable",
        f"{path} cannot be used: {why}.",
        "Mend the file. Without it the defaults hold: a token is needed unless only this machine can connect.",
        path=path,
    )
