"""Which active claims meet given paths: by index for plain paths, one by one only where wildcards are.

Nothing here reads released or lapsed claims, however many the file holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.claims import paths
from comity.rooms.claims.model import Claim
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import ROOT, Pattern, meet

EVERY = 1_000_000_000  # a limit that is none


def readable(value: Any) -> Any:
    """Text for bytes, anything else as it is."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class Held(NamedTuple):
    """One active claim as the file has it. ``mode`` is None where another implementation made it."""

    claim_id: str
    agent_id: str
    session_id: str
    file_path: str
    claimed_at: str
    expires_at: str
    reason: str | None
    mode: str | None
    fence: int | None
    agent_name: str | None
    repository: str | None
    worktree: str | None
    since: int | None
    tree: int | None

    @classmethod
    def read(cls, row: Row) -> Held:
        """A row of this room's statements; other programs may have put anything in it."""
        return cls._make(readable(value) for value in row) if bytes in map(type, row) else cls._make(row)

    def elsewhere(self, base: Base) -> bool:
        """Whether it was made for another worktree or repository."""
        return self.mode is not None and (self.repository, self.worktree) != (base.repository, base.worktree)

    def claim(self, base: Base) -> Claim:
        """As callers see it."""
        name = self.agent_name or ""
        return Claim(
            *self[:7],
            self.mode or "advisory",
            self.fence or 0,
            "" if name == self.agent_id else name,
            (self.repository or "") if self.elsewhere(base) else "",
            self.worktree or "",
        )


class Met(NamedTuple):
    """An active claim, its path in our form, and the wanted paths that it meets."""

    held: Held
    path: str
    pattern: Pattern
    files: list[str]
    elsewhere: bool


class Wanted:
    """Paths in our form, ready to be compared with many claims."""

    def __init__(self, base: Base, targets: Sequence[Target]) -> None:
        self.patterns = {target.path: target.pattern(base) for target in targets}
        self._at: dict[tuple[object, ...], list[str]] = {}
        self._above: dict[tuple[object, ...], list[str]] = {}
        self._wild: list[str] = []
        for path, pattern in self.patterns.items():
            if not pattern.plain:
                self._wild.append(path)
                continue
            self._at.setdefault(pattern.segments, []).append(path)
            for end in range(len(pattern.segments)):
                self._above.setdefault(pattern.segments[:end], []).append(path)

    def met_by(self, pattern: Pattern) -> list[str]:
        """The paths that a claim of ``pattern`` meets."""
        if not pattern.plain:
            return [path for path, mine in self.patterns.items() if meet(mine, pattern)]
        segments = pattern.segments
        found = list(self._above.get(segments, ()))
        for end in range(len(segments) + 1):
            found += self._at.get(segments[:end], ())
        return found + [path for path in self._wild if meet(self.patterns[path], pattern)]


def touching(scope: Scope, base: Base, targets: Sequence[Target]) -> list[Met]:
    """Every active claim, own ones too, that meets one of the targets by its path alone."""
    wanted = Wanted(base, targets)
    found = []
    for held in _candidates(scope, wanted):
        target, elsewhere = _location(base, held)
        if target is not None:
            pattern = target.pattern(base)
            files = wanted.met_by(pattern)
            if files:
                found.append(Met(held, target.path, pattern, files, elsewhere))
    found.sort(key=lambda met: (met.held.file_path, met.held.claimed_at, met.held.claim_id))
    return found


def verbatim(scope: Scope, files: Sequence[str]) -> list[Held]:
    """Active claims at exactly these texts: other implementations may claim what lies outside."""
    rows = scope.tx.all("claims.at", second=scope.now.second, keys=compact([_key([text]) for text in files]))
    return [Held.read(row) for row in rows if row[3] in files]


def _candidates(scope: Scope, wanted: Wanted) -> Iterable[Held]:
    prefixes = {pattern.prefix for pattern in wanted.patterns.values()}
    second, tx = scope.now.second, scope.tx
    if () in prefixes:
        rows = tx.all("claims.active", second=second, agent_id=None, limit=EVERY)
    else:
        at = {_key(prefix[:end]) for prefix in prefixes for end in range(len(prefix) + 1)}
        rows = tx.all("claims.at", second=second, keys=compact(list(at)))
        rows += tx.all("claims.below", second=second, keys=compact([_key(prefix) for prefix in prefixes]))
        rows += tx.all("claims.unusual", second=second)
    return {(row[0], row[3]): Held.read(row) for row in rows if type(row[3]) is str}.values()


def _key(prefix: Sequence[str]) -> str:
    """A path with A to Z as small letters and nothing else changed, as SQL's ``lower`` has it."""
    text = "/".join(prefix) or ROOT
    return text.lower() if text.isascii() else text.encode().lower().decode()


def _location(base: Base, held: Held) -> tuple[Target | None, bool]:
    """The claim's path in our form, and whether it is in another worktree or repository. None: nowhere we know."""
    if held.mode is not None:
        return Target(held.file_path, bool(held.tree)), held.elsewhere(base)
    return paths.spelled(base, held.file_path)
