"""Operations on file claims.

Each looks at the disk first, for links and folders, and then is one transaction.
"""

from __future__ import annotations

from comity.kernel.op import long_op
from comity.kernel.problem import Invalid
from comity.kernel.steps import Steps
from comity.rooms.claims import acquisition, listings, paths, release
from comity.rooms.claims.model import (
    Claimed,
    ClaimLimit,
    ClaimReason,
    Claims,
    Files,
    HeldFiles,
    HolderId,
    Mode,
    Partial,
    Released,
    ReleaseReason,
    Renewed,
    SomeFiles,
    TtlSeconds,
)
from comity.rooms.claims.paths import Target


@long_op(
    "claim.acquire",
    effect="write",
    needs="session",
    pausable=True,
    ends_with_write=True,
    example={"files": ["src/parser.py", "tests/**"], "reason": "new grammar"},
)
def acquire_claim(
    steps: Steps,
    *,
    files: Files,
    ttl_seconds: TtlSeconds = 1800,
    reason: ClaimReason | None = None,
    mode: Mode = "exclusive",
    partial: Partial = False,
) -> Claimed:
    """Claim files, folders or globs before you edit them; says who else holds any of them.

    Refused as a whole while a peer holds one of them, unless ``partial`` asks for what is free. Claiming again renews.
    Claims of other implementations, worktrees and repositories are listed under ``conflicts`` and keep nobody out
    (reference section 4.3).
    """
    base = paths.base_of(steps.actor)
    wanted = _some(paths.resolve(base, files))
    return steps.write(acquisition.acquire, base, acquisition.Wish(wanted, ttl_seconds, reason, mode, partial))


@long_op("claim.renew", effect="write", needs="session", ends_with_write=True, example={"ttl_seconds": 3600})
def renew_claim(steps: Steps, *, files: HeldFiles | None = None, ttl_seconds: TtlSeconds = 1800) -> Renewed:
    """Hold own claims for longer: those named, or all."""
    base = paths.base_of(steps.actor)
    wanted = None if files is None else _some(paths.resolve(base, files))
    return steps.write(acquisition.renew, base, wanted, ttl_seconds)


@long_op("claim.release", effect="write", needs="session", ends_with_write=True, example={"files": ["src/parser.py"]})
def release_claim(steps: Steps, *, files: HeldFiles, reason: ReleaseReason = "released") -> Released:
    """Release files that you have claimed.

    A glob that is not held itself releases every claim that lies in it: ``**`` releases all (reference section 4.3).
    """
    base = paths.base_of(steps.actor)
    return steps.write(release.release, base, _some(paths.resolve(base, files)), reason)


@long_op("claim.list", effect="read", example={"files": ["src"]})
def list_claims(
    steps: Steps, *, agent_id: HolderId | None = None, files: SomeFiles | None = None, limit: ClaimLimit = 1000
) -> Claims:
    """List active claims: all, those of an agent, those that touch given paths.

    A path also finds the folders and globs that cover it, and what is claimed below it (reference section 4.3).
    """
    base = paths.base_of(steps.actor)
    inside, outside = ([], []) if files is None else paths.sorted_out(base, files)
    return steps.read(listings.active, base, listings.Filter(agent_id, inside, outside, limit))


def _some(targets: list[Target]) -> list[Target]:
    if not targets:
        raise Invalid("claim.no_files", "No file is named.", "Name at least one path or glob.")
    return targets
