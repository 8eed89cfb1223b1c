"""Records and argument types of guarded edits."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from comity.kernel.argument import Items, Number, Text

EditedPath = Annotated[str, Text("A file, absolute or relative to the agent's checkout.", min=1, max=4096)]
EditedFiles = Annotated[list[EditedPath], Items("Files that are about to be changed.", min=1, max=1000)]
AutoLease = Annotated[int, Number("Seconds for which an unclaimed file is claimed.", ge=10, le=86_400)]

LEASE_S = 600


class Verdict(NamedTuple):
    """Whether the edit may be made. ``refusal`` says why not and what to do, ``warning`` what else is known."""

    allowed: bool
    refusal: str = ""
    warning: str = ""
    holders: tuple[str, ...] = ()
