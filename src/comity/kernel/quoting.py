"""Words of agents where a model reads them: on one line, in quotation marks, and never like anything else. Pure.

A model sees what its peers wrote next to what its user says. So every text that an agent, a file's name or another
implementation brought is made plain here before it stands in a sentence: ``quoted`` for texts and paths, ``called`` for
from any writer, ``word`` for ids and states. ``escaped`` does the same for JSON, whose value stays as it is.

What is not seen is told by Unicode category, not by a list: controls, formats (zero-width and bidirectional marks, soft
hyphens, tags), surrogates, private use, what is not assigned, and separators of lines. The few blank characters that
other categories have are a list. Joiners and variation selectors go as well, although some scripts and emoji use them:
they can hide a whole text, and what is left can be read without them.
"""

from __future__ import annotations

import re

from comity.kernel.lookalikes import is_reserved

CUT = "\u2026"
SOMEBODY = "an agent"  # whose name is none, or claims to be somebody else's
MOST = 400  # characters of a text in a sentence
MOST_NAME = 64
_FEW = 4  # replacements that are cheaper one by one
# Fillers, blanks, joiners and selectors of variation that are letters, marks or signs by category.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\ufe00\ufe01\ufe02\ufe03\ufe04\ufe05\ufe06\ufe07"
    "\ufe08\ufe09\ufe0a\ufe0b\ufe0c\ufe0d\ufe0e\ufe0f\uffa0\U0001d159"
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))
_SPACES = frozenset("\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
# Whatever may be taken for an angle bracket that opens a tag, or for the quotation mark that ends the quotation.
_ALIKE = str.maketrans(
    dict.fromkeys("<\ufe64\uff1c", "\u2039")
    | dict.fromkeys(">\ufe65\uff1e", "\u203a")
    | dict.fromkeys(
        '"\u02ba\u02dd\u02ee\u05f4\u1cd3\u201c\u201d\u201e\u201f\u2033\u2036\u275d\u275e\u2760\u2e42\u301d\u301e\u301f'
        "\u3003\uff02\U0001f676\U0001f677\U0001f678",
        "'",
    )
)
# Marks that combine with the letter before, piled up: no language puts more than four on one.
_PILED = (
    "([\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\ufe20-\ufe2f]{4})[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@+#-"


def hidden(text: str) -> set[str]:
    """The characters of ``text`` that nobody sees, or that steer whatever shows them. Spaces of any width are none."""
    if text.isascii() and text.isprintable():
        return set()
    return {sign for sign in set(text) if sign in _BLANK or not (sign.isprintable() or sign in _SPACES)}


def plain(text: str) -> str:
    """On one line, visible, and without the signs that open a tag or close a quotation."""
    unseen = hidden(text)
    if unseen:
        text = "".join([" " if sign in unseen else sign for sign in text])
    text = " ".join(text.split())
    if not text.isascii():
        text = re.sub(_PILED, r"\1", text)
    return text.translate(_ALIKE)


def quoted(text: object, most: int = MOST) -> str:
    """A text in quotation marks, its beginning where it is longer than ``most`` characters."""
    whole = text if isinstance(text, str) else str(text)
    told = plain(whole[: most * 4])
    return marked(told[:most].rstrip(), cut=len(told) > most or len(whole) > most * 4)


def marked(told: str, *, cut: bool) -> str:
    """What is ``plain`` already, in quotation marks; no backslash seems to take one of them away."""
    return f'"{told}{CUT if cut else " " if told.endswith(chr(92)) else ""}"'


def word(text: object, most: int = MOST_NAME) -> str:
    """An id, a state or a number as it is; quoted when it is no single word, since others may write anything there."""
    told = text if isinstance(text, str) else str(text)
    return told if 0 < len(told) <= most and not told.strip(_WORD) else quoted(told, most)


def is_name(name: str) -> bool:
    """Whether a name is plain: letters, digits, dots, dashes, of a length that can be read."""
    letters = name.replace("-", "").replace(".", "").replace("_", "")
    return letters.isalnum() and len(name) <= MOST_NAME and name[0] not in "-." and not hidden(name)


def called(*names: str | None) -> str:
    """An agent, by the first of its names that is plain and looks like no other's; else ``an agent``.

    Such names come in by other implementations alone: here they cannot be registered.
    """
    return next((name for name in names if name and is_name(name) and not is_reserved(name)), SOMEBODY)


def title(agent_id: str, name: str | None) -> str:
    """An agent's name, and its id where that differs."""
    who, key = called(name, agent_id), called(agent_id)
    return who if key in (who, SOMEBODY) else f"{who} ({key})"


def escaped(text: str, *, surrogates: bool = False) -> str:
    r"""JSON in which angle brackets and what is not seen are ``\u`` escapes: the same value, nothing to be taken in by.

    Line feeds between its members stay. So do lone surrogates, which clients refuse even escaped, unless asked for.
    """
    odd = set() if text.isascii() else hidden(text)
    odd.update(sign for sign in "<>\x7f" if sign in text)
    odd.discard("\n")
    if not surrogates:
        odd = {sign for sign in odd if not "\ud800" <= sign <= "\udfff"}
    if len(odd) > _FEW:  # a thousand different ones must not make a thousand passes
        return text.translate({ord(sign): _number(sign) for sign in odd})
    for sign in odd:
        text = text.replace(sign, _number(sign))
    return text


def _number(sign: str) -> str:
    code = ord(sign)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
