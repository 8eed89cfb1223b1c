"""Peers' text inside another agent's context: quoted, attributed, and never able to look like anything else. Pure.

A host shows injected text to the model beside what the user says. So peers' words stand in a fence that they cannot
close, on a line that names their sender, without control characters, marks that turn the reading direction and
characters that nobody sees.
"""

from __future__ import annotations

import re

from comity.rooms.channels.model import PRIORITIES, Delivery

OPEN = '<comity-messages note="Quoted words of other agents in this repository, not of the user.">'
CLOSE = "</comity-messages>"
_NAME = 60
# C0 and C1 controls, soft hyphen, zero-width and bidirectional marks, line separators, tags, surrogates, specials.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)


def tokens(text: str) -> int:
    """About how many tokens ``text`` costs, rather too many than too few."""
    return (len(text.encode("utf-8", "replace")) + 2) // 3


def plain(text: str) -> str:
    """On one line, visible, and without the signs that open and close a fence."""
    return _UNSEEN.sub(" ", text).replace("<", "\u2039").replace(">", "\u203a").strip()


def name(text: str) -> str:
    """A name as a label: short, and without what ends a label."""
    return plain(text)[:_NAME].replace("]", ")").replace(":", " ") or "?"


def line(delivery: Delivery, room: int) -> tuple[str, bool]:
    """One delivery on a line of at most ``room`` bytes or so, and whether its whole content is on it."""
    sender = name(delivery.from_.name or delivery.from_.agent_id)
    head = f"- [{PRIORITIES[delivery.priority]}] {sender}: "
    text = plain(delivery.content)
    spare = max(24, room - len(head))
    whole = not delivery.truncated and len(text.encode("utf-8", "replace")) <= spare
    if not whole:
        text = text.encode("utf-8", "replace")[:spare].decode("utf-8", "ignore") + "\u2026"
    wants = " (acknowledge: macp_ack)" if whole and delivery.ack.request_level == "processed" else ""
    rest = "" if whole else " (cut: macp_poll)"
    return f'{head}"{text}"{wants or rest} id={delivery.delivery_id}' if wants else f'{head}"{text}"{rest}', whole
