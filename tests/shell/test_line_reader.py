"""Our reader of shell lines beside one of another make, over the whole corpus and each form that a line can take."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter
import tree_sitter_bash

from comity.shell.line_reader import read
from comity.shell.syntax import Chain, Compound, Node, Pipe, Raw, Redirect, Simple
from tests.shell.playground import CORPUS, lines
from tests.shell.wrappings import combined

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
# What the other one takes for names of commands: words of the grammar, behind one that it does not know there.
GRAMMAR = {"time", "coproc", "do", "done", ""}
# Letters that it leaves as they are written, or parts: escapes in a word.
ESCAPED = ("src/\\x61.py", "src/\\141.py", "$'\\x72m'", "\"my\"\\ 'notes'")


def corpus() -> list[str]:
    every = [*lines("destructive.txt"), *lines("harmless.txt"), *combined()]
    commands = (CORPUS / "commands.txt").read_text(encoding="utf-8").splitlines()
    every += [line[2:] for line in commands if line[:2] in ("! ", "+ ") and not line[2:].startswith("edit: ")]
    return [line.replace("⏎", "\n").replace("@S@", "/scratch") for line in every]


def ours(line: str) -> tuple[list[str], list[str]]:
    """The letters of commands' names, and of what is redirected to, as far as they are plain."""
    found: tuple[list[str], list[str]] = ([], [])
    _chain(read(line), found)
    return found


def _chain(chain: Chain, found: tuple[list[str], list[str]]) -> None:
    for item in chain.items:
        _node(item.node, found)


def _node(node: Node, found: tuple[list[str], list[str]]) -> None:
    if isinstance(node, Pipe):
        for part in node.parts:
            _node(part, found)
        return
    for redirect in node.redirects:
        _redirect(redirect, found)
    if isinstance(node, Compound):
        for body in node.bodies:
            _chain(body, found)
    words = node.words or ()
    if isinstance(node, Simple):
        found[0].extend(_plain(words[0]) for _ in words[:1])
        words = (*words, *(value for assign in node.assigned for value in assign.values))
    for word in words:
        _substitutions(word, found)


def _redirect(redirect: Redirect, found: tuple[list[str], list[str]]) -> None:
    found[1].append(_plain(redirect.target))
    _substitutions(redirect.target, found)
    if redirect.document is not None:
        _substitutions(redirect.document.body, found)


def _substitutions(raw: Raw, found: tuple[list[str], list[str]]) -> None:
    for part in raw:
        if part.inner is not None:
            _chain(part.inner, found)
        if part.kind == "variable":  # a shell reads what stands in braces when it comes to it
            for inner in re.findall(r"\$\((.*)\)|`(.*)`", part.text):
                _chain(read("".join(inner)), found)
        _substitutions(part.parts, found)


def _plain(raw: Raw) -> str:
    return "".join(re.findall(r"\w", "".join(part.text for part in raw if part.kind in ("text", "variable"))))


def theirs(line: str) -> tuple[list[str], list[str], bool]:
    tree = PARSER.parse(line.encode())
    names, targets = [], []
    for node in _walked(tree.root_node):
        if node.type == "command_name":
            names.append(_letters(node))
        elif node.type == "file_redirect":
            target = node.child_by_field_name("destination")
            if target is not None:
                targets.append(_letters(target))
    return names, targets, tree.root_node.has_error


def _walked(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walked(child)


def _letters(node: tree_sitter.Node) -> str:
    """Without what is substituted in it."""
    text = (node.text or b"").decode()
    for child in _walked(node):
        if child.type in ("command_substitution", "process_substitution"):
            text = text.replace((child.text or b"").decode(), "")
    return "".join(re.findall(r"\w", text))


def unnamed(line: str) -> list[str]:
    """What the other reader finds and ours does not."""
    names, targets, wrong = theirs(line)
    if wrong:
        return []  # it could not read the line itself
    our_names, our_targets = ours(line)
    missing = []
    for wanted, known in ((names, our_names), (targets, our_targets)):
        left = list(known)
        for one in wanted:
            if one in left:
                left.remove(one)
            elif one not in GRAMMAR:
                missing.append(one)
    return missing


def test_it_names_what_another_reader_finds() -> None:
    every = corpus()
    assert len(every) > 3000
    differing = {
        line: missing for line in every if (missing := unnamed(line)) and not any(sign in line for sign in ESCAPED)
    }
    assert differing == {}


def test_it_reads_what_the_other_one_cannot() -> None:
    assert ours("cat > held <<< x") == (["cat"], ["held", "x"])
    assert ours("cat <<A <<B > held\na\nA\nb\nB\nrm x") == (["cat", "rm"], ["A", "B", "held"])
