"""Texts that hold something: JSON as it is written for each purpose, cursors of logs, whole numbers.

Whatever is read here may have been written by anybody, so nothing is believed of it.
"""

from __future__ import annotations

import json

from comity.kernel.hints import Any
from comity.kernel.problem import Invalid

_MOST_DIGITS = 18  # of a whole number: any number of so many fits into a column
_BLANKS = " \t\n\r"
_ACTIVE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "$`;&|<>()!'*?~#"}


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large")
    return value


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


# JSON without blanks, as columns and messages between programs hold it.
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
# JSON on one line for people: with blanks, and every script as it is.
readable = json.JSONEncoder(ensure_ascii=False).encode
_lenient = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_ascii = json.JSONEncoder().encode
_indented = json.JSONEncoder(indent=1).encode
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)


def lenient(value: object) -> bytes:
    """Compact JSON in UTF-8 of anything: what JSON cannot say is told as text, half a character as a question mark."""
    return _lenient(value).encode("utf-8", "replace")


def json_line(value: object) -> str:
    """JSON as a line without its end, for logs and the input of programs: pure ASCII, and no shell acts on it.

    What a shell would act on is written as its number, which means the same to a reader of JSON: a log may hold
    anybody's words, and be appended to what a shell reads.
    """
    return _ascii(value).translate(_ACTIVE)


def document(value: object) -> bytes:
    """A file of our own that holds JSON: indented and pure ASCII, so that people can look into it."""
    return _indented(value).encode() + b"\n"


def number(value: float) -> float:
    """``1.0`` as ``1``, so that it is written as JavaScript writes it."""
    return int(value) if value == int(value) else value


def whole(text: str, most_digits: int = _MOST_DIGITS) -> int | None:
    """The whole number that ``text`` is in ASCII digits; None when it is none, or has more digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= most_digits else None


def cursor_at(position: int) -> str:
    """The cursor of a position in a log. Callers get this text and pass it on as it is."""
    return str(position)


def position_of(cursor: object) -> int:
    """The position in a log that a caller's cursor means; the beginning, 0, for an empty one.

    Raises Invalid ``cursor.unknown``.
    """
    position = (whole(cursor) if cursor else 0) if isinstance(cursor, str) else None
    if position is None:
        told = f"{str(cursor)[:40]!r} is no cursor."
        raise Invalid("cursor.unknown", told, "Pass the cursor of the last answer or event, or none.")
    return position


def read_object(text: object) -> dict[str, Any] | None:
    """The JSON object in ``text``, or None when it holds anything else."""
    value = _read(text)
    return value if isinstance(value, dict) else None


def read_list(text: object) -> list[Any] | None:
    """The JSON list in ``text``, or None when it holds anything else."""
    value = _read(text)
    return value if isinstance(value, list) else None


def read_strings(text: object) -> list[str] | None:
    """The JSON list of strings in ``text``, or None when it holds anything else."""
    value = _read(text)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def _read(text: object) -> Any:
    if not isinstance(text, str):
        return None
    try:
        text = text.strip(_BLANKS)
        value, end = _decoder.raw_decode(text)  # at half the price of decode(), which looks for blanks by itself
        if end != len(text):
            raise ValueError("more than one value")
        if "\\u" in text:  # JavaScript escapes lone surrogates, which no UTF-8 can hold
            value = _decoder.decode(compact(value).encode("utf-8", "replace").decode())
    except (ValueError, RecursionError):
        return None
    return value
