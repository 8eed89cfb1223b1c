"""Words as a shell expands them: braces, tilde, variables, substitutions, splitting, wildcards. Pure.

What is not known becomes a hole in the text. Wildcards are expanded by whoever looks at the disk, or stay a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.shell.braces import braced
from comity.shell.line_reader import read_word
from comity.shell.state import ANY, COMMIT, FILE, HOLES, MOST_LETTERS, NAME, NUMBER, Lines, State, Values, Word
from comity.shell.syntax import Chain, Part, Raw

MOST_MATCHES = 500
NOWHERE = "\ue00f"  # no file has such a name
_WILD = re.compile(r"[*?]|\[[^\]]+\]|[!?*+@]\(")
_EXTENDED = re.compile(r"[!?*+@]\([^)]*\)")
_SPECIAL = re.compile(r"[*?\[\\]")
_VARIABLE = re.compile(r"([#!]?)([A-Za-z_]\w*|\d+|[@*#?$!-])(\[[^\]]*\])?(.*)", re.ASCII | re.DOTALL)
_NUMBERS = frozenset(
    ("?", "$", "!", "#", "-", "RANDOM", "SECONDS", "LINENO", "UID", "EUID", "PPID", "BASHPID", "SRANDOM")
)
_UNKNOWN = frozenset(("0", "_", "BASH_SOURCE", "REPLY", "HOSTNAME", "EPOCHSECONDS", "EPOCHREALTIME"))


class Filling(NamedTuple):
    """What expansion needs from outside: commands that print, and the wildcards of the disk."""

    run: Callable[[Chain, State], Lines]
    expand: Callable[[str, str], Sequence[str] | None]


def fields(raw: Raw, state: State, filling: Filling) -> list[Word]:
    """The words that one written word becomes."""
    if len(raw) == 1 and raw[0].kind == "text" and (raw[0].quoted or not _SPECIAL.search(raw[0].text)):
        part = raw[0]
        if part.quoted or not (part.text.startswith("~") or "{" in part.text or "(" in part.text):
            return [Word(part.text, quoted=part.quoted)]
    found: list[Word] = []
    for one in braced(raw):
        for pieces in _pieces(one, state, filling):
            found += _matched(pieces, state, filling)
    return found


def text_of(raw: Raw, state: State, filling: Filling) -> str:
    """One text, neither split nor matched, as where something is assigned."""
    text = "".join(" ".join(_values(part, state, filling)) for part in _tilded(raw, state))
    return text if len(text) <= MOST_LETTERS else ANY


def body_of(raw: Raw, state: State, filling: Filling) -> Lines:
    """The lines of a here-document."""
    return tuple("".join(" ".join(_values(part, state, filling)) for part in raw).split("\n"))


def names(raws: Sequence[Raw]) -> Iterator[str]:
    """The variables that stand in words, as far as it is seen without expanding them."""
    for raw in raws:
        for part in raw:
            if part.kind == "variable":
                yield from re.findall(r"[A-Za-z_]\w*", part.text)
            yield from names([part.parts]) if part.parts else ()


_Piece = tuple[str, bool]  # text, and whether its wildcards count


def _pieces(raw: Raw, state: State, filling: Filling) -> Iterator[list[_Piece]]:
    """The pieces of each field."""
    current: list[_Piece] = []
    for part in _tilded(raw, state):
        if part.kind == "text":
            current.append((part.text, not part.quoted))
            continue
        values = _values(part, state, filling)
        parted: Iterable[str | None] = _split(values, state)
        if part.quoted:
            parted = _between(values) if _is_list(part) else (" ".join(values),)
        for value in parted:
            if value is not None:
                current.append((value, not part.quoted))
            elif current:
                yield current
                current = []
    if current:
        yield current


def _between(values: Values) -> Iterator[str | None]:
    for place, value in enumerate(values):
        yield from (None, value) if place else (value,)


def _split(values: Values, state: State) -> Iterator[str | None]:
    """The fields of unquoted text, and None where one ends."""
    signs = (state.get("IFS") or (" \t\n",))[0]
    for place, value in enumerate(values):
        if place:
            yield None
        parts = re.split(f"[{re.escape(signs)}]+", value) if signs else [value]
        for at, part in enumerate(parts):
            if at:
                yield None
            if part:
                yield part


def _matched(pieces: list[_Piece], state: State, filling: Filling) -> list[Word]:
    text = "".join(piece for piece, _ in pieces)
    if not any(active and _WILD.search(piece) for piece, active in pieces) and not _WILD.search(_active(pieces)):
        return [Word(text, quoted=not any(active for _, active in pieces))]
    pattern = "".join(
        _EXTENDED.sub("*", piece) if active else _SPECIAL.sub(r"[\g<0>]", piece) for piece, active in pieces
    )
    folder = state.folder
    if state.made or HOLES.search(pattern) or (HOLES.search(folder) and not pattern.startswith("/")):
        return [Word(pattern, wild=True)]
    matches = filling.expand(pattern, folder)
    if matches is None or len(matches) > MOST_MATCHES:
        return [Word(pattern, wild=True)]
    return [Word(match, quoted=True) for match in matches] or [Word(text)]


def _active(pieces: list[_Piece]) -> str:
    return "".join(piece for piece, active in pieces if active)


def _tilded(raw: Raw, state: State) -> Raw:
    """With the tilde in front replaced."""
    if not raw or raw[0].kind != "text" or raw[0].quoted or not raw[0].text.startswith("~"):
        return raw
    prefix, slash, rest = raw[0].text.partition("/")
    if not slash and len(raw) > 1:
        return raw
    home = {"~": "HOME", "~+": "PWD", "~-": "OLDPWD"}.get(prefix)
    folder = (state.get(home) or (f"/{prefix}",))[0] if home else f"/{prefix}"
    return (Part("text", folder, quoted=True), Part("text", slash + rest), *raw[1:])


def _is_list(part: Part) -> bool:
    found = _VARIABLE.fullmatch(part.text) if part.kind == "variable" else None
    return found is not None and (found[2] == "@" or found[3] == "[@]") and found[1] != "#"


def _values(part: Part, state: State, filling: Filling) -> Values:
    """What a part becomes, before it is split."""
    if part.kind == "text":
        return (part.text,)
    if part.kind == "number":
        for one in part.parts:
            if one.kind != "text":
                _values(one, state, filling)
        return (NUMBER,)
    if part.inner is not None:
        lines = filling.run(part.inner, state.copy())
        if part.kind == "process":
            path = f"/dev/fd/{63 + len(state.written)}"
            state.written[path] = lines
            return (path,)
        return ("\n".join(lines).rstrip("\n").replace("\0", ""),)
    return _variable(part.text, state, filling)


def _variable(written: str, state: State, filling: Filling) -> Values:
    found = _VARIABLE.fullmatch(written)
    if found is None:
        return (ANY,)
    sign, name, index, rest = found.groups()
    if (sign, name) == ("!", "#"):
        return state.arguments[-1:]
    if sign == "#" or name in _NUMBERS:
        return (NUMBER,)
    if sign == "!":
        values = state.get(name)
        return (ANY,) if values is None or index or rest or len(values) != 1 else state.get(values[0]) or ("",)
    values = _elements(name, index, state)
    return _operated(rest, name, values, state, filling) if rest else values or ()


def _elements(name: str, index: str | None, state: State) -> Values | None:
    """The elements that are meant; None when the variable is not set."""
    if name in ("@", "*"):
        return state.arguments
    if name.isdigit() and name != "0":
        return state.arguments[int(name) - 1 : int(name)] or None
    values = state.get(name)
    if values is None:
        return (ANY,) if name in _UNKNOWN else None
    if index in ("[@]", "[*]"):
        return values
    if index is None:
        return values[:1]
    number = index[1:-1]
    if number.isdigit():
        return values[int(number) : int(number) + 1]
    return values if len(values) < 2 else (ANY,)


def _operated(rest: str, name: str, values: Values | None, state: State, filling: Filling) -> Values:
    """``${name OPERATOR word}``."""
    operator = next(
        (sign for sign in (":-", ":=", ":+", ":?", "##", "%%", "//", "^^", ",,") if rest.startswith(sign)), ""
    )
    operator = operator or rest[0]
    operand = rest[len(operator) :]
    empty = not values or (operator.startswith(":") and values == ("",))
    if operator in (":-", "-", ":=", "="):
        if not empty:
            return values or ()
        text = text_of(read_word(operand), state, filling)
        if "=" in operator:
            state.set(name, (text,))
        return (text,)
    if operator in (":+", "+"):
        return () if empty else (text_of(read_word(operand), state, filling),)
    if operator in (":?", "?"):
        return (NOWHERE,) if empty else values or ()  # the shell ends here
    if operator == "@":
        return values or ()
    if operator == ":" and values is not None and (len(values) > 1 or name in ("@", "*")):
        return _slice(values, operand, counted_from=1 if name in ("@", "*") else 0)
    return tuple(_changed(value, operator, operand, state, filling) for value in values or ())


def _slice(values: Values, operand: str, *, counted_from: int) -> Values:
    """``${name[@]:offset:length}``; all of them when that is not known."""
    start, _, length = operand.strip().partition(":")
    if re.fullmatch(r"-?\d+", start.strip()) is None:
        return values
    place = int(start)
    place = max(0, place - counted_from) if place >= 0 else place
    return values[place:][: int(length) if length.isdigit() else None]


def _changed(value: str, operator: str, operand: str, state: State, filling: Filling) -> str:
    if operator in ("#", "##", "%", "%%"):
        if ANY in value or FILE in value:
            return _cut_unknown(value, operator, operand)
        return _cut(value, operator, text_of(read_word(operand), state, filling))
    if operator in ("^", "^^", ",", ",,"):
        change = str.upper if "^" in operator else str.lower
        return change(value) if len(operator) == 2 else change(value[:1]) + value[1:]
    if operator == ":":
        start, _, length = operand.strip().partition(":")
        if HOLES.search(value) or not start.strip("- ").isdigit() or (length and not length.isdigit()):
            return ANY
        cut = value[int(start) :]
        return cut[: int(length)] if length else cut
    if operator in ("/", "//"):
        return ANY if HOLES.search(value) else _replaced(value, operator, operand, state, filling)
    return ANY


def _replaced(value: str, operator: str, operand: str, state: State, filling: Filling) -> str:
    """``${name/sought/put}``; ``#`` and ``%`` in front bind it to the begin and the end."""
    parts = re.match(r"([#%]?)((?:[^/\\]|\\.)*)/?(.*)", operand, re.DOTALL)
    bound, sought, put = parts.groups() if parts else ("", operand, "")
    pattern = _as_expression(text_of(read_word(sought), state, filling), greedy=True)
    pattern = f"^{pattern}" if bound == "#" else f"{pattern}$" if bound == "%" else pattern
    text = text_of(read_word(put), state, filling)
    return re.sub(pattern, lambda _: text, value, count=0 if operator == "//" else 1) if pattern else value


def _cut(value: str, operator: str, pattern: str) -> str:
    """Without the shortest or longest piece at the begin or the end that the pattern matches."""
    expression = re.compile(_as_expression(pattern, greedy=True), re.DOTALL)
    places = range(len(value) + 1)
    if operator[0] == "#":
        for end in places if operator == "#" else reversed(places):
            if expression.fullmatch(value, 0, end):
                return value[end:]
    else:
        for begin in reversed(places) if operator == "%" else places:
            if expression.fullmatch(value, begin):
                return value[:begin]
    return value


def _cut_unknown(value: str, operator: str, pattern: str) -> str:
    """An ending that is known goes, and of an unknown file a name stays."""
    if operator[0] == "%" and not _SPECIAL.search(pattern) and value.endswith(pattern):
        return value.removesuffix(pattern)
    return NAME if (operator, pattern) == ("##", "*/") else ANY


def _as_expression(pattern: str, *, greedy: bool) -> str:
    """A shell's pattern as a regular expression in which ``*`` crosses slashes."""
    found, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        end = pattern.find("]", at + 2) if char == "[" else -1
        if char == "*":
            found.append(".*" if greedy else ".*?")
        elif char == "?":
            found.append(".")
        elif end > 0:
            inner = pattern[at + 1 : end].replace("\\", "\\\\")
            found.append(f"[^{inner[1:]}]" if inner[0] in "!^" else f"[{inner}]")
            at = end
        elif char in (ANY, NAME, COMMIT, FILE):
            found.append(".*")
        else:
            found.append(re.escape(char))
        at += 1
    return "".join(found)
