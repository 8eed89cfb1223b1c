"""Marking claims whose time is over as released, and telling their holders. What lapsed is free before that, too.

Taking a path marks what lapsed there: little, however many claims lapsed elsewhere. Renewing and leaving, where nobody
waits, mark more, so that unreleased claims stay few.
"""

from __future__ import annotations

from collections.abc import Iterable

from comity.kernel.event import Event
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.claims.overlaps import key, readable

_AT_ONCE = 100  # so that the write lock is held briefly


def mark_lapsed_at(scope: Scope, paths: Iterable[str]) -> None:
    """Mark what lapsed at these paths."""
    second, tx = scope.now.second, scope.tx
    if tx.all("claims.lapsed", second=second, limit=1):
        keys = compact([key(path) for path in paths])
        _mark(scope, tx.all("claims.lapsed_at", second=second, keys=keys, limit=_AT_ONCE))


def mark_lapsed(scope: Scope) -> None:
    """Mark what lapsed anywhere, the oldest first."""
    _mark(scope, scope.tx.all("claims.lapsed", second=scope.now.second, limit=_AT_ONCE))


def _mark(scope: Scope, rows: list[Row]) -> None:
    if not rows:
        return
    holders: dict[str, list[str]] = {}
    for _, file_path, agent_id in rows:
        holders.setdefault(readable(agent_id), []).append(readable(file_path))
    scope.tx.run("claims.lapse", rows=compact([row for row, _, _ in rows]))
    scope.emit(
        *(Event("claim.expired", agent_id=agent_id, metadata={"files": files}) for agent_id, files in holders.items())
    )
