"""Operations in words of whoever reads: texts of the rooms name them, and nobody is told of a tool that it lacks."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import comity
from comity.dialects import commands
from comity.dialects.macp import tools as macp
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc import tools as masc
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.words import COMMAND_LINE, Words
from comity.doors.cli.catalog import ENTRIES
from comity.hosts.contract import NOTHING
from comity.rooms import OPERATIONS
from tests.words import places
from tests.words.hostile import PLAIN
from tests.words.scene import Scene

SOURCE = Path(comity.__file__).parent
NAMES = {name for names in OPERATIONS.values() for name in names}
LISTED = {
    "macp": {tool["name"] for tool in json.loads(MacpDialect().tools())},
    "masc": {tool["name"] for tool in json.loads(MascDialect().tools())},
}
WORDS = {"macp": macp.words(), "masc": masc.words()}
TOOL = re.compile(r"\b(macp|masc)_[a-z_]+")
OPERATION = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, NAMES))})(?![\w.])")
MARKED = re.compile(r"`([a-z]+\.[a-z_]+)(?: [^`]*)?`")
# What a peer may write to be taken for Comity; none of it may be put into other words.
SAID = "zq7x `message.poll` and `message.send bob`, `claim.list` macp.poll message.ack"
# Texts of rooms in which an operation's name is a value, not advice: (file, text).
VALUES = (("rooms/lifecycle/model.py", "Only these kinds, such as message.send or task.*"),)


def theirs(text: str) -> list[str]:
    """The quotations in which a peer's words are."""
    return [quote for quote in re.findall(r'"[^"\n]*"', text) if "zq7x" in quote]


def wrong(surface: str, told: str) -> Iterator[str]:
    """What an agent with the tools of ``surface`` is told that it cannot do."""
    yield from (found[0] for found in TOOL.finditer(told) if found[0] not in LISTED[surface])
    yield from (found for found in OPERATION.findall(told))


def texts(folder: str) -> Iterator[tuple[str, str]]:
    """Every text that may be shown of the modules below ``folder``: those of strings that document nothing."""
    for path in sorted((SOURCE / folder).rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        bodies = [getattr(node, "body", None) for node in nodes]
        documents = {
            id(body[0].value) for body in bodies if isinstance(body, list) and body and isinstance(body[0], ast.Expr)
        }
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if isinstance(node, ast.JoinedStr):
                shown = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
                yield path.relative_to(SOURCE).as_posix(), shown
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents | parts:
                yield path.relative_to(SOURCE).as_posix(), node.value


# -- the source


def test_rooms_name_operations_and_no_tools() -> None:
    found = [
        f"{path.relative_to(SOURCE).as_posix()}: {name[0]}"
        for folder in ("rooms", "kernel")
        for path in sorted((SOURCE / folder).rglob("*.py"))
        for name in TOOL.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "name the operation between backticks; every door puts its own words in its place"


@pytest.mark.parametrize("folder", ["rooms", "kernel"])
def test_an_operation_in_a_text_is_marked_and_has_a_word_in_every_dialect(folder: str) -> None:
    broken = []
    for where, text in texts(folder):
        if text in NAMES or (where, text) in VALUES or text.startswith("comity."):
            continue
        for name in MARKED.findall(text):
            if name in NAMES:
                lacking = [surface for surface, words in WORDS.items() if name not in words.names]
                broken += [f"{where}: {surface} has no word for {name}" for surface in lacking]
        broken += [f"{where}: {name} is not between backticks" for name in OPERATION.findall(MARKED.sub("", text))]
    assert not broken


def test_the_texts_of_rooms_are_found() -> None:
    named = {name for _, text in texts("rooms") for name in MARKED.findall(text)}
    assert {"message.poll", "message.ack", "message.send", "message.broadcast", "claim.list", "agent.list"} <= named


# -- the tables


@pytest.mark.parametrize("surface", LISTED)
def test_words_are_tools_that_are_listed_and_commands_that_exist(surface: str) -> None:
    words = WORDS[surface]
    for op, told in {**words.names, **words.about}.items():
        assert op in NAMES
        if told.startswith("`"):
            assert told.strip("`").split()[1] in ENTRIES
        else:
            assert told.split()[0] in LISTED[surface]


def test_commands_exist_for_operations_that_exist() -> None:
    assert set(commands.WITH) <= set(commands.COMMANDS) <= NAMES
    assert all(told.strip("`").split()[1] in ENTRIES for told in commands.COMMANDS.values())


def test_a_set_of_tools_that_lacks_one_has_the_command() -> None:
    core = macp.words("core")
    assert core.say("`claim.list`, `message.poll`") == "`comity claims`, macp_poll"
    assert core.say("`message.send ann`") == "macp_send_direct to ann"


# -- the translator


def test_marks_alone_are_put_into_words() -> None:
    assert macp.words().say("Say `message.poll`, not message.poll.") == "Say macp_poll, not message.poll."
    assert macp.words().say("`comity init` made `a.py` and `x.y z`.") == "`comity init` made `a.py` and `x.y z`."
    assert macp.words().say("`message.send ann` wants `message.ack d-1`") == (
        "macp_send_direct to ann wants macp_ack d-1"
    )
    assert (
        masc.words().say("`message.send ann` wants `message.ack d-1`") == "masc_broadcast to @ann wants masc_messages"
    )
    assert COMMAND_LINE.say("`message.send ann`, `task.survey`") == "`comity send --to ann`, `task.survey`"
    assert Words({}, {}).say("`message.poll`") == "`message.poll`"


def test_two_operations_that_are_one_tool_are_named_once() -> None:
    text = "3 not acknowledged: `message.poll`, `message.ack`"
    assert macp.words().say(text) == "3 not acknowledged: macp_poll, macp_ack"
    assert masc.words().say(text) == "3 not acknowledged: masc_messages"


@pytest.mark.parametrize("words", [macp.words(), masc.words(), COMMAND_LINE])
def test_quoted_words_stay(words: Words) -> None:
    assert words.say(f'ann: "{SAID}"') == f'ann: "{SAID}"'
    assert f'"{SAID}"' in words.say(f'`message.ack "{SAID}"` `message.poll` "{SAID}"')
    assert words.say("say" * 99 + "`a.b " * 9999) == "say" * 99 + "`a.b " * 9999


# -- every place where a text reaches a model


@pytest.mark.parametrize("surface", LISTED)
def test_hooks_name_tools_that_the_agent_has(surface: str) -> None:
    with Scene() as scene:
        scene.write(PLAIN)
        told = {place: WORDS[surface].say(view(scene)) for place, view in places.HOOKS.items()}
    assert not [(place, found) for place, text in told.items() for found in wrong(surface, text)]
    assert TOOL.search(told["refusal of an edit: a path"])
    assert TOOL.search(told["brief and messages at the start of a context"])


@pytest.mark.parametrize("surface", LISTED)
def test_tools_name_their_own_kind(surface: str) -> None:
    other = "masc" if surface == "macp" else "macp"
    with Scene() as scene:
        scene.write(PLAIN)
        told = {name: view(scene) for name, view in places.TOOLS.items() if name.startswith(surface)}
        if surface == "masc":
            told |= {name: view(scene) for name, view in places.RESOURCES.items()}
    found = [(name, f"{other}_") for name, text in told.items() if f"{other}_" in text]
    found += [(name, mark) for name, text in told.items() for mark in MARKED.findall(text) if mark in NAMES]
    assert not found


@pytest.mark.parametrize("surface", LISTED)
def test_what_peers_write_is_never_put_into_other_words(surface: str) -> None:
    with Scene() as scene:
        scene.write(SAID)
        for place, view in places.HOOKS.items():
            raw = view(scene)
            told = WORDS[surface].say(raw)
            assert theirs(told) == theirs(raw), place
            assert told.count("`message.poll`") == raw.count("zq7x `message.poll`"), place
        for name, view in places.TOOLS.items():
            if name.startswith(surface):
                assert not TOOL.search(" ".join(re.findall(r"zq7x [^\"]*", view(scene)))), name


def test_a_reply_that_is_none_stays_none() -> None:
    assert tuple(map(macp.words().say, NOTHING)) == NOTHING
