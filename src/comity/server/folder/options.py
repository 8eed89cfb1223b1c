"""Every setting of the server: its default (once), its bounds, where it may come from, one sentence.

Precedence: option, environment (the first variable that is set), ``.masc/config/server.toml``, default. Blank counts as
absent everywhere. The presets count as options. What loosens counts from the file only once the user agreed to it
(``comity.trust``): it may have come with somebody's repository.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Literal

from comity import trust
from comity.declared import Aside, aside, shown
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.server.auth.config import FOLDER, is_loopback
from comity.server.folder.port import FIXED, derived_port
from comity.system import files

FILE = "config/server.toml"  # below .masc
FILE_NAME = f"{FOLDER}/{FILE}"
_MAX_BYTES = 65_536
WS_PORT = 8937
_MOST_LISTED = 100
_NAME = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")


class Option(NamedTuple):
    """One setting; ``env`` are its environment variables, ``read`` checks and converts its text.

    ``repeated``: the option may be given several times; elsewhere its values stand with commas between them.
    ``loosens``: it does not count from a file that came with the work tree.
    """

    name: str
    env: tuple[str, ...]
    default: Any
    doc: str
    read: Callable[[str, str], Any]
    value: str
    repeated: bool = False
    loosens: bool = False

    @property
    def flag(self) -> str:
        """Its command-line option."""
        return "--" + self.name.replace("_", "-")


class ServerSettings(NamedTuple):
    """The server's settings as they hold. ``port`` 0: that of the folder; ``ws_port`` 0: none of its own.

    ``aside``: what its file says and what does not count.
    """

    host: str
    port: int
    ws_port: int
    allow_host: tuple[str, ...]
    allow_origin: tuple[str, ...]
    tls_cert: str
    tls_key: str
    rate: int
    burst: int
    max_body_bytes: int
    log_format: Literal["text", "json"]
    log_level: Literal["debug", "info", "warning", "error", "off"]
    retention_days: float
    aside: tuple[Aside, ...] = ()


class ServerFile(NamedTuple):
    """``.masc/config/server.toml``: the file as it was read, and its settings as text."""

    content: bytes
    values: dict[str, str]

    def asks(self) -> tuple[Aside, ...]:
        """What of it needs the user's agreement."""
        told = ((name, value) for name, value in self.values.items() if value.strip())
        return tuple(aside(name, value, FILE_NAME) for name, value in told if _BY_NAME[name].loosens)


def _host(name: str, value: str) -> str:
    host = value.removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[A-Za-z0-9_.:%-]{1,253}", host):
        raise _invalid(name, value, "an address or a name of this machine")
    return host


def _hosts(name: str, value: str) -> tuple[str, ...]:
    return _each(name, value, _NAME, "NAME or NAME:PORT")


def _origins(name: str, value: str) -> tuple[str, ...]:
    """As browsers write them: in lower case, and without the port that the scheme has anyway."""
    listed = (part.lower() for part in _each(name, value, _ORIGIN, "an origin such as https://example.org"))
    usual = {"http": ":80", "https": ":443"}
    return tuple(part.removesuffix(usual[part.partition(":")[0]]) for part in listed)


def _each(name: str, value: str, pattern: re.Pattern[str], wanted: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in value.split(",") if part.strip())
    for part in found:
        if not pattern.fullmatch(part):
            raise _invalid(name, part, wanted)
    if len(found) > _MOST_LISTED:
        raise _invalid(name, value, f"at most {_MOST_LISTED}")
    return found


def _path(name: str, value: str) -> str:
    if "\0" in value:
        raise _invalid(name, value, "a path")
    return os.path.abspath(os.path.expanduser(value))


def _number(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise _invalid(name, value, f"a whole number from {least} to {most}")
        return int(value)

    return read


def _days(name: str, value: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value) or not 0 <= float(value) <= 36_500:
        raise _invalid(name, value, "days from 0 (nothing is removed) to 36500")
    return float(value)


def _choice(*words: str) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        word = {"warn": "warning"}.get(value.lower(), value.lower())
        if word not in words:
            raise _invalid(name, value, " or ".join(words))
        return word

    return read


def _invalid(name: str, value: str, wanted: str) -> Invalid:
    return Invalid(
        "setting.invalid",
        f"The server's setting {name} cannot be {value[:80]!r}.",
        f"It takes {wanted}.",
        setting=name,
    )


_PORT = _number(0, 65_535)
OPTIONS = (
    Option("host", ("COMITY_HOST", "MASC_HOST"), "127.0.0.1", "The address to listen on.", _host, "HOST", loosens=True),
    Option(
        "port",
        ("COMITY_PORT", "MASC_MCP_PORT", "MASC_HTTP_PORT"),
        0,
        "The port; the folder's own (9100 to 9999) when not set.",
        _PORT,
        "N",
    ),
    Option("ws_port", ("COMITY_WS_PORT", "MASC_WS_PORT"), 0, "A port for WebSockets only; 0: none.", _PORT, "N"),
    Option(
        "allow_host",
        ("COMITY_ALLOW_HOST",),
        (),
        "A further name, or name and port, by which clients reach the server (repeatable).",
        _hosts,
        "NAME[:PORT]",
        repeated=True,
        loosens=True,
    ),
    Option(
        "allow_origin",
        ("COMITY_ALLOW_ORIGIN",),
        (),
        "An origin whose web pages may use the server and read its answers (repeatable).",
        _origins,
        "ORIGIN",
        repeated=True,
        loosens=True,
    ),
    Option(
        "tls_cert",
        ("COMITY_TLS_CERT",),
        "",
        "The certificate (PEM); then the server speaks TLS.",
        _path,
        "FILE",
        loosens=True,
    ),
    Option("tls_key", ("COMITY_TLS_KEY",), "", "Its private key (PEM).", _path, "FILE", loosens=True),
    Option(
        "rate",
        ("COMITY_RATE", "MASC_RATE_LIMIT"),
        100,
        "Requests a second from one client of another machine, for long; 0: any number.",
        _number(0, 1_000_000),
        "N",
        loosens=True,
    ),
    Option(
        "burst",
        ("COMITY_BURST", "MASC_RATE_BURST"),
        150,
        "Requests at once from one client of another machine.",
        _number(1, 1_000_000),
        "N",
        loosens=True,
    ),
    Option(
        "max_body_bytes",
        ("COMITY_MAX_BODY_BYTES", "MASC_MCP_MAX_BODY_BYTES"),
        20 * 1024 * 1024,
        "The largest body of a request.",
        _number(1024, 1_000_000_000),
        "N",
        loosens=True,
    ),
    Option(
        "log_format",
        ("COMITY_LOG_FORMAT",),
        "text",
        "How lines on standard error look: text or json.",
        _choice("text", "json"),
        "text|json",
    ),
    Option(
        "log_level",
        ("COMITY_LOG_LEVEL", "MASC_LOG_LEVEL"),
        "info",
        "The least that is logged: debug, info (each request), warning, error, off.",
        _choice("debug", "info", "warning", "error", "off"),
        "LEVEL",
    ),
    Option(
        "retention_days",
        ("COMITY_RETENTION_DAYS",),
        30.0,
        "What is finished and older is removed; 0: nothing is.",
        _days,
        "DAYS",
        loosens=True,
    ),
)
_BY_NAME = {option.name: option for option in OPTIONS}
Given = Mapping[str, list[str]]


def settle(
    given: Given, env: Mapping[str, str], root: str, *, loopback: bool = False, full: bool = False
) -> ServerSettings:
    """The server's settings in one project. Raises Invalid for what cannot be."""
    file = read_file(root)
    left = file.asks()
    if left and trust.agreed(root, FILE_NAME, file.content):
        left = ()
    names = {one.name for one in left}
    values = _values(given, env, {name: value for name, value in file.values.items() if name not in names})
    if loopback:
        if "host" in given and not is_loopback(values["host"]):
            raise Invalid("option.contradiction", "--loopback and --host exclude each other.", "Leave one out.")
        values["host"] = _BY_NAME["host"].default
    if (loopback or full) and "port" not in given:
        values["port"] = FIXED
    port = values["port"] or derived_port(root)
    if full and "ws_port" not in given:
        values["ws_port"] = WS_PORT if port == FIXED else port + 2
    settings = ServerSettings(**{**values, "port": port, "aside": left})
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise Invalid("tls.incomplete", "TLS takes a certificate and its key.", "Give --tls-cert and --tls-key.")
    if not settings.tls_cert and names & {"tls_cert", "tls_key"} and not is_loopback(settings.host):
        raise Forbidden(
            "trust.needed",
            f"{FILE_NAME} asks for TLS and does not count yet: other machines would connect in clear text.",
            "Agree to the file with `comity trust`, or give --tls-cert and --tls-key.",
            file=FILE_NAME,
        )
    if settings.ws_port == port:
        raise Invalid("port.twice", f"Port {port} cannot be both.", "Choose another --ws-port.")
    return settings


def _values(given: Given, env: Mapping[str, str], file: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for option in OPTIONS:
        texts = (",".join(given.get(option.name, [])), *(env.get(name) for name in option.env), file.get(option.name))
        text = next((text.strip() for text in texts if text and text.strip()), "")
        found[option.name] = option.read(option.name, text) if text else option.default
    return found


def read_file(root: str) -> ServerFile:
    """The file of a project; without settings when there is none. Raises Invalid ``config.unreadable``."""
    path = os.path.join(root, *FILE_NAME.split("/"))
    if not os.path.lexists(path):  # whoever makes the folder says what is in its way
        return ServerFile(b"", {})
    try:
        raw = files.read(root, FILE_NAME, _MAX_BYTES)
        content = tomllib.loads(raw.decode())
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Invalid("config.unreadable", f"{path}: {why}", "Mend the file or remove it.", path=path) from None
    unknown = sorted(set(content) - set(_BY_NAME))
    if unknown:
        raise Invalid(
            "config.unknown_setting",
            f"{path}: there is no setting {shown(unknown[0])!r}.",
            f"Settings are: {', '.join(_BY_NAME)}.",
            path=path,
        )
    return ServerFile(raw, {name: _as_text(path, name, value) for name, value in content.items()})


def _as_text(path: str, name: str, value: object) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise Invalid("config.unreadable", f"{path}: {name} is no text or number.", "Mend the file.", path=path)


def template() -> str:
    """The file with every setting as a comment."""
    lines = [
        "# Settings of `comity serve` for this folder. The environment and options win over this file.",
        "# Those marked with * count only once you agreed to this file, as it then is: `comity trust`.",
        "",
    ]
    for option in OPTIONS:
        value = list(option.default) if option.repeated else option.default
        lines += [f"# {option.doc}{' *' if option.loosens else ''}", f"#{option.name} = {json.dumps(value)}", ""]
    return "\n".join(lines)
