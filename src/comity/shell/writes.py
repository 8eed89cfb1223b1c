"""Which files a shell command would write, move or remove, as far as its letters tell. Pure.

In doubt there is no file: what a program writes by itself is found afterwards by looking (``edits.breaches``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.shell.reader import Command, Word, joined
from comity.shell.wrappers import commands, git_words, options

Kind = Literal["any", "file", "into"]


class Write(NamedTuple):
    """A path that is written. ``any``: a folder there means all that is in it; ``file``: a folder there is not meant;
    ``into``: a folder there gets ``name``. ``whole``: whatever was in it is replaced by something else.
    """

    path: str
    kind: Kind = "any"
    name: str = ""
    wild: bool = False
    whole: bool = False


def writes(line: str) -> list[Write]:
    """What ``line`` would write; paths count from where it begins."""
    found: dict[Write, None] = {}
    for command in commands(line):
        for write in of_command(command):
            path = joined(command.folder, write.path)
            if path is not None:
                found[write._replace(path=path)] = None
    return list(found)


def of_command(command: Command) -> Iterator[Write]:
    """What one simple command writes; paths count from its folder."""
    yield from _written(command.outputs, "file", whole=True)
    yield from _written(command.added, "file")
    rule = _RULES.get(command.name)
    if rule is not None:
        yield from rule(command)


def _written(words: Sequence[Word], kind: Kind = "any", name: str = "", *, whole: bool = False) -> Iterator[Write]:
    for word in words:
        if word.sure and word.text and not (word.quoted and set("*?{") & set(word.text)):
            yield Write(word.text, kind, name, word.wild, whole)


def _operands(valued: str = "", kind: Kind = "any", *, skip: int = 0) -> Callable[[Command], Iterator[Write]]:
    def rule(command: Command) -> Iterator[Write]:
        return _written(options(command.words[1:], valued).operands[skip:], kind)

    return rule


def _into(valued: str, *, takes: bool = False) -> Callable[[Command], Iterator[Write]]:
    """cp, mv, ln, install: the last operand, or what ``-t`` names, gets the others; ``takes`` removes them, too."""

    def rule(command: Command) -> Iterator[Write]:
        given = options(command.words[1:], valued, ("--target-directory", "--suffix", "--mode", "--owner", "--group"))
        operands = list(given.operands)
        target = given.value("-t", "--target-directory")
        if given.has("-d", "--directory") and command.name == "install":
            return
        if target is None and len(operands) > 1:
            target = operands.pop()
        if takes:
            yield from _written(operands)
        if target is None:
            return
        for source in operands:
            name = source.text.rstrip("/").rpartition("/")[2] if source.sure and not source.wild else ""
            itself = not name or given.has("-T", "--no-target-directory")
            yield from _written([target], "file" if itself else "into", "" if itself else name, whole=True)

    return rule


def _in_place(command: Command) -> Iterator[Write]:
    """For sed and perl with -i: every operand after the script."""
    perl = command.name != "sed"
    changes, script, operands = False, False, []
    words = list(command.words[1:])
    place = 0
    while place < len(words):
        text = words[place].text
        place += 1
        if text == "--":
            operands += words[place:]
            break
        if text.startswith("--"):
            changes = changes or text.startswith("--in-place")
            script = script or text.startswith(("--expression=", "--file="))
            if text in ("--expression", "--file", "--line-length"):
                script, place = script or text != "--line-length", place + 1
        elif text.startswith("-") and len(text) > 1:
            for at, letter in enumerate(text[1:], 1):
                if letter == "i":
                    changes = True
                    if (
                        not perl
                        and text[at + 1 :] == ""
                        and place < len(words)
                        and words[place] == Word("", quoted=True)
                    ):
                        place += 1  # BSD's empty suffix
                    break
                if letter in ("eEf" if perl else "ef"):
                    script = True
                    place += 0 if text[at + 1 :] else 1
                    break
                if letter in ("IMm" if perl else "l"):
                    break
        else:
            operands.append(words[place - 1])
    if changes:
        yield from _written(operands if script else operands[1:], "file")


def _dd(command: Command) -> Iterator[Write]:
    for word in command.words[1:]:
        if word.text.startswith("of="):
            yield from _written([word._replace(text=word.text[3:])], "file", whole=True)


def _tee(command: Command) -> Iterator[Write]:
    given = options(command.words[1:])
    yield from _written(given.operands, "file", whole=not given.has("-a", "--append"))


def _named(*names: str, valued: str, when: tuple[str, ...] = ()) -> Callable[[Command], Iterator[Write]]:
    """The value of an option."""

    def rule(command: Command) -> Iterator[Write]:
        given = options(command.words[1:], valued, names)
        value = given.value(*names)
        if value is not None and value.text != "-" and (not when or given.has(*when)):
            yield from _written([value], "file")

    return rule


def _formatter(
    *flags: str, first: str = "", valued: str = "", unless: tuple[str, ...] = ()
) -> Callable[..., Iterator[Write]]:
    """A formatter, linter or the like that changes the files it is given; nothing is known of what folders hold."""

    def rule(command: Command) -> Iterator[Write]:
        words = list(command.words[1:])
        if first:
            if not words or words[0].text != first:
                return
            del words[0]
        given = options(words, valued, ("--config", "--line-length", "--target-version", "--edition"))
        if given.has(*unless) or (flags and not given.has(*flags)):
            return
        yield from (write for write in _written(given.operands, "file") if not write.wild)

    return rule


def _ruff(command: Command) -> Iterator[Write]:
    yield from _formatter(first="format", unless=("--check", "--diff"))(command)
    yield from _formatter("--fix", first="check")(command)


def _patch(command: Command) -> Iterator[Write]:
    given = options(command.words[1:], "pioDFdBVYzgr", ("--strip", "--input", "--output", "--directory"))
    if given.has("--dry-run", "-d", "--directory"):
        return
    output = given.value("-o", "--output")
    if output is not None:
        yield from _written([output], "file")
    elif given.operands:
        yield from _written(given.operands[:1], "file")
    else:
        strip = given.value("-p", "--strip")
        yield from _of_diff(command.stdin, int(strip.text) if strip is not None and strip.text.isdigit() else 0)


def _of_diff(diff: str, strip: int) -> Iterator[Write]:
    for line in diff.split("\n"):
        if line.startswith(("+++ ", "--- ")):
            path = line[4:].partition("\t")[0].strip()
            if path != "/dev/null":
                yield Write("/".join(path.split("/")[strip:]), "file")


def _apply_patch(command: Command) -> Iterator[Write]:
    text = command.words[1].text if len(command.words) > 1 and command.words[1].sure else command.stdin
    for path in patched(text):
        yield Write(path, "file")


def patched(text: str) -> list[str]:
    """The files that a patch in Codex's form names."""
    heads = ("*** Update File: ", "*** Add File: ", "*** Delete File: ", "*** Move to: ")
    return [line.partition(": ")[2].strip() for line in text.split("\n") if line.startswith(heads)]


def _git(command: Command) -> Iterator[Write]:
    """What names its files: ``git checkout -- path``, ``git restore``, ``git rm``, ``git mv``."""
    found = git_words(command)
    if found is None:
        return
    verb, rest, folder = found
    texts = [word.text for word in rest]
    operands: Sequence[Word] = ()
    if verb == "checkout" and "--" in texts:
        operands = rest[texts.index("--") + 1 :]
    elif verb == "restore":
        given = options(rest, "sU", ("--source",))
        staged = given.has("--staged", "-S") and not given.has("--worktree", "-W")
        operands = () if staged else given.operands
    elif verb == "rm" and not {"--cached", "-n", "--dry-run"} & set(texts):
        operands = options(rest).operands
    elif verb == "mv" and not {"-n", "--dry-run"} & set(texts):
        for write in _into("", takes=True)(command._replace(words=(Word("mv"), *rest))):
            yield write._replace(path=f"{folder}/{write.path}" if folder else write.path)
        return
    elif verb == "apply" and command.stdin and not {"--check", "--stat", "--cached", "--numstat"} & set(texts):
        yield from _of_diff(command.stdin, 1)
        return
    for write in _written([word for word in operands if word.text not in (".", ":/", "*")]):
        yield write._replace(path=f"{folder}/{write.path}" if folder else write.path)


_RULES: dict[str, Callable[[Command], Iterator[Write]]] = {
    "tee": _tee,
    "sponge": _tee,
    "sed": _in_place,
    "gsed": _in_place,
    "perl": _in_place,
    "ruby": _in_place,
    "mv": _into("tS", takes=True),
    "cp": _into("tS"),
    "ln": _into("tS"),
    "install": _into("tSmog"),
    "rm": _operands(),
    "unlink": _operands(kind="file"),
    "shred": _operands("nsr", kind="file"),
    "touch": _operands("drt", kind="file"),
    "truncate": _operands("sro", kind="file"),
    "dd": _dd,
    "sort": _named("-o", "--output", valued="okStT"),
    "curl": _named("-o", "--output", valued="odHXuAeFbcmTw"),
    "wget": _named("-O", "--output-document", valued="OoPUtT"),
    "patch": _patch,
    "apply_patch": _apply_patch,
    "applypatch": _apply_patch,
    "git": _git,
    "black": _formatter(unless=("--check", "--diff"), valued="lct"),
    "isort": _formatter(unless=("--check", "--check-only", "-c", "--diff")),
    "ruff": _ruff,
    "prettier": _formatter("--write", "-w"),
    "eslint": _formatter("--fix", valued="cf"),
    "gofmt": _formatter("-w", valued="r"),
    "goimports": _formatter("-w"),
    "rustfmt": _formatter(unless=("--check",)),
    "clang-format": _formatter("-i"),
    "autopep8": _formatter("-i", "--in-place"),
    "yapf": _formatter("-i", "--in-place"),
}
_RULES["gsed"] = lambda command: _in_place(command._replace(words=(Word("sed"), *command.words[1:])))
