"""The word by which a person lets a command through, in its line or in the environment. Pure."""

from __future__ import annotations

from collections.abc import Mapping

BYPASS, BYPASS_REASON = "COMITY_BYPASS", "COMITY_BYPASS_REASON"


def bypass(environment: Mapping[str, str]) -> str | None:
    """The reason for which a person lets it through; empty when none is given, None when nobody does."""
    wanted = environment.get(BYPASS, "").strip().lower() not in ("", "0", "false", "no")
    return environment.get(BYPASS_REASON, "").strip() if wanted else None
