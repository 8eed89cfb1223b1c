"""Lookalikes: names that would be taken for Comity, the user or the host, which are no agents. Pure.

Compared is a skeleton: without case, accents, separators and characters that are not seen, with letters of other
alphabets, other widths and digits as the Latin letters that they look like.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

RESERVED = (
    "admin",
    "administrator",
    "anagent",
    "anthropic",
    "assistant",
    "comity",
    "developer",
    "everybody",
    "everyone",
    "human",
    "openai",
    "operator",
    "system",
    "systemreminder",
    "tool",
    "user",
    "you",
    "yourself",
    "youruser",
)
# The letter that each of these looks like: digits, Latin letters that are no accented ones, Greek, Cyrillic, Armenian.
_LIKE = {
    "a": "4@\u03b1\u0430\u0251\u1d00\u0252",
    "b": "8\u03b2\u0432\u044c\u0299\u0253",
    "c": "\u03c2\u03f2\u0441\u1d04\u00a2",
    "d": "\u0501\u1d05\u0257\u0111",
    "e": "3\u03b5\u0435\u0454\u1d07\u0259\u212e",
    "f": "\ua730\u0192",
    "g": "\u0261\u0581\u0262",
    "h": "\u043d\u04bb\u0570\u029c",
    "i": "1l!|\u03b9\u0131\u0269\u026a\u0456\u04cf\u0142\u01c0\u029f",
    "k": "\u03ba\u043a\u1d0b",
    "m": "\u03bc\u043c\u1d0d",
    "n": "\u03b7\u043f\u0578\u057c\u0274",
    "o": "0\u03bf\u03c3\u043e\u0585\u00f8\u1d0f\u0275",
    "p": "\u03c1\u0440\u1d18\u00fe",
    "r": "\u0433\u0280\u027e",
    "s": "5$\u0455\ua731\u0282",
    "t": "7+\u03c4\u0442\u1d1b",
    "u": "\u03c5\u057d\u1d1c\u028b\u0446",
    "v": "\u03bd\u0475\u1d20",
    "w": "\u03c9\u0448\u0461\u1d21",
    "x": "\u03c7\u0445",
    "y": "\u03b3\u0443\u04af\u028f",
    "z": "2\u1d22",
}
_LATIN = {ord(sign): letter for letter, signs in _LIKE.items() for sign in signs}
_FILLERS = "\u115f\u1160\u3164\uffa0"  # letters without a shape
_PAIRS = (("rn", "m"), ("vv", "w"))


@lru_cache(maxsize=512)
def is_reserved(name: str) -> bool:
    """Whether no agent may be called so."""
    bones = _skeleton(name)
    return bones in _BONES or bones.removeprefix("the") in _BONES


def _skeleton(name: str) -> str:
    folded = name.casefold()
    if not folded.isascii():
        unicodedata = import_module("unicodedata")  # names of other alphabets are rare, and hooks start often
        folded = str(unicodedata.normalize("NFKD", folded)).casefold()
    bones = "".join([sign for sign in folded.translate(_LATIN) if sign.isalpha() and sign not in _FILLERS])
    for pair, letter in _PAIRS:
        bones = bones.replace(pair, letter)
    return bones


_BONES = frozenset(map(_skeleton, RESERVED))
