"""What ``init`` installs, with another program in the place of ours."""

import json
import shlex

from comity.hosts.hook_install import running


def instead_of_ours(text: str, program: str) -> str:
    """``text`` of a host's file, or a command of it, that runs ``program`` where ours was run."""
    words = shlex.split(running())
    text = text.replace(running(), program).replace(f"command -v {words[0]} ", f"command -v {program} ")
    return text.replace(json.dumps(words), json.dumps([program]))
