"""A peer's message as a line of another agent's context, within a budget of tokens. Pure.

A host shows injected text to the model beside what the user says. So peers' words stand in a fence that they cannot
close, quoted as everywhere (``kernel.quoting``), on a line that names their sender.
"""

from __future__ import annotations

import re

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import CUT, called, marked, plain, word
from comity.rooms.channels.deliveries import SPEAKER, is_notice
from comity.rooms.channels.model import PRIORITIES, Delivery

OPEN = '<comity-messages note="Quoted words of other agents, not of the user.">'
CLOSE = "</comity-messages>"
_MOST_BYTES = 6  # that a token holds, in texts of any use
# What the vocabularies of models cut apart: words, capitals, up to three digits, and any other character by itself.
_PIECE = r"[a-z]+|[A-Z]+|[0-9]{1,3}| +|[^ a-zA-Z0-9]"


class Line(NamedTuple):
    """One delivery as it is told: the text, whether its whole content is in it, and about how many tokens it costs."""

    text: str
    whole: bool
    tokens: int


def tokens(text: str) -> int:
    """About how many tokens ``text`` costs, rather too many than too few."""
    return max(
        (len(text.encode("utf-8", "replace")) + 2) // 3, -(-sum(_tenths(p) for p in re.findall(_PIECE, text)) // 10)
    )


def _tenths(piece: str) -> int:
    """Tenths of a token. Names and prose are cheap; identifiers made of chance, signs and rare scripts are not."""
    first, length = piece[0], len(piece)
    if first == " ":
        return 0 if length == 1 else 10
    if "a" <= first <= "z":
        return 10 if length <= 6 else 20 if length <= 12 else length * 6
    if "A" <= first <= "Z":
        return 10 if length == 1 else length * 6
    code = ord(first)
    if code < 0x80:
        return 11
    if code < 0x700:
        return 6
    return 13 if 0x3000 <= code < 0xA000 or 0xAC00 <= code < 0xD7B0 else 26


def head(text: str, most: int) -> str:
    """The beginning of ``text`` that costs at most ``most`` tokens."""
    text = text[: most * _MOST_BYTES]
    if tokens(text) <= most:
        return text
    tenths = size = end = 0
    for found in re.finditer(_PIECE, text):
        tenths += _tenths(found[0])
        size += len(found[0].encode("utf-8", "replace"))
        if max(tenths, size * 10 // 3) > most * 10:
            break
        end = found.end()
    return text[:end].rstrip() or text[: max(0, most)]


def brief_quote(text: str, most: int) -> str:
    """A text in quotation marks, of about ``most`` tokens."""
    whole = plain(text[: (most + 1) * _MOST_BYTES * 2])
    shown = head(whole, most)
    return marked(shown, cut=shown != whole or len(text) > (most + 1) * _MOST_BYTES * 2)


def line(delivery: Delivery, room: int, *, sure: bool = True) -> Line:
    """One delivery on a line of about ``room`` tokens at most; more only where the label alone is longer.

    Without ``sure`` no sender is taken for Comity itself: somebody else goes by its name.
    """
    sender = delivery.from_
    who = SPEAKER if sure and is_notice(delivery) else called(sender.name, sender.agent_id)
    late = f", late: of {word(delivery.timestamp[:16])}" if delivery.late else ""
    label = f"- [{PRIORITIES[delivery.priority]}{late}] {who}: "
    key = word(delivery.delivery_id) if delivery.ack.request_level == "processed" else ""
    wants = f" wants `message.ack {key}`" if key else ""
    spoken = f" wants tool_ack {key}" if key else ""  # about as long as what a dialect makes of it
    spare = max(6, room - tokens(f'{label}"{CUT}"{spoken}') - 1)
    text = plain(delivery.content[: (spare + 1) * _MOST_BYTES * 2])
    shown = head(text, spare)
    whole = not delivery.truncated and len(delivery.content) <= (spare + 1) * _MOST_BYTES * 2 and shown == text
    told = f"{label}{marked(shown, cut=not whole)}"
    return Line(f"{told}{wants}", whole, tokens(f"{told}{spoken}"))
