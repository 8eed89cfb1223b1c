"""Shell command lines: what is run in the end, and the options and operands of a program. Pure.

``sudo env A=1 rm x`` runs ``rm``, and so does ``sh -c 'rm x'``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.shell.reader import Command, Word, joined, read

_DEEPEST = 4


class Options(NamedTuple):
    """The words after a program's name: options with their values, and operands."""

    given: tuple[tuple[str, Word | None], ...]
    operands: tuple[Word, ...]

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(name in names for name, _ in self.given)

    def value(self, *names: str) -> Word | None:
        """The value of the last of these options."""
        return next((value for name, value in reversed(self.given) if name in names and value is not None), None)


def commands(line: str, folder: str | None = "", depth: int = 0) -> Iterator[Command]:
    """The simple commands of a line, those that it hands to other programs to run in their place."""
    for command in read(line, folder):
        plain = _unwrapped(command)
        script = _script(plain)
        yield plain
        if script is not None and depth < _DEEPEST:
            for inner in commands(script, plain.folder, depth + 1):
                yield inner._replace(assigned=plain.assigned + inner.assigned)


def options(words: Sequence[Word], valued: str = "", long_valued: Sequence[str] = ()) -> Options:
    """Read as getopt would: ``valued`` are the letters, ``long_valued`` the names, of options that take a value."""
    given: list[tuple[str, Word | None]] = []
    operands: list[Word] = []
    place = 0
    while place < len(words):
        word, text = words[place], words[place].text
        place += 1
        if text == "--":
            operands += words[place:]
            break
        if text.startswith("--"):
            name, equals, value = text.partition("=")
            following: Word | None = word._replace(text=value) if equals else None
            if not equals and name in long_valued and place < len(words):
                following, place = words[place], place + 1
            given.append((name, following))
        elif text.startswith("-") and len(text) > 1:
            place = _letters(words, place, valued, given)
        else:
            operands.append(word)
    return Options(tuple(given), tuple(operands))


def _letters(words: Sequence[Word], place: int, valued: str, given: list[tuple[str, Word | None]]) -> int:
    """``-abc value``; where to go on."""
    word = words[place - 1]
    for at, letter in enumerate(word.text[1:], 1):
        if letter not in valued:
            given.append((f"-{letter}", None))
            continue
        value: Word | None = word._replace(text=word.text[at + 1 :])
        if not word.text[at + 1 :]:
            value, place = (words[place], place + 1) if place < len(words) else (None, place)
        given.append((f"-{letter}", value))
        break
    return place


# Programs that run another one: letters of their options that take a value, and how many operands come first.
_WRAPPERS = {
    "sudo": ("ugpCDhRrtTU", 0),
    "doas": ("uC", 0),
    "env": ("uCS", 0),
    "nohup": ("", 0),
    "nice": ("n", 0),
    "ionice": ("cnp", 0),
    "command": ("", 0),
    "builtin": ("", 0),
    "exec": ("a", 0),
    "time": ("fo", 0),
    "timeout": ("ks", 1),
    "setsid": ("", 0),
    "stdbuf": ("ioe", 0),
    "busybox": ("", 0),
    "chronic": ("", 0),
}


# Programs that run a tool of their package: the word that says so, and flags that may stand after it.
_RUNNERS = {
    **dict.fromkeys(("uv", "poetry", "pipenv", "pdm", "hatch"), "run"),
    **dict.fromkeys(("npm", "pnpm", "yarn", "bundle"), "exec"),
    **dict.fromkeys(("npx", "bunx", "uvx"), ""),
    **dict.fromkeys(("python", "python3"), "-m"),
}
_FLAGS = frozenset(("-y", "--yes", "-q", "--quiet", "--no-install", "--no-sync", "--frozen", "--"))


def _of_runner(command: Command) -> Command:
    """``uv run black x`` runs black. With options that are not known here nothing is said."""
    verb = _RUNNERS.get(command.name)
    if verb is None or (verb and [word.text for word in command.words[1:2]] != [verb]):
        return command
    rest = command.words[2 if verb else 1 :]
    while rest and rest[0].text in _FLAGS:
        rest = rest[1:]
    return command._replace(words=rest) if rest and not rest[0].text.startswith("-") else command


def _unwrapped(command: Command) -> Command:
    """What is run in the end: ``sudo env A=1 rm x`` removes x."""
    for _ in range(6):
        command = _of_runner(command)
        if command.name not in _WRAPPERS:
            break
        valued, first = _WRAPPERS[command.name]
        if command.name == "command" and any(word.text in ("-v", "-V") for word in command.words[1:2]):
            break
        rest = list(command.words[1:])
        place = 0
        while place < len(rest) and rest[place].text.startswith("-") and len(rest[place].text) > 1:
            last = rest[place].text[-1]
            place += 2 if last in valued and not rest[place].text.startswith("--") else 1
        place += first
        assigned = list(command.assigned)
        while command.name in ("env", "sudo") and place < len(rest) and "=" in rest[place].text:
            name, _, value = rest[place].text.partition("=")
            assigned.append((name, value))
            place += 1
        command = command._replace(words=tuple(rest[place:]), assigned=tuple(assigned))
    return command


def _script(command: Command) -> str | None:
    """The line that ``sh -c`` or ``eval`` is given."""
    if command.name in ("sh", "bash", "dash", "zsh", "ksh", "ash"):
        given = options(command.words[1:], "coO", ("--rcfile", "--init-file"))
        script = given.value("-c")
        if given.has("-c") and script is not None and script.text.startswith("-") and given.operands:
            script = given.operands[0]
        if script is None and len(command.words) > 2:  # -lc: the letter c ends a group
            flags = command.words[1].text
            script = command.words[2] if flags.startswith("-") and "c" in flags[1:] else None
        if script is not None:
            return script.text if script.sure else None
        return command.stdin if command.stdin and not given.operands else None
    if command.name == "eval" and all(word.sure for word in command.words):
        return " ".join(word.text for word in command.words[1:])
    return None


def git_words(command: Command) -> tuple[str, list[Word], str] | None:
    """The verb of a git command, what follows it, and the folder of ``-C``; None when it is none that can be read."""
    if command.name != "git":
        return None
    words, folder = list(command.words[1:]), ""
    while words and words[0].text.startswith("-"):
        flag = words.pop(0)
        if flag.text in ("-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path") and words:
            value = words.pop(0)
            if flag.text == "-C":
                folder = joined(folder, value.text) or ""
            if flag.text in ("--git-dir", "--work-tree") or not value.sure:
                return None
        elif flag.text.startswith(("--git-dir=", "--work-tree=")):
            return None
    if not words or not words[0].sure:
        return None
    return words[0].text, words[1:], folder
