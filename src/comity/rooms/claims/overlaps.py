"""Which active claims meet given paths: by index for plain paths, one by one only where wildcards are.

Nothing here reads released or lapsed claims, however many the file holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.claims import paths
from comity.rooms.claims.model import RESOURCES, Claim
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import ROOT, Pattern, literal, meet

_FEW_FOLDERS = 4  # for which a look at all active claims is quick
_FEW_CLAIMS = 500


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
    literal: int | None = None

    @classmethod
    def read(cls, row: Row) -> Held:
        """A row of this room's statements; other programs may have put anything in it."""
        return cls._make(readable(value) for value in row) if bytes in map(type, row) else cls._make(row)

    @property
    def resource(self) -> bool:
        """Whether it is of a resource, and of no file."""
        return self.repository == RESOURCES if self.mode is not None else self.file_path.startswith(RESOURCES)

    def elsewhere(self, base: Base) -> bool:
        """Whether it was made for another worktree or repository."""
        return self.mode is not None and (self.repository, self.worktree) != (base.repository, base.worktree)

    @property
    def target(self) -> Target:
        """Its path in our form, of one that Comity made."""
        return Target(self.file_path, None if self.literal else bool(self.tree))

    def claim(self, base: Base) -> Claim:
        """As callers see it."""
        name = self.agent_name or ""
        return Claim(
            *self[:7],
            self.mode or "advisory",
            self.fence or 0,
            "" if name == self.agent_id else name,
            (self.repository or "") if self.elsewhere(base) and not self.resource else "",
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
    """Targets, ready to be compared with many claims."""

    def __init__(self, base: Base, targets: Sequence[Target]) -> None:
        self.patterns = {target.path: target.pattern(base) for target in targets}
        self._at: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}  # by folder
        self._wild: list[tuple[str, Pattern]] = []
        self._by_top: dict[str, list[tuple[str, Pattern]]] = {}  # by the first name; empty where that is a wildcard
        for path, pattern in self.patterns.items():
            self._by_top.setdefault(pattern.prefix[0] if pattern.prefix else "", []).append((path, pattern))
            if pattern.plain:
                self._at.setdefault(pattern.text, []).append(path)
                for folder in above(pattern.text):
                    self._below.setdefault(folder, []).append(path)
            else:
                self._wild.append((path, pattern))

    def met_by(self, pattern: Pattern) -> list[str]:
        """The paths that a claim of ``pattern`` meets."""
        if not pattern.plain:
            near: Iterable[tuple[str, Pattern]] = self.patterns.items()
            if pattern.prefix:
                near = [*self._by_top.get(pattern.prefix[0], ()), *self._by_top.get("", ())]
            return [path for path, mine in near if meet(mine, pattern)]
        found = [*self._at.get(pattern.text, ())]
        if not pattern.exact:
            found += self._below.get(pattern.text, ())
        for folder in above(pattern.text):
            found += [path for path in self._at.get(folder, ()) if not self.patterns[path].exact]
        return found + [path for path, mine in self._wild if meet(pattern, mine)] if self._wild else found


def above(text: str) -> list[str]:
    """The folders that a plain path lies in, up to the root."""
    if text == ROOT:
        return []
    found = [ROOT]
    end = text.find("/")
    while end > 0:
        found.append(text[:end])
        end = text.find("/", end + 1)
    return found


def touching(scope: Scope, base: Base, targets: Sequence[Target]) -> list[Met]:
    """Every active claim, own ones too, that meets one of the targets by its path alone."""
    candidates = _candidates(scope, base, targets)
    if not candidates:
        return []
    wanted = Wanted(base, targets)
    found = []
    for held in candidates:
        if held.resource != (base.repository == RESOURCES):
            continue
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
    rows = scope.tx.all("claims.at", second=scope.now.second, keys=compact(list(map(key, files))))
    return [Held.read(row) for row in rows if row[3] in files]


def _candidates(scope: Scope, base: Base, targets: Sequence[Target]) -> Collection[Held]:
    tops = {key(_top(base, target)) for target in targets}
    second, tx = scope.now.second, scope.tx
    if "" in tops or ROOT in tops:
        rows = tx.all("claims.every", second=second)
    else:
        folders = {ROOT}
        for top in tops:
            end = top.rfind("/")
            while end > 0 and (folder := top[:end]) not in folders:
                folders.add(folder)
                end = top.rfind("/", 0, end)
        wide = len(tops) <= _FEW_FOLDERS and any(
            target.tree or not (target.literal or literal(target.path)) for target in targets
        )
        among_all = wide and tx.one("claims.more_active_than", second=second, few=_FEW_CLAIMS) is None
        name = "claims.touching_expiry" if among_all else "claims.touching_live"
        rows = tx.all(name, second=second, at=compact([*folders | tops]), below=compact([*tops]))
    return {(row[0], row[3]): Held.read(row) for row in rows if type(row[3]) is str}.values()


def _top(base: Base, target: Target) -> str:
    """Where all that a target means lies: itself, or the folder before its first wildcard."""
    return target.path if target.literal or literal(target.path) else "/".join(target.pattern(base).prefix)


def key(text: str) -> str:
    """How claims are found by index: A to Z as small letters and nothing else changed, as SQL's ``lower`` has it."""
    return text.lower() if text.isascii() else text.encode().lower().decode()


def _location(base: Base, held: Held) -> tuple[Target | None, bool]:
    """The claim's path in our form, and whether it is in another worktree or repository. None: nowhere we know."""
    if held.mode is not None:
        return held.target, held.elsewhere(base)
    return paths.spelled(base, held.file_path)
