"""The server's rules of access: ``.masc/auth/config.json``.

Without the file the defaults hold. A file that cannot be understood, in whatever part, stops the server from starting:
nobody who wrote down a rule is to run without it.
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

FOLDER = ".masc"  # beside .macp, in the project's folder
MAX_CONFIG_BYTES = 65_536
MAX_EXPIRY_HOURS = 87_600
DEFAULT_EXPIRY_HOURS = 720  # 30 days


class AuthConfig(NamedTuple):
    """Who needs a token, what somebody without one may do, and how long new tokens last.

    ``require_token`` None: exactly when the server can be reached from other machines. ``default_role`` is that of
    callers without a token where none is needed. ``token_expiry_hours`` 0: new tokens do not expire.
    """

    require_token: bool | None = None
    default_role: Literal["reader", "worker"] = "worker"
    token_expiry_hours: float = DEFAULT_EXPIRY_HOURS

    @classmethod
    def read(cls, masc_folder: str | os.PathLike[str]) -> Self:
        """The rules of one ``.masc`` folder. Raises Invalid ``auth.unreadable``."""
        path = os.path.join(os.fspath(masc_folder), "auth", "config.json")
        text = _read(path)
        return cls() if text is None else cls(**_values(path, text))

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


def _read(path: str) -> str | None:
    """The file's text; None when there is no such file."""
    try:
        with open(path, "rb") as file:
            anybody = os.fstat(file.fileno()).st_mode & stat.S_IWOTH
            raw = file.read(MAX_CONFIG_BYTES + 1)
        if anybody and os.name == "posix":
            raise _unreadable(path, "everybody on this machine may change it (chmod 600)")
        if len(raw) > MAX_CONFIG_BYTES:
            raise _unreadable(path, f"it is longer than {MAX_CONFIG_BYTES:,} bytes")
        return raw.decode()
    except FileNotFoundError:
        if os.path.islink(path):
            raise _unreadable(path, "it is a link to nothing") from None
        return None
    except (OSError, ValueError) as error:  # not UTF-8 text is a ValueError
        raise _unreadable(path, str(error)) from None


def _values(path: str, text: str) -> dict[str, Any]:
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)[:200] or type(error).__name__) from None
    if not isinstance(content, dict):
        raise _unreadable(path, "it holds no JSON object")
    for name, value in content.items():
        if name not in _FIELDS:
            raise _unreadable(path, f"there is no field {name[:80]!r}; there are {', '.join(_FIELDS)}")
        wanted, fits = _FIELDS[name]
        if not fits(value):
            raise _unreadable(path, f"{name} takes {wanted}, not {json.dumps(value)[:80]}")
    if content.get("token_expiry_hours", 0) is None:
        content["token_expiry_hours"] = 0
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


_FIELDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "require_token": ("true, false or null", lambda value: value is None or isinstance(value, bool)),
    "default_role": ('"reader" or "worker"', lambda value: value in ("reader", "worker")),
    "token_expiry_hours": (f"a number from 0 (never) to {MAX_EXPIRY_HOURS}, or null (never)", _is_expiry),
}


def _unreadable(path: str, why: str) -> Invalid:
    return Invalid(
        "auth.unreadable",
        f"{path} cannot be used: {why}.",
        "Mend the file. Without it the defaults hold: a token is needed unless only this machine can connect.",
        path=path,
    )
