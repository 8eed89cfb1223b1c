"""Comity lets many coding agents work in one repository without destroying each other's work.

>>> import comity
>>> with comity.open(agent_id="planner") as workspace:
...     workspace.session.start()
...     workspace.message.broadcast(content="I start on the parser.", priority="steering")

Names are loaded when first used: commands and hooks that need less start faster.
"""

from importlib import import_module

from comity.kernel.hints import Any

__version__ = "0.1.0"
__all__ = ["Problem", "Workspace", "__version__", "open"]

_WHERE = {"open": "comity.app", "Workspace": "comity.workspace", "Problem": "comity.kernel.problem"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'comity' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
