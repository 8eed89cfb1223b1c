r"""Making text safe to show: what peers wrote must never steer a terminal.

Control characters, terminal escapes, marks that turn the reading direction, invisible characters and lone surrogates
are shown as escapes such as ``\x1b``. People read it, so the joiners and selectors of emoji and scripts stay.
"""

from __future__ import annotations

from comity.kernel.quoting import escaped, hidden, quoted

_STAY = frozenset("\n\t\u200c\u200d\ufe0e\ufe0f")


def block(text: str) -> str:
    """``text`` with its lines kept; tabs become spaces."""
    text = text.replace("\r\n", "\n")
    unsafe = hidden(text) - _STAY
    return (text.translate({ord(sign): _visible(ord(sign)) for sign in unsafe}) if unsafe else text).expandtabs(4)


def line(text: object) -> str:
    """``text`` as one line."""
    return " ".join(block(str(text)).split("\n"))


def path(name: str) -> str:
    """A file's name on one line, quoted where it has anything in it that could be taken for more than a name."""
    return name if name.isprintable() and name == name.strip() and not set(name) & set("\"'`,:") else quoted(name)


def json_text(text: str) -> str:
    r"""JSON with unsafe characters as ``\u`` escapes; they occur only inside its strings."""
    return escaped(text, surrogates=True)


def _visible(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
