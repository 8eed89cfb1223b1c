"""What programs write, remove and move, by their words. Pure.

A program that writes by itself says nothing here: what it did is found afterwards by looking (``edits.breaches``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

from comity.shell import archives
from comity.shell.call import Call, Shell, change, gone, targets, written
from comity.shell.changes import Change
from comity.shell.options import options
from comity.shell.patches import of_codex, of_diff
from comity.shell.state import ANY, HOLES, State, Word, joined

Rule = Callable[[Call, State, Shell], Iterator[Change]]


def changes(call: Call, state: State, shell: Shell) -> Iterator[Change] | None:
    """What the program changes; None when it is none that is known to change files."""
    rule = RULES.get(call.name)
    return None if rule is None else rule(call, state, shell)


def _operands(valued: str = "", *, skip: int = 0, keeps: bool = False, destructive: bool = False) -> Rule:
    def rule(call: Call, _: State, __: Shell) -> Iterator[Change]:
        return written(options(call.words[1:], valued).operands[skip:], call, keeps=keeps, destructive=destructive)

    return rule


def _rm(call: Call, _: State, __: Shell) -> Iterator[Change]:
    given = options(call.words[1:])
    if given.has("-n", "--dry-run", "--help"):
        return iter(())
    trees = call.name != "rm" or given.has("-r", "-R", "--recursive", "--dir")
    return gone(given.operands, call, below=trees)


def _into(call: Call, state: State, shell: Shell) -> Iterator[Change]:
    """cp, mv, ln, install: the last operand, or what ``-t`` names, gets the others; ``mv`` takes them away, too."""
    given = options(
        call.words[1:],
        "tS" if call.name != "install" else "tSmog",
        ("--target-directory", "--suffix", "--mode", "--owner", "--group"),
    )
    operands = list(given.operands)
    target = given.value("-t", "--target-directory")
    if call.name == "install" and given.has("-d", "--directory"):
        return
    if target is None and len(operands) > 1:
        target = operands.pop()
    if call.name == "mv":
        yield from gone(operands, call, "move")
        state.made = True
    keeping = call.name in ("cp", "mv") and given.has("-n", "--no-clobber")
    linking = call.name == "ln" and not given.has("-f", "--force")
    if target is None or keeping or linking:
        return
    for source in operands:
        itself = given.has("-T", "--no-target-directory")
        itself = itself or (call.name == "ln" and given.has("-n", "-h", "--no-dereference"))
        places = [target] if itself else [*_placed(source, target, call, shell)]
        yield from _overwritten(places, call)


def _overwritten(places: list[Word], call: Call) -> Iterator[Change]:
    found = targets(places, call.folder)
    if found:
        yield change(call.name, "write", found)


def _placed(source: Word, target: Word, call: Call, shell: Shell) -> Iterator[Word]:
    """Where a source comes to lie: in the target, when that is a folder, under its own name."""
    path = joined(call.folder, target.text)
    folder = target.text.endswith("/") or HOLES.search(path) is not None or os.path.isdir(path)
    name = source.text.rstrip("/").rpartition("/")[2]
    if not folder or target.wild or HOLES.search(path) is not None:
        yield target._replace(text=target.text.rstrip("/") or "/")
    if not folder or target.wild or target.blank:
        return
    base = target.text.rstrip("/")
    if name in (".", "..", "") or source.wild:
        below = [] if source.wild else _inside(joined(call.folder, source.text), shell)
        yield from (Word(f"{base}/{one}", quoted=True) for one in below)
        if not below:
            yield target if not source.wild else Word(f"{base}/{name}", wild=True)
        return
    yield target._replace(text=f"{base}/{name}")


def _inside(folder: str, shell: Shell) -> list[str]:
    """The names in a folder; none where nobody looks."""
    return [name for pattern in ("*", ".*") for name in shell.expand(pattern, folder) or ()]


def _in_place(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """For sed, perl and ruby with -i: every operand after the script."""
    perl = call.name in ("perl", "ruby")
    changing, script, operands = False, False, []
    words = list(call.words[1:])
    place = 0
    while place < len(words):
        text = words[place].text
        place += 1
        if text == "--":
            operands += words[place:]
            break
        if text.startswith("--"):
            changing = changing or text.startswith("--in-place")
            script = script or text.startswith(("--expression", "--file"))
            place += 1 if text in ("--expression", "--file", "--line-length") else 0
        elif text.startswith("-") and len(text) > 1:
            empty = place < len(words) and words[place] == Word("", quoted=True)
            changes_now, is_script, takes = _letters(text[1:], perl=perl, empty=empty)
            changing, script, place = changing or changes_now, script or is_script, place + takes
        else:
            operands.append(words[place - 1])
    if changing:
        yield from written(operands if script else operands[1:], call, keeps=True, destructive=True)
    if not perl:
        for word in words[:100]:  # its commands "w file" and "s/x/y/w file"
            for name in re.findall(r"(?:^|[;{\n/|#,\d$]|\be )[gpiIeM]*\s*w[ \t]+([^\n;}]+)", word.text):
                yield from written([Word(name.strip(), quoted=True)], call)


def _letters(letters: str, *, perl: bool, empty: bool) -> tuple[bool, bool, int]:
    """Of a group of options: whether it changes files, whether it holds the script, how many words belong to it."""
    changing = False
    for at, letter in enumerate(letters):
        last = at == len(letters) - 1
        if letter == "i":
            return True, False, 1 if last and empty and not perl else 0  # BSD's empty suffix
        if letter in ("eEf" if perl else "ef"):
            return changing, True, 1 if last else 0
        if letter in ("IMm" if perl else "l"):
            break
    return changing, False, 0


def _dd(call: Call, _: State, __: Shell) -> Iterator[Change]:
    for word in call.words[1:]:
        if word.text.startswith("of="):
            yield from written([word._replace(text=word.text[3:])], call)


def _tee(call: Call, _: State, __: Shell) -> Iterator[Change]:
    given = options(call.words[1:])
    yield from written(given.operands, call, keeps=given.has("-a", "--append"))


def _named(*names: str, valued: str, removes: bool = False) -> Rule:
    """The value of an option."""

    def rule(call: Call, _: State, __: Shell) -> Iterator[Change]:
        given = options(call.words[1:], valued, names)
        for value in given.values(*names):
            if value.text != "-":
                yield from written([value], call)
        if removes and given.has("-O", "--remote-name", "--remote-name-all"):
            yield from written([Word(word.text.rpartition("/")[2]) for word in given.operands], call)

    return rule


def _formatter(*flags: str, first: str = "", valued: str = "", unless: tuple[str, ...] = ()) -> Rule:
    """A formatter, linter or the like that changes the files it is given; nothing is known of what folders hold."""

    def rule(call: Call, _: State, __: Shell) -> Iterator[Change]:
        words = list(call.words[1:])
        if first:
            if not words or words[0].text != first:
                return
            del words[0]
        given = options(words, valued, ("--config", "--line-length", "--target-version", "--edition"))
        if given.has(*unless) or (flags and not given.has(*flags)):
            return
        yield from written(given.operands, call, keeps=True)

    return rule


def _ruff(call: Call, state: State, shell: Shell) -> Iterator[Change]:
    yield from _formatter(first="format", unless=("--check", "--diff"))(call, state, shell)
    yield from _formatter("--fix", first="check")(call, state, shell)


def _patch(call: Call, state: State, shell: Shell) -> Iterator[Change]:
    given = options(call.words[1:], "pioDFdBVYzgr", ("--strip", "--input", "--output", "--directory"))
    if given.has("--dry-run"):
        return
    folder = given.value("-d", "--directory")
    call = call._replace(folder=joined(call.folder, folder.text)) if folder is not None else call
    output, source, strip = given.value("-o", "--output"), given.value("-i", "--input"), given.value("-p", "--strip")
    source = source or (given.operands[1] if len(given.operands) > 1 else None)
    if output is not None or given.operands:
        yield from written([output] if output is not None else given.operands[:1], call, keeps=True, destructive=True)
        return
    text = shell.text(joined(call.folder, source.text), state) if source is not None else text_given(call, state, shell)
    level = int(strip.text) if strip is not None and strip.text.isdigit() else None
    yield from patched(text, level, call)


def text_given(call: Call, state: State, shell: Shell) -> str | None:
    """The text of the standard input, None where a line of it is not known at all."""
    lines = shell.lines(call.given, state)
    text = "\n".join(lines)
    return None if HOLES.search(text) is not None and any(Word(line).blank for line in lines) else text


def patched(text: str | None, strip: int | None, call: Call) -> Iterator[Change]:
    """What a diff changes; everything below the folder, when it is not known."""
    words = [Word(path, quoted=True) for path in of_diff(text, strip)] if text is not None else [Word(ANY)]
    yield from written(words, call, keeps=True, destructive=True)


def _apply_patch(call: Call, state: State, shell: Shell) -> Iterator[Change]:
    given = [word.text for word in call.words[1:] if not word.text.startswith("--")]
    text = given[0] if given else text_given(call, state, shell)
    found = of_codex(text, lambda name: shell.text(joined(call.folder, name), state)) if text is not None else []
    if text is None or (not found and HOLES.search(text) is not None):
        yield from patched(None, None, call)
    yield from written([Word(path, quoted=True) for path in found], call, keeps=True)


def _rsync(call: Call, _: State, shell: Shell) -> Iterator[Change]:
    given = options(
        call.words[1:], "efTBM", ("--exclude", "--include", "--filter", "--rsh", "--exclude-from", "--files-from")
    )
    operands = list(given.operands)
    if given.has("-n", "--dry-run", "--list-only") or len(operands) < 2:
        return
    target, spares = operands.pop(), tuple(word.text for word in given.values("--exclude"))
    if given.has("--remove-source-files"):
        yield from gone(operands, call)
    deletes = any(name.startswith("--del") for name, _ in given.given)
    if re.match(r"[^/]*:", target.text) or (given.has("--ignore-existing", "--existing=none") and not deletes):
        return
    for source in operands:
        everything = source.text.endswith(("/", "/.")) or source.text in (".", "..")
        inside = joined(call.folder, source.text)
        names = _inside(inside, shell) if everything and not deletes and os.path.isdir(inside) else []
        places = [Word(f"{target.text.rstrip('/')}/{name}", quoted=True) for name in names]
        if not everything and HOLES.search(source.text) is None:
            places = [*_placed(source, target, call, shell)]
        found = targets(places or [target], call.folder)
        yield change(call.name, "remove" if deletes else "write", found)._replace(spares=spares)


def _editor(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """ed, ex, and vim where it is told what to do."""
    given = options(call.words[1:], {"ed": "p", "ex": "c"}.get(call.name, "cSuiTsp"), ("--cmd",))
    scripted = call.name in ("ed", "ex") or given.has("-c", "-e", "-E", "-S", "--headless")
    commands = [word for word in given.operands if word.text.startswith("+")]
    if (scripted or commands) and not given.has("-R"):
        yield from written(
            [word for word in given.operands if word not in commands], call, keeps=True, destructive=True
        )


def _renamed(call: Call, _: State, __: Shell) -> Iterator[Change]:
    given = options(call.words[1:], "e")
    if not given.has("-n", "--nono", "--no-act", "--dry-run"):
        yield from gone(given.operands[0 if given.has("-e") else 1 :], call, "move", below=False)


def _split(call: Call, _: State, __: Shell) -> Iterator[Change]:
    given = options(call.words[1:], "abClnft", ("--lines", "--bytes", "--prefix"))
    prefix = given.value("-f", "--prefix") or (given.operands[1] if len(given.operands) > 1 else Word("x"))
    yield from written([Word(f"{prefix.text}*", wild=True)], call)


def _trash(call: Call, _: State, __: Shell) -> Iterator[Change]:
    words = call.words[2:] if call.name == "gio" else call.words[1:]
    if call.name != "gio" or [word.text for word in call.words[1:2]] == ["trash"]:
        yield from gone(options(words).operands, call)


def _after(*names: str) -> Rule:
    """The word after an option that is longer than a letter, though one dash stands before it."""

    def rule(call: Call, _: State, __: Shell) -> Iterator[Change]:
        words = call.words[1:]
        found = [words[at + 1] for at, word in enumerate(words[:-1]) if word.text in names]
        return written([word for word in found if word.text != "-"], call)

    return rule


def _last(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """The last operand, whether it is read as well or not."""
    yield from written(options(call.words[1:], "jOIFGBKNRol").operands[-1:], call)


def _emacs(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """Files that it is given where nobody looks on."""
    if any(word.text in ("-batch", "--batch", "--script", "-script") for word in call.words):
        found = [word for word in call.words[1:] if os.path.isfile(joined(call.folder, word.text))]
        yield from written(found, call, keeps=True)


def _cmake(call: Call, state: State, shell: Shell) -> Iterator[Change]:
    """``cmake -E``: its own file commands, which are called as the shell's are."""
    words = call.words[1:]
    if len(words) < 2 or words[0].text != "-E":
        return
    verb, rest = words[1].text, words[2:]
    if verb in ("remove", "rm", "remove_directory"):
        yield from gone([word for word in rest if not word.text.startswith("-")], call)
    elif verb in ("copy", "copy_if_different", "copy_directory", "rename", "create_symlink", "create_hardlink"):
        name = {"rename": "mv", "copy_directory": "cp"}.get(verb, "cp")
        yield from _into(call._replace(words=(Word(name), *rest)), state, shell)
    elif verb in ("touch", "tar"):
        yield from written([word for word in rest if not word.text.startswith("-")], call, keeps=True)


def _converter(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """The last operand is what is made."""
    yield from written(options(call.words[1:], "").operands[1:][-1:], call)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("tee", "sponge"), _tee),
    **dict.fromkeys(("sed", "gsed", "perl", "ruby"), _in_place),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), lambda _, __, ___: iter(())),  # see snippets
    **dict.fromkeys(("mv", "cp", "ln", "install", "gcp", "gmv"), _into),
    **dict.fromkeys(("rm", "grm", "srm"), _rm),
    **dict.fromkeys(("trash", "trash-put", "rip", "gio", "del"), _trash),
    "unlink": lambda call, _, __: gone(call.words[1:], call, below=False),
    "shred": lambda call, _, __: gone(options(call.words[1:], "nsr").operands, call, below=False),
    "touch": _operands("drt", keeps=True),
    "truncate": _operands("sro", destructive=True),
    **dict.fromkeys(("dos2unix", "unix2dos", "indent", "strip"), _operands(keeps=True, destructive=True)),
    **dict.fromkeys(("sd", "rpl"), _operands("nf", skip=2, keeps=True, destructive=True)),
    "dd": _dd,
    "sort": _named("-o", "--output", valued="okStT"),
    "shuf": _named("-o", "--output", valued="oni"),
    "uniq": lambda call, _, __: written(options(call.words[1:], "fsw").operands[1:2], call),
    "curl": _named("-o", "--output", valued="odHXuAeFbcmTw", removes=True),
    "wget": _named("-O", "--output-document", valued="OoPUtT"),
    **dict.fromkeys(
        ("iconv", "pandoc", "gcc", "cc", "clang", "g++", "ld", "jc", "yj"), _named("-o", "--output", valued="oftflIDLx")
    ),
    "openssl": _after("-out", "-keyout", "-writerand"),
    "xxd": lambda call, _, __: written(options(call.words[1:], "closnR").operands[1:2], call),
    "tree": _named("-o", valued="oILPHT"),
    **dict.fromkeys(("objcopy", "fallocate"), _last),
    **dict.fromkeys(("rimraf", "del-cli", "trash-cli"), _trash),
    **dict.fromkeys(("emacs", "emacsclient"), _emacs),
    "cmake": _cmake,
    **dict.fromkeys(("convert", "ffmpeg", "pdftotext", "base64x"), _converter),
    **dict.fromkeys(("patch", "gpatch"), _patch),
    **dict.fromkeys(("apply_patch", "applypatch"), _apply_patch),
    "rsync": _rsync,
    **dict.fromkeys(("tar", "gtar", "bsdtar"), archives.tar),
    "unzip": archives.unzip,
    "cpio": archives.cpio,
    **dict.fromkeys(("zipfile", "tarfile"), archives.module),
    **dict.fromkeys(("7z", "7za", "7zr"), archives.seven_zip),
    **dict.fromkeys(("gzip", "bzip2", "xz", "zstd", "lz4", "gunzip", "bunzip2", "unxz", "compress"), archives.packed),
    "zip": archives.zipped,
    **dict.fromkeys(("ed", "ex", "vim", "vi", "nvim"), _editor),
    **dict.fromkeys(("rename", "prename", "file-rename"), _renamed),
    **dict.fromkeys(("split", "csplit"), _split),
    "black": _formatter(unless=("--check", "--diff"), valued="lct"),
    "isort": _formatter(unless=("--check", "--check-only", "-c", "--diff")),
    "ruff": _ruff,
    "prettier": _formatter("--write", "-w"),
    "eslint": _formatter("--fix", valued="cf"),
    "gofmt": _formatter("-w", valued="r"),
    **dict.fromkeys(("goimports", "gofumpt", "shfmt"), _formatter("-w")),
    "biome": _formatter("--write", "--fix", "--apply"),
    **dict.fromkeys(("stylelint", "standard", "ktlint", "swiftlint"), _formatter("--fix", "-F")),
    **dict.fromkeys(("stylua", "pyupgrade", "nbstripout", "mdformat"), _formatter(unless=("--check", "--verify"))),
    **dict.fromkeys(("terraform", "tofu", "deno", "dprint"), _formatter(first="fmt", unless=("--check", "-check"))),
    "rubocop": _formatter("-a", "-A", "--autocorrect", "--autocorrect-all"),
    **dict.fromkeys(("autoflake", "docformatter"), _formatter("-i", "--in-place")),
    "jupyter": _formatter("--inplace"),
    "rustfmt": _formatter(unless=("--check",)),
    "clang-format": _formatter("-i"),
    "autopep8": _formatter("-i", "--in-place"),
    "yapf": _formatter("-i", "--in-place"),
    "yq": _formatter("-i", "--inplace", "--in-place"),
    "rmdir": lambda _, __, ___: iter(()),
}
