"""Operations on file claims.

Each looks at the disk first, for links and folders, and then is one transaction.
"""

from __future__ import annotations

from functools import partial as given

from comity.kernel.op import Wait, long_op
from comity.kernel.problem import Invalid
from comity.kernel.steps import Steps
from comity.rooms.claims import acquisition, listings, paths, release, resources
from comity.rooms.claims.model import (
    Claimed,
    ClaimLimit,
    ClaimReason,
    Claims,
    ClaimWaitMs,
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
    Waiter,
    Waits,
)
from comity.rooms.claims.paths import Base, Target


def _not_yet(claimed: Claimed) -> bool:
    return claimed.waiting is not None


@long_op(
    "claim.acquire",
    effect="write",
    needs="session",
    pausable=True,
    ends_with_write=True,
    waits=Wait(_not_yet, "actor"),
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
    wait: Waits = False,
    wait_ms: ClaimWaitMs = 0,
    waiter: Waiter = "",
) -> Claimed:
    """Claim files, folders, globs or resources before you use them; says who else holds any of them.

    Refused as a whole while a peer holds one of them, unless ``partial`` asks for what is free. Claiming again renews.
    With ``wait`` you stand in line instead, first come, first served: all of it is claimed for you when it is your
    turn, and you are told; with ``wait_ms`` the answer waits for that. Releasing gives the place up. Claims of other
    implementations, worktrees and repositories are listed under ``conflicts`` and keep nobody out (reference section
    4.3).
    """
    base = paths.base_of(steps.actor)
    if wait and partial:
        raise Invalid(
            "claim.partial_wait",
            "A place in line is for all that is claimed: partial does not go with wait.",
            "Claim what is free with partial, and stand in line for the rest in a second call.",
        )
    named, wanted = _named(base, files)
    wish = acquisition.Wish(wanted, ttl_seconds, reason, mode, partial, tuple(named))
    return steps.write(acquisition.acquire, base, wish, wait=wait, waiter=waiter)


@long_op("claim.renew", effect="write", needs="session", ends_with_write=True, example={"ttl_seconds": 3600})
def renew_claim(steps: Steps, *, files: HeldFiles | None = None, ttl_seconds: TtlSeconds = 1800) -> Renewed:
    """Hold own claims for longer: those named, or all."""
    base = paths.base_of(steps.actor)
    named, wanted = ([], None) if files is None else _named(base, files)
    return steps.write(acquisition.renew, base, wanted, ttl_seconds, named)


@long_op("claim.release", effect="write", needs="session", ends_with_write=True, example={"files": ["src/parser.py"]})
def release_claim(steps: Steps, *, files: HeldFiles, reason: ReleaseReason = "released") -> Released:
    """Release files and resources that you have claimed, and give up places in line for them.

    A glob that is not held itself releases every claim that lies in it: ``**`` releases all (reference section 4.3).
    """
    base = paths.base_of(steps.actor)
    inside = resources.without(files)
    targets = paths.resolve(base, inside)
    if not targets and len(inside) == len(files):
        raise _none_named()
    everything = ["res:*"] if any(target.path == "**" for target in targets) else []
    return steps.write(release.release, base, targets, reason, given(resources.chosen, [*files, *everything]))


@long_op("claim.list", effect="read", example={"files": ["src"]})
def list_claims(
    steps: Steps, *, agent_id: HolderId | None = None, files: SomeFiles | None = None, limit: ClaimLimit = 1000
) -> Claims:
    """List active claims and who waits in line: all, those of an agent, those that touch given paths.

    A path also finds the folders and globs that cover it, and what is claimed below it (reference section 4.3).
    """
    base = paths.base_of(steps.actor)
    named, texts = ([], []) if files is None else resources.sorted_out(files)
    inside, outside = paths.sorted_out(base, texts)
    return steps.read(listings.active, base, listings.Filter(agent_id, inside, outside, limit, named))


def _named(base: Base, files: list[str]) -> tuple[list[Target], list[Target]]:
    """Resources and files. Raises Invalid ``claim.no_files`` when there is neither."""
    named, texts = resources.sorted_out(files)
    targets = paths.resolve(base, texts)
    if not (named or targets):
        raise _none_named()
    doubled = {one.path for one in named} & {one.path.lower() for one in targets}
    if doubled:
        raise Invalid(
            "resource.name",
            f"{min(doubled)} is named as a file and as a resource.",
            "Claim the file and the resource in two calls.",
        )
    return named, targets


def _none_named() -> Invalid:
    return Invalid("claim.no_files", "No file is named.", "Name at least one path or glob.")
