"""Which command lines a pause of the workspace holds back: those that may change files, as far as one can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping

from comity.kernel.hints import Any
from comity.shell import effects

# One command of Comity alone: by it agents talk and let go, and a pause is ended.
_COMITY = re.compile(r"\s*(?:[^\s;&|<>$`()\\]*/)?comity(?:\s[^;&|<>$`()\\\n]*)?")


def changes_work(values: Mapping[str, Any]) -> bool:
    """Whether what ``command.check`` is asked about is more than reading and Comity's own commands."""
    line: str = values["command"]
    return _COMITY.fullmatch(line) is None and not effects.reads_only(line)
