"""JSON inside columns: written as the wire format has it, read without trusting whoever wrote it."""

from __future__ import annotations

import json

from comity.kernel.hints import Any


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{digits} is too large")
    return value


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_BLANKS = " \t\n\r"
_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_refuse)


def number(value: float) -> float:
    """``1.0`` as ``1``, so that it is written as JavaScript writes it."""
    return int(value) if value == int(value) else value


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


_ACTIVE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "$`;&|<>()!'*?~#"}


def inert(line: str) -> str:
    """A line of JSON in which what a shell would act on is written as its number; it means the same to a reader.

    A log may hold anybody's words, and be appended to what a shell reads.
    """
    return line.translate(_ACTIVE)
