"""The server's rules of access: ``.masc/auth/config.json``.

Without the file the defaults hold. A file that cannot be understood, in whatever part, stops the server from starting:
who wrote down a rule must not run without it. A rule that makes access easier than the defaults counts only once
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

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.kernel.text import readable
from comity.setting_list import Aside, Setting, as_boolean, as_number, shown, told
from comity.settings import SettingsFile
from comity.system import files

FOLDER = ".masc"  # next to .macp, in the project's folder
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
        file = read_rules(masc_folder)
        left = file.left()
        return cls(**told(RULES, {}, {}, file.counting(left)), aside=left)

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


def _or_null(kind: Callable[[str], Any], null: object) -> Callable[[str], Any]:
    """``kind``, or null in the file, which means ``null``."""
    return lambda text: null if text == "null" else kind(text)


# A rule loosens with a value that makes access easier than the default.
RULES = (
    Setting(
        "require_token",
        (),
        None,
        "Whether callers need a token; null: exactly when other machines can reach the server.",
        kind=_or_null(as_boolean, None),
        loosens=lambda _, text: text == "false",
        wanted="true, false or null",
    ),
    Setting(
        "default_role",
        (),
        "worker",
        "What callers without a token may do where none is needed.",
        choices=("reader", "worker"),
    ),
    Setting(
        "token_expiry_hours",
        (),
        DEFAULT_EXPIRY_HOURS,
        "How long new tokens last; null: they do not expire.",
        kind=_or_null(as_number, 0),
        bounds=(0, MAX_EXPIRY_HOURS),
        loosens=lambda _, text: text == "null" or not 0 < float(text) <= DEFAULT_EXPIRY_HOURS,
        wanted=f"a number from 0 (never) to {MAX_EXPIRY_HOURS}, or null (never)",
    ),
)


def read_rules(masc_folder: str | os.PathLike[str]) -> SettingsFile:
    """What is written down in one ``.masc`` folder, whether it counts or not. Raises Invalid ``auth.unreadable``."""
    root, folder = os.path.split(os.path.abspath(os.fspath(masc_folder)))
    name = f"{folder}/{FILE}"
    content = _read(root, name)
    values = {} if content is None else _texts(os.path.join(root, *name.split("/")), content)
    return SettingsFile(root, name, RULES, content or b"", values)


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


def _texts(path: str, raw: bytes) -> dict[str, str]:
    """The rules as texts, each one checked."""
    try:
        content = json.loads(raw.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)[:200] or type(error).__name__) from None
    if not isinstance(content, dict):
        raise _unreadable(path, "it holds no JSON object")
    known = {one.name: one for one in RULES}
    texts = {}
    for name, value in content.items():
        if name not in known:
            raise _unreadable(path, f"there is no field {name[:80]!r}; there are {', '.join(known)}")
        text = value if known[name].choices and isinstance(value, str) else readable(value)
        try:
            known[name].fits(text)
        except ValueError:
            why = f"{name} takes {known[name].fitting}, not {shown(readable(value))}"
            raise _unreadable(path, why) from None
        texts[name] = text
    return texts


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _unreadable(path: str, why: str) -> Invalid:
    return Invalid(
        "auth.unreadable",
        f"{path} cannot be used: {why}.",
        "Mend the file. Without it the defaults hold: a token is needed unless only this machine can connect.",
        path=path,
    )
