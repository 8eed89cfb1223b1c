"""What a check of ``comity doctor`` finds."""

from __future__ import annotations

from typing import Literal

from comity.kernel.named_tuple import NamedTuple


class Finding(NamedTuple):
    """One line of the report; ``hint`` says what to do when it is not ok."""

    check: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", detail)


def warn(check: str, detail: str, hint: str) -> Finding:
    """It works, but somebody should know."""
    return Finding(check, "warn", detail, hint)


def fail(check: str, detail: str, hint: str) -> Finding:
    """It does not work."""
    return Finding(check, "fail", detail, hint)
