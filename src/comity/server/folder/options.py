"""Every setting of the server: its default (once), its bounds, where it may come from, one sentence.

Precedence: option, environment (the first variable that is set), ``.masc/config/server.toml``, default. The presets
count as options. What loosens counts from the file only once the user agreed to it (``comity.trust``): it may have come
with somebody's repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.kernel.text import readable
from comity.server.auth.config import FOLDER, is_loopback
from comity.server.folder.port import FIXED, derived_port
from comity.setting_list import Aside, Setting, as_number, as_path, told
from comity.settings import SettingsFile, read_toml

FILE = "config/server.toml"  # below .masc
FILE_NAME = f"{FOLDER}/{FILE}"
WS_PORT = 8937
_ADDRESS = re.compile(r"[A-Za-z0-9_.:%-]{1,253}")
_NAME = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")
_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(:[0-9]{1,5})?")
_USUAL = {"http": ":80", "https": ":443"}


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


def _host(text: str) -> str:
    host = text.removeprefix("[").removesuffix("]")
    if not _ADDRESS.fullmatch(host):
        raise ValueError
    return host


def _origin(text: str) -> str:
    """As browsers write it: in lower case, and without the port that the scheme has anyway."""
    origin = text.lower()
    if not _ORIGIN.fullmatch(origin):
        raise ValueError
    return origin.removesuffix(_USUAL[origin.partition(":")[0]])


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def _level(text: str) -> str:
    return "warning" if text == "warn" else text


_PORTS = (0, 65_535)
OPTIONS = (
    Setting(
        "host",
        ("COMITY_HOST", "MASC_HOST"),
        "127.0.0.1",
        "The address to listen on.",
        kind=_host,
        loosens=True,
        wanted="an address or a name of this machine",
        unit="HOST",
    ),
    Setting(
        "port",
        ("COMITY_PORT", "MASC_MCP_PORT", "MASC_HTTP_PORT"),
        0,
        "The port; the folder's own (9100 to 9999) when not set.",
        bounds=_PORTS,
    ),
    Setting("ws_port", ("COMITY_WS_PORT", "MASC_WS_PORT"), 0, "A port for WebSockets only; 0: none.", bounds=_PORTS),
    Setting(
        "allow_host",
        ("COMITY_ALLOW_HOST",),
        (),
        "A further name, or name and port, by which clients reach the server (repeatable).",
        kind=_name,
        loosens=True,
        repeated=True,
        wanted="NAME or NAME:PORT",
        unit="NAME[:PORT]",
    ),
    Setting(
        "allow_origin",
        ("COMITY_ALLOW_ORIGIN",),
        (),
        "An origin whose web pages may use the server and read its answers (repeatable).",
        kind=_origin,
        loosens=True,
        repeated=True,
        wanted="an origin such as https://example.org",
        unit="ORIGIN",
    ),
    Setting(
        "tls_cert",
        ("COMITY_TLS_CERT",),
        "",
        "The certificate (PEM); then the server speaks TLS.",
        kind=as_path,
        loosens=True,
    ),
    Setting("tls_key", ("COMITY_TLS_KEY",), "", "Its private key (PEM).", kind=as_path, loosens=True),
    Setting(
        "rate",
        ("COMITY_RATE", "MASC_RATE_LIMIT"),
        100,
        "Requests a second from one client of another machine, for long; 0: any number.",
        bounds=(0, 1_000_000),
        loosens=True,
    ),
    Setting(
        "burst",
        ("COMITY_BURST", "MASC_RATE_BURST"),
        150,
        "Requests at once from one client of another machine.",
        bounds=(1, 1_000_000),
        loosens=True,
    ),
    Setting(
        "max_body_bytes",
        ("COMITY_MAX_BODY_BYTES", "MASC_MCP_MAX_BODY_BYTES"),
        20 * 1024 * 1024,
        "The largest body of a request.",
        bounds=(1024, 1_000_000_000),
        loosens=True,
        unit="N",
    ),
    Setting(
        "log_format",
        ("COMITY_LOG_FORMAT",),
        "text",
        "How lines on standard error look: text or json.",
        choices=("text", "json"),
    ),
    Setting(
        "log_level",
        ("COMITY_LOG_LEVEL", "MASC_LOG_LEVEL"),
        "info",
        "The least that is logged: debug, info (each request), warning, error, off.",
        kind=_level,
        choices=("debug", "info", "warning", "error", "off"),
        unit="LEVEL",
    ),
    Setting(
        "retention_days",
        ("COMITY_RETENTION_DAYS",),
        30.0,
        "What is finished and older is removed; 0: nothing is.",
        kind=as_number,
        bounds=(0, 36_500),
        loosens=True,
        wanted="days from 0 (nothing is removed) to 36500",
    ),
)
_DEFAULTS = {option.name: option.default for option in OPTIONS}


def settle(
    given: Mapping[str, str], env: Mapping[str, str], root: str, *, loopback: bool = False, full: bool = False
) -> ServerSettings:
    """The server's settings in one project. Raises Invalid for what cannot be."""
    file = read_file(root)
    left = file.left()
    values = _DEFAULTS | told(OPTIONS, given, env, file.counting(left))
    if loopback:
        if "host" in given and not is_loopback(values["host"]):
            raise Invalid("option.contradiction", "--loopback and --host exclude each other.", "Leave one out.")
        values["host"] = _DEFAULTS["host"]
    if (loopback or full) and "port" not in given:
        values["port"] = FIXED
    port = values["port"] or derived_port(root)
    if full and "ws_port" not in given:
        values["ws_port"] = WS_PORT if port == FIXED else port + 2
    settings = ServerSettings(**{**values, "port": port, "aside": left})
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise Invalid("tls.incomplete", "TLS takes a certificate and its key.", "Give --tls-cert and --tls-key.")
    waiting = any(one.name in ("tls_cert", "tls_key") for one in left)
    if waiting and not settings.tls_cert and not is_loopback(settings.host):
        raise Forbidden(
            "trust.needed",
            f"{FILE_NAME} asks for TLS and does not count yet: other machines would connect in clear text.",
            "Agree to the file with `comity trust`, or give --tls-cert and --tls-key.",
            file=FILE_NAME,
        )
    if settings.ws_port == port:
        raise Invalid("port.twice", f"Port {port} cannot be both.", "Choose another --ws-port.")
    return settings


def read_file(root: str) -> SettingsFile:
    """The file of a project. Raises Invalid ``config.unreadable`` and ``config.unknown_setting``."""
    return read_toml(root, FILE_NAME, OPTIONS)


def template() -> str:
    """The file with every setting as a comment."""
    lines = [
        "# Settings of `comity serve` for this folder. The environment and options win over this file.",
        "# Those marked with * count only once you agreed to this file, as it then is: `comity trust`.",
        "",
    ]
    for option in OPTIONS:
        value = list(option.default) if option.repeated else option.default
        lines += [f"# {option.doc}{' *' if option.loosens else ''}", f"#{option.name} = {readable(value)}", ""]
    return "\n".join(lines)
