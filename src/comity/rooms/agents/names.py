"""Names that tell agents of one kind apart: ``<type>-<adjective>-<animal>``, short enough to type after an @."""

from __future__ import annotations

from collections.abc import Collection

# fmt: off
_ADJECTIVES = (
    "able", "agile", "amber", "bold", "brisk", "calm", "clear", "deft", "early", "eager", "even", "fair", "firm",
    "fleet", "frank", "glad", "keen", "kind", "level", "lucid", "merry", "nimble", "plain", "prime", "quick",
    "ready", "sharp", "steady", "sunny", "warm",
)
# fmt: on
# fmt: off
_ANIMALS = (
    "badger", "beaver", "bison", "crane", "curlew", "dingo", "egret", "falcon", "ferret", "finch", "gecko", "heron",
    "ibex", "jackal", "lark", "lemur", "lynx", "marten", "mole", "newt", "otter", "owl", "puffin", "quail", "raven",
    "robin", "seal", "stoat", "tern", "wren",
)
# fmt: on
_MOST = 64  # characters of a name that is made


def make(kind: str, taken: Collection[str], chance: str) -> str:
    """A name for ``kind`` that is not taken. ``chance`` is text that differs from call to call, such as a new id."""
    stem = kind.strip("-")[: _MOST - 16] or "agent"
    start, all_names = _drawn(chance), len(_ADJECTIVES) * len(_ANIMALS)
    for step in range(all_names):
        adjective, animal = divmod((start + step * 7) % all_names, len(_ANIMALS))  # 7 divides no count of names
        name = f"{stem}-{_ADJECTIVES[adjective]}-{_ANIMALS[animal]}"
        if name not in taken:
            return name
    number = 2
    while f"{stem}-{_ADJECTIVES[0]}-{_ANIMALS[0]}-{number}" in taken:
        number += 1
    return f"{stem}-{_ADJECTIVES[0]}-{_ANIMALS[0]}-{number}"


def _drawn(chance: str) -> int:
    """A number from text (FNV-1a)."""
    value = 2166136261
    for byte in chance.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value
