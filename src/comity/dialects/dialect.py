"""A Dialect: the names and words of one tongue over the operations. Pure: it runs nothing and knows no session.

A door has a call read by ``ask``, runs the operation for the caller, and has the answer put into words by ``say``,
or what went wrong by ``complain``. So one dialect serves any number of sessions at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from comity import __version__
from comity.dialects.names import Names
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.kernel.registry import AnyOp
from comity.mcp.surface import Content, Listed, UnknownPrompt, UnknownResource, UnknownTool

NOTHING: Mapping[str, Any] = {}


class Ask(NamedTuple):
    """What a call of a tool, or the reading of a resource, asks for.

    ``name`` is the tool's, or the resource's address. ``op`` is the operation to run, with ``arguments`` in its own
    names; None where the dialect alone knows the answer. ``looks``: it only looks, so a caller that is no agent stays
    none. ``called`` is the name under which the caller says that it comes: a newcomer's wish where it ``enters``, else
    it is only compared. ``detail`` is what the dialect needs to say the answer.
    """

    name: str
    op: AnyOp | None = None
    arguments: Mapping[str, Any] = NOTHING
    names: Names | None = None
    looks: bool = False
    called: str = ""
    enters: bool = False
    detail: Any = None


class Dialect:
    """One tongue. This one has no tools, resources and prompts: a dialect says only what it has.

    ``joins``: a session says in a call under which name it comes in.
    """

    name = "comity"
    version = __version__
    instructions = ""
    joins = False

    def tools(self) -> bytes | list[Any]:
        """The array that ``tools/list`` answers, as JSON bytes or as a list."""
        return []

    def ask(self, name: str, _arguments: dict[str, Any]) -> Ask:
        """What a call of a tool asks for. Raises UnknownTool or Problem."""
        raise UnknownTool(name)

    def say(self, ask: Ask, _result: Any) -> tuple[Content, Any]:
        """The content, and the structured content: an object. ``result`` is the operation's; None without one."""
        raise TypeError(ask)

    def complain(self, _ask: Ask | None, problem: Problem) -> str:
        """What went wrong and what to do; without ``ask`` it was not even understood what is asked for."""
        return f"{problem.message} {problem.hint}"

    def resources(self) -> Listed:
        """What ``resources/list`` answers."""
        return []

    def resource_templates(self) -> Listed:
        """What ``resources/templates/list`` answers."""
        return []

    def resource(self, uri: str) -> Ask:
        """What the reading of a resource asks for. Raises UnknownResource or Problem."""
        raise UnknownResource(uri)

    def say_resource(self, ask: Ask, _result: Any) -> tuple[str, str | bytes]:
        """MIME type, and text or bytes."""
        raise TypeError(ask)

    def changed(self, _event_types: Collection[str]) -> Collection[str]:
        """The URIs of the resources that events of these types may have changed."""
        return ()

    def prompts(self) -> Listed:
        """What ``prompts/list`` answers."""
        return []

    def get_prompt(self, name: str, _arguments: dict[str, str]) -> dict[str, Any]:
        """What ``prompts/get`` answers. Raises UnknownPrompt or Problem."""
        raise UnknownPrompt(name)


def worded(ask: Ask | None, problem: Problem) -> Problem:
    """A problem in the names that the caller used."""
    return problem if ask is None or ask.names is None else ask.names.complain(problem)
