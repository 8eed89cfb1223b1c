"""The managed block of AGENTS.md and CLAUDE.md (MACP v1.0 reference section 7.5).

The markers are the original's, so that each implementation replaces the other's block. Nothing outside the block
is touched, not even blank lines.
"""

from __future__ import annotations

import re

from comity.hosts import markdown_lines
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.jsonc_edit import Undo, newline_of

FILE = "AGENTS.md"  # what most hosts read; some have a file of their own, ``Host.instructions``
START = "<!-- MACP-MCP:START -->"
END = "<!-- MACP-MCP:END -->"

_TEXT = """\
## MACP Coordination

Several coding agents may work in this repository at the same time. They reach each other through the MCP server
`macp`, which the host starts for every session (Comity, `comity mcp`).

- Project: `{project_id}`
- Default channel: `{channel}`

The server registers you and joins the default channel by itself. While you work:

{use}
The project's own instructions stand outside this block.
"""
_MACP = """\
- Use the `macp_*` tools only: no SQL on the database, and no second coordination server.
- Poll with `macp_poll` when you start, before you edit what others may edit, and every few tool calls.
- Write to everybody with `macp_send_channel`, to one agent with `macp_send_direct`.
- Acknowledge a message with `macp_ack` once you have acted on it.
- Claim files, and use the shared memory, tasks, goals and vault, when these tools are offered and the work needs it.
- `macp_get_instructions` tells who you are here and how it all works.
"""
_MASC = """\
- Use the `masc_*` tools only: no SQL on the database, and no second coordination server.
- Begin with `masc_start`. Read with `masc_messages` before you edit what others may edit, and every few tool calls.
- Write to everybody with `masc_broadcast`; who is named in it with an @ gets a message of their own.
- Take work with `masc_claim_next`, and say with `masc_transition` when you start it and when it is done.
- `masc_workflow_guide` tells where you stand and what to do next.
"""
_USE = {"macp": _MACP, "masc": _MASC}
_IMPORT = re.compile(r"(?:^|\s)[*_~]*@((?:[^\s\\*~]|\\ )+)")
_IDS = re.compile(r"^- Project: `([^`\r\n]+)`\r?\n- Default channel: `([^`\r\n]+)`", re.MULTILINE)


def block(project_id: str, channel: str, surface: str = "macp") -> str:
    """The block with its markers, without a line end after it. ``surface``: whose tools it names."""
    return f"{START}\n{_TEXT.format(project_id=project_id, channel=channel, use=_USE.get(surface, _MACP))}{END}"


def span(text: str) -> tuple[int, int] | None:
    """Where the block stands. A marker counts alone on its line and outside of code; text may follow the last one.

    Raises MalformedJsonc when the markers do not make one pair.
    """
    found: list[tuple[int, int, int]] = []  # line, and where the marker begins and ends
    for line in markdown_lines.read(text).lines:
        words, opened = line.text.strip(), len(found) == 1
        marker = START if words == START else END if words == END or (opened and words.startswith(END)) else ""
        if marker:
            start = line.start + line.text.index(marker)
            if (marker == END) != opened or len(found) > 1:
                message = f"the markers {START} and {END} do not make one pair, each alone on its line"
                raise MalformedJsonc(message, line.number)
            found.append((line.number, start, start + len(marker)))
    if len(found) == 1:
        raise MalformedJsonc(f"the marker {START} has no {END} after it to make a pair", found[0][0])
    return (found[0][1], found[1][2]) if found else None


def ids(text: str) -> tuple[str, str] | None:
    """Project id and default channel as a block of ours states them."""
    try:
        where = span(text)
    except MalformedJsonc:
        return None
    match = _IDS.search(text, *where) if where else None
    return (match[1], match[2]) if match else None


def imports(text: str) -> tuple[str, ...]:
    """The paths that ``@path`` takes in, as Claude Code reads it: after a blank, in words that are no code."""
    found = (match[1].partition("#")[0].replace("\\ ", " ") for match in _IMPORT.finditer(markdown_lines.prose(text)))
    return tuple(dict.fromkeys(path for path in found if path))


def put(text: str, wanted: str) -> tuple[str, Undo | None]:
    """Replace the block or append it. Raises MalformedJsonc when the markers do not make a pair, and for a text after
    which nothing can stand but code.
    """
    newline = newline_of(text)
    new = wanted.replace("\n", newline)
    where = span(text)
    if where is not None:
        was = text[where[0] : where[1]]
        if was == new:
            return text, None
        return text[: where[0]] + new + text[where[1] :], Undo("block", (), None, was)
    lead = "" if not text.strip() else newline if text.endswith("\n") else newline * 2
    kept = text if lead else ""
    whole = kept + lead + new + newline
    if span(whole) != (len(kept + lead), len(whole) - len(newline)):
        line = markdown_lines.read(text).open_fence or text.count("\n") + 1
        raise MalformedJsonc("code begins here and does not end: what comes after it is read as code", line)
    return whole, Undo("block", (), None, None, hollow=lead)


def take_out(text: str, undo: Undo | None) -> str:
    """``text`` without the block, or with the block that stood there before."""
    where = span(text)
    if where is None:
        return text
    start, end = where
    if undo is not None and undo.was is not None:
        return text[:start] + undo.was + text[end:]
    if text.startswith("\r\n", end):
        end += 2
    elif text.startswith("\n", end):
        end += 1
    lead = undo.hollow if undo is not None and undo.hollow else ""
    if lead and text.endswith(lead, 0, start):
        start -= len(lead)
    return text[:start] + text[end:]
