"""Patterns of a shell and pathspecs of git: whether a path is among what they name. Pure."""

from __future__ import annotations

import re

from comity.kernel.named_tuple import NamedTuple

_SPECIAL = re.compile(r"[*?\[\\]")
_MAGIC = {"/": "top", "!": "exclude", "^": "exclude"}
_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "blank": r" \t",
}


class Pathspec(NamedTuple):
    """One pathspec of git, its magic taken off."""

    pattern: str
    magic: frozenset[str]

    @property
    def literal(self) -> bool:
        """Whether it names one path, with what is below it."""
        return "literal" in self.magic or _SPECIAL.search(self.pattern) is None


def pathspec(written: str) -> Pathspec:
    """Read the magic in front: ``:/``, ``:!``, ``:(top,glob)``."""
    if not written.startswith(":"):
        return Pathspec(written, frozenset())
    if written.startswith(":("):
        inner, _, rest = written[2:].partition(")")
        return Pathspec(rest, frozenset(word.strip().partition(":")[0] for word in inner.split(",") if word.strip()))
    at, magic = 1, set()
    while written[at : at + 1] in _MAGIC and at < len(written):
        magic.add(_MAGIC[written[at]])
        at += 1
    return Pathspec(written[at + 1 :] if written.startswith(":", at) else written[at:], frozenset(magic))


def among(patterns: tuple[str, ...], relative: str) -> bool:
    """Whether git would take a path, counted from the top of the work tree, for one that these pathspecs name."""
    specs = [pathspec(pattern) for pattern in patterns]
    wanted = [spec for spec in specs if "exclude" not in spec.magic]
    if wanted and not any(_named(spec, relative) for spec in wanted):
        return False
    return not any(_named(spec, relative) for spec in specs if "exclude" in spec.magic)


def fits(pattern: str, path: str, *, below: bool) -> bool:
    """Whether a shell's absolute pattern stands for an absolute path, or for a folder above it where that counts."""
    written = expression(pattern, slashes=False, hidden=False) + (r"(?:/|\Z)" if below else r"\Z")
    return re.compile(written, re.DOTALL).match(path) is not None


def _named(spec: Pathspec, path: str) -> bool:
    flags = re.IGNORECASE if "icase" in spec.magic else 0
    pattern = spec.pattern.removesuffix("/") if spec.literal else spec.pattern
    if pattern in ("", ".") or re.match(re.escape(pattern) + r"(?:/|\Z)", path, flags) is not None:
        return True  # the letters themselves count for patterns, too
    if spec.literal:
        return False
    return re.match(expression(pattern, slashes="glob" not in spec.magic) + r"\Z", path, flags | re.DOTALL) is not None


def expression(pattern: str, *, slashes: bool, hidden: bool = True) -> str:
    """A regular expression for a pattern. ``slashes``: whether a wildcard stands for those, too; without it only ``**``
    does. ``hidden``: whether a wildcard stands for the dot in front of a name.
    """
    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        first = at == 0 or pattern[at - 1] == "/"
        dot = "" if hidden or not first else r"(?!\.)"
        if pattern.startswith("**", at):
            stars = len(pattern) - at - len(pattern[at:].lstrip("*"))
            after = pattern[at + stars : at + stars + 1]
            at += stars
            if not slashes and hidden and not (first and after in ("/", "")):
                found.append("[^/]*")
            elif not slashes and after == "/":
                found.append("(?:.*/)?")
                at += 1
            else:
                found.append(".*")
            continue
        end = _bracket_end(pattern, at) if char == "[" else 0
        if char == "*":
            found.append(dot + (".*" if slashes else "[^/]*"))
        elif char == "?":
            found.append(dot + ("." if slashes else "[^/]"))
        elif end:
            found.append(dot + ("" if slashes else "(?!/)") + _bracket(pattern[at + 1 : end]))
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            found.append(re.escape(pattern[at]))
        else:
            found.append(re.escape(char))
        at += 1
    return "".join(found)


def _bracket_end(pattern: str, start: int) -> int:
    """Where the bracket closes; 0 where it does not."""
    at = start + 1
    if pattern[at : at + 1] in ("!", "^"):
        at += 1
    if pattern[at : at + 1] == "]":
        at += 1
    while at < len(pattern) and pattern[at] != "]":
        at = pattern.find(":]", at) + 2 if pattern.startswith("[:", at) and ":]" in pattern[at:] else at + 1
    return at if at < len(pattern) else 0


def _bracket(inner: str) -> str:
    negated = inner[:1] in ("!", "^")
    body = inner[1:] if negated else inner
    body = (
        body.replace("\\", "\\\\").replace("]", "\\]").replace("&&", "&\\&").replace("||", "|\\|").replace("~~", "~\\~")
    )
    body = re.sub(r"\[:(\w+):\\?\]", lambda found: _CLASSES.get(found[1], ""), body).replace("[", "\\[")
    try:
        re.compile(f"[{body}]")
    except re.error:
        return re.escape(f"[{inner}]")
    return f"[^{body}]" if negated else f"[{body}]"


def escaped(text: str) -> str:
    """A text as a pattern that stands for itself."""
    return _SPECIAL.sub(r"[\g<0>]", text) if _SPECIAL.search(text) else text


def as_pattern(text: str) -> str:
    """A pattern of a text with holes: names become ``*``, everything else ``**``."""
    stars = re.sub("[\ue000-\ue005]*[\ue000\ue003\ue004][\ue000-\ue005]*", "**", text)
    return stars.translate({0xE001: "*", 0xE002: "*", 0xE005: "[0-9]*"})
