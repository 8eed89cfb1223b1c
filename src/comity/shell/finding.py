"""``find``: which files it may come upon, and what it does with them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.shell.call import Call, Shell, change, targets
from comity.shell.state import FILE, NAME, Lines, State, Word

_PROGRAMS = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_WRITTEN = frozenset(("-fprint", "-fprint0", "-fls", "-fprintf"))
_ALONE = frozenset(
    (
        *("!", "-not", "(", ")", ",", "-o", "-or", "-a", "-and", "-prune", "-print", "-print0", "-delete", "-depth"),
        *("-empty", "-mount", "-xdev", "-quit", "-ls", "-true", "-false", "-daystart", "-nouser", "-readable"),
    )
)


class Branch(NamedTuple):
    """Tests that stand between two ``-o``, and what is done where they hold. ``idle``: only what is empty goes when it
    is removed.
    """

    names: tuple[str, ...]
    shapes: tuple[str, ...]
    idle: bool
    shallow: bool
    actions: tuple[tuple[str, tuple[Word, ...]], ...]
    pruned: bool


def find(call: Call, state: State, shell: Shell) -> Lines:
    """Note what it removes, run what it runs; what it prints."""
    words = list(call.words[1:])
    while words and words[0].text in ("-H", "-L", "-P"):
        words.pop(0)
    end = next((at for at, word in enumerate(words) if word.text[:1] in ("-", "!", "(") and not word.wild), len(words))
    starts = [_as_text(word) for word in words[:end]] or ["."]
    branches = _branches(words[end:])
    acting = any(branch.actions for branch in branches)
    printed: list[str] = []
    for branch in branches:
        if branch.pruned and not branch.actions:
            continue
        found = [item for start in starts for item in _found(start, branch)]
        for action, arguments in branch.actions:
            if action == "-delete":
                if not branch.idle:  # folders that are not empty stay
                    _removed(call, found, state, shell)
            elif action in _WRITTEN:
                shell.note(call, change("find", "write", targets(arguments[:1], call.folder)), state)
            elif action in _PROGRAMS:
                printed += _run(call, arguments, found, state, shell)
        if not acting or any(action in ("-print", "-print0") for action, _ in branch.actions):
            nul = any(action == "-print0" for action, _ in branch.actions)
            printed += ["".join(f"{item}\0" for item in found)] if nul else found
    return tuple(printed)


def _as_text(word: Word) -> str:
    """A pattern that could not be expanded, as a text with holes."""
    return re.sub(r"\*+|\?|\[[^\]]*\]", NAME, word.text) if word.wild else word.text


def _branches(words: Sequence[Word]) -> list[Branch]:
    """In parentheses tests are gathered, whatever stands between them."""
    tests: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += {"(": 1, ")": -1}.get(word.text, 0)
        if word.text in ("-o", "-or") and not depth:
            tests.append([])
        else:
            tests[-1].append(word)
    return [_branch(part) for part in tests]


def _branch(words: Sequence[Word]) -> Branch:
    names: list[str] = []
    shapes: list[str] = []
    actions: list[tuple[str, tuple[Word, ...]]] = []
    given: dict[str, str] = {}
    negated, at = False, 0
    while at < len(words):
        text = words[at].text
        at += 1
        if text in _PROGRAMS:
            end = next((place for place in range(at, len(words)) if words[place].text in (";", "+")), len(words))
            actions.append((text, tuple(words[at:end])))
            at = end + 1
        elif text in _WRITTEN:
            actions.append((text, tuple(words[at : at + 1])))
            at += 2 if text == "-fprintf" else 1
        elif text in _ALONE:
            actions += [(text, ())] if text in ("-delete", "-print", "-print0") else []
            given[text] = ""
        elif at < len(words):
            value, at = words[at].text, at + 1
            if not negated:
                given[text] = value
                names += _names(text, value)
                shapes += _shapes(text, value)
        negated = text in ("!", "-not") or (negated and text == "(")
    wide = "" in shapes
    return Branch(
        names=() if wide else tuple(names),
        shapes=() if wide else tuple(shapes),
        idle=given.get("-type") == "d" or "-empty" in given or given.get("-size") in ("0", "0c"),
        shallow=given.get("-maxdepth") in ("0", "1"),
        actions=tuple(actions),
        pruned="-prune" in given,
    )


def _names(test: str, value: str) -> list[str]:
    """What ``-name`` and ``-iname`` mean, the latter as people write names."""
    if test == "-iname":
        return list(dict.fromkeys((value, value.lower(), value.upper(), value.capitalize())))
    return [value] if test in ("-name", "-lname") else []


def _shapes(test: str, value: str) -> list[str]:
    """Whole paths with holes for ``-path`` and plain ``-regex``; an empty one stands for any."""
    if test in ("-path", "-wholename"):
        return [re.sub(r"[*?]+|\[[^\]]*\]", FILE, value)]
    if test in ("-regex", "-iregex", "-ipath"):
        if test != "-regex":
            return [""]
        group = re.fullmatch(r"([^()|]*?)\\?\(([^()]*?)\\?\)([^()|]*)", value)
        ways = [group[1] + one + group[3] for one in re.split(r"\\?\|", group[2])] if group else [value]
        plain = [re.sub(r"\\([^\w()|+?])", r"\1", way.replace(".*", FILE)) for way in ways]
        return ["" if re.search(r"[\[\]()|+?^$*\\]", one) else one for one in plain]
    return []


def _found(start: str, branch: Branch) -> Iterator[str]:
    """Texts, with holes, of what it may come upon."""
    base = start.rstrip("/") or "/"
    if branch.shapes and not branch.names:
        yield from branch.shapes
    elif not branch.names:
        yield f"{base}/{FILE}"
        if not branch.shallow:
            yield base
    for name in branch.names:
        text = re.sub(r"[*?]+|\[[^\]]*\]", NAME, name)
        if branch.shapes:  # both hold
            yield from (shape + text if shape.endswith(FILE) else shape for shape in branch.shapes)
            continue
        yield f"{base}/{text}" if branch.shallow else f"{base}/{FILE}/{text}"


def _removed(call: Call, found: list[str], state: State, shell: Shell) -> None:
    words = [Word(item, quoted=True) for item in found]
    shell.note(call, change("find -delete", "remove", targets(words, call.folder, destructive=True)), state)


def _run(call: Call, arguments: Sequence[Word], found: list[str], state: State, shell: Shell) -> Lines:
    printed: list[str] = []
    plain = Call((), call.folder, call.assigned)
    for item in found:
        words = tuple(word._replace(text=word.text.replace("{}", item), quoted=True) for word in arguments)
        printed += shell.perform(plain._replace(words=words), state.copy())
    return tuple(printed)
