"""What programs that pack and unpack write and remove, by their words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from comity.shell.call import Call, Shell, change, gone, targets, written
from comity.shell.changes import Change
from comity.shell.options import options
from comity.shell.state import State, Word, joined


def tar(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """``tar``: what is unpacked, and with ``--remove-files`` what is packed."""
    words = list(call.words[1:])
    if words and not words[0].text.startswith("-"):
        words[0] = words[0]._replace(text=f"-{words[0].text}")
    given = options(words, "fCbXTNgHVKIL", ("--file", "--directory", "--exclude", "--transform", "--strip-components"))
    if given.has("-c", "--create") and given.has("--remove-files"):
        yield from gone(given.operands, call)
    keeping = given.has("-k", "--keep-old-files", "--skip-old-files", "-O", "--to-stdout", "-t", "--list")
    if given.has("-x", "--extract", "--get") and not keeping:
        plain = not given.has("--strip-components", "--transform", "--wildcards")
        yield from unpacked(given.value("-C", "--directory"), given.operands if plain else (), call)


def cpio(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """``cpio -i`` and ``-p``, where they overwrite."""
    given = options(call.words[1:], "CEFHIMORW")
    if given.has("-u", "--unconditional") and given.has("-i", "-p", "--extract", "--pass-through"):
        yield from unpacked(
            given.operands[-1] if given.has("-p", "--pass-through") and given.operands else None, (), call
        )


def module(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """Python's ``zipfile`` and ``tarfile`` as programs."""
    given = options(call.words[1:], "")
    if given.has("-e", "--extract"):
        yield from unpacked(given.operands[1] if len(given.operands) > 1 else None, (), call)


def seven_zip(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """``7z x`` and ``7z e``, where they overwrite."""
    texts = [word.text for word in call.words[1:]]
    if texts[:1] in (["x"], ["e"]) and {"-y", "-aoa"} & set(texts):
        folder = next((text[2:] for text in texts if text.startswith("-o") and len(text) > 2), "")
        yield from unpacked(Word(folder) if folder else None, (), call)


def unzip(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """``unzip``: what comes out."""
    given = options(call.words[1:], "dxPI")
    if not given.has("-l", "-n", "-t", "-p", "-v", "-Z"):
        yield from unpacked(given.value("-d"), given.operands[1:], call)


def unpacked(folder: Word | None, members: Sequence[Word], call: Call) -> Iterator[Change]:
    """What comes out of an archive: its members where they are named, otherwise anything below the folder."""
    place = joined(call.folder, folder.text) if folder is not None else call.folder
    found = targets([Word(member.text, wild=member.wild) for member in members], place)
    if not found:
        found = targets([folder or Word(".")], call.folder, destructive=True)
    yield change(call.name, "write", found)


def packed(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """Gzip and its like put another file in the place of the one that they pack."""
    given = options(call.words[1:], "SbT")
    if not given.has("-c", "--stdout", "-k", "--keep", "-l", "--list", "-t", "--test"):
        yield from gone(given.operands, call, below=given.has("-r", "--recursive"))
    if not given.has("-c", "--stdout", "-l", "-t") and (
        given.has("-d", "--decompress") or call.name.startswith(("gun", "un"))
    ):
        outputs = [word._replace(text=re.sub(r"\.\w+$", "", word.text)) for word in given.operands]
        yield from written(outputs, call)


def zipped(call: Call, _: State, __: Shell) -> Iterator[Change]:
    """``zip``: the archive, and with ``-m`` what is packed."""
    given = options(call.words[1:], "xibntP")
    yield from written(given.operands[:1], call, keeps=True)
    if given.has("-m", "--move"):
        yield from gone(given.operands[1:], call)
