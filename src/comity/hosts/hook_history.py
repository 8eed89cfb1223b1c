"""What the hooks' log says of each host: when its hooks last fired, spoke and refused, and how long they took."""

from __future__ import annotations

import json
import os

from comity.hosts import hook_log
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.system import files

MOST_TIMED = 10_000
_MOST_BYTES = 8 * hook_log.MAX_BYTES


class HookRun(NamedTuple):
    """When something happened, in seconds since 1970, and at which event."""

    at: float
    event: str
    why: str = ""


class HookHistory(NamedTuple):
    """Of one host. ``times`` are milliseconds of the latest hooks, whole processes."""

    hooks: int
    fired: HookRun | None
    injected: HookRun | None
    refused: HookRun | None
    woke: HookRun | None
    failed: HookRun | None
    failures: int
    times: tuple[float, ...]

    def percentile(self, share: float) -> float | None:
        """The time within which this share of the hooks ended."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


NONE = HookHistory(0, None, None, None, None, None, 0, ())


def read(database: str) -> dict[str, HookHistory]:
    """Every host that the log knows. Lines that cannot be read are passed over."""
    lines: dict[str, list[dict[str, Any]]] = {}
    folder, name = os.path.split(hook_log.path_of(database))
    for one in (f"{name}.1", name):
        try:
            content = files.read(folder, one, _MOST_BYTES)
        except OSError:
            continue
        for text in content.decode("utf-8", "replace").splitlines():
            line = _line(text)
            if line is not None:
                lines.setdefault(line["host"], []).append(line)
    return {host: _history(found) for host, found in lines.items()}


def _line(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
        texts = all(isinstance(line[key], str) for key in ("host", "event", "did"))
        return line if texts and all(isinstance(line[key], int | float) for key in ("at", "ms")) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _history(lines: list[dict[str, Any]]) -> HookHistory:
    def last(lines: list[dict[str, Any]], *what: str) -> HookRun | None:
        found = (line for line in reversed(lines) if not what or line["did"] in what)
        line = next(found, None)
        return None if line is None else HookRun(line["at"], line["event"], str(line.get("why", "")))

    wrong = [line for line in lines if line["did"] == "error" or (line.get("why") and line["did"] != "aside")]
    times = tuple(float(line["ms"]) for line in lines[-MOST_TIMED:] if line["did"] != "wake")
    spoke, refused = last(lines, "inject", "go_on"), last(lines, "refuse")
    return HookHistory(len(lines), last(lines), spoke, refused, last(lines, "wake"), last(wrong), len(wrong), times)
