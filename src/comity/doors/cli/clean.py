r"""Making text safe to show: what peers wrote must never steer a terminal.

Control characters, terminal escapes, marks that turn the reading direction, invisible tag characters and lone
surrogates are shown as escapes such as ``\x1b``.
"""

from __future__ import annotations

import re

_UNSAFE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # direction, line and paragraph separators
    "\ud800-\udfff\U000e0000-\U000e007f"  # surrogates, tags
)
_FIND = re.compile(f"[{_UNSAFE}]")


def block(text: str) -> str:
    """``text`` with its lines kept; tabs become spaces."""
    return _FIND.sub(_visible, text.replace("\r\n", "\n")).expandtabs(4)


def line(text: object) -> str:
    """``text`` as one line."""
    return " ".join(block(str(text)).split("\n"))


def json_text(text: str) -> str:
    r"""JSON with unsafe characters as ``\u`` escapes; they occur only inside its strings."""
    return _FIND.sub(_escape, text)


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
