"""Simple commands of a line: their words expanded, what they redirect, and the rule of the program that each runs.
Pure.
"""

from __future__ import annotations

import os
from importlib import import_module

from comity.kernel.hints import Any
from comity.shell import builtins, outputs, runners, scripts
from comity.shell.call import Call, Shell, change, targets
from comity.shell.expansion import Filling, body_of, fields, names, text_of
from comity.shell.state import ANY, CONTENT, MOST_WORDS, Lines, State, Word, bounded, joined
from comity.shell.syntax import Chain, Raw, Redirect, Simple

MOST_STEPS = 3000
DEEPEST = 24
_MAKING = frozenset(("mkdir", "cp", "tar", "unzip", "rsync", "install", "curl", "wget"))
# Programs that change no file, whatever they are told.
_READERS = frozenset(
    (
        *("ls", "cat", "head", "tail", "grep", "rg", "egrep", "fgrep", "wc", "echo", "printf", "pwd", "which", "type"),
        *("file", "stat", "du", "df", "date", "whoami", "test", "[", "cut", "tr", "diff", "cmp", "ps"),
        *("sleep", "basename", "dirname", "realpath", "readlink", "printenv", "uname", "id", "jq", "command", "seq"),
        *("nproc", "nl", "column", "less", "more", "ag", "mktemp", "env", "hostname", "comm", "paste", "join"),
        *("md5sum", "sha256sum", "mkdir", "rmdir", "tac", "strings", "od", "kill", "pgrep", "lsof"),
    )
)
# Programs that change nothing but what their rule says.
_SAID = frozenset(
    (
        *("sed", "gsed", "sort", "shuf", "uniq", "tee", "touch", "xxd", "tree", "curl", "dd", "cp", "mv", "rm", "ln"),
        *("tar", "gtar", "bsdtar", "unzip", "gzip", "gunzip", "bzip2", "xz", "zstd", "lz4", "rsync", "truncate"),
        *("awk", "gawk", "mawk", "nawk"),
    )
)
_INTERPRETERS = frozenset(
    (
        *("python", "node", "nodejs", "deno", "bun", "perl", "ruby", "php", "lua", "Rscript"),
        *("awk", "gawk", "mawk", "nawk"),
    )
)


def _rules(name: str) -> Any:
    """The module of that name: a line loads the rules of the programs that are in it."""
    return import_module(f"comity.shell.{name}")


class Runner(Shell):
    """Runs simple commands in its mind; what follows whole lines adds ``chain``."""

    _steps = 0
    _depth = 0

    def chain(self, chain: Chain, state: State, given: Lines | None = None) -> Lines:
        """Commands one after another; what they print together."""
        raise NotImplementedError

    def too_much(self) -> bool:
        """Whether the line has had its share of steps; what follows is then not known."""
        self._steps += 1
        self.unknown = self.unknown or self.exhausted() or self._depth > DEEPEST
        return self.exhausted() or self._depth > DEEPEST

    def exhausted(self) -> bool:
        """Whether no step is left."""
        return self._steps > MOST_STEPS

    def filling(self) -> Filling:
        return Filling(
            lambda chain, state: self.lines(self.chain(chain, state), state) if chain.items else (), self.expand
        )

    def redirected(
        self, redirects: tuple[Redirect, ...], state: State, given: Lines | None
    ) -> tuple[Lines | None, str | None]:
        """Note what redirections write; the standard input, and the file that gets the output, if any."""
        filling, output = self.filling(), None
        for redirect in redirects:
            sign = redirect.sign
            if redirect.document is not None:
                given = body_of(redirect.document.body, state, filling)
            elif sign == "<<<":
                given = tuple(text_of(redirect.target, state, filling).split("\n"))
            elif len(redirect.target) == 1 and redirect.target[0].kind == "process":
                inner = redirect.target[0].inner or Chain(())
                printed = self.chain(inner, state.copy())
                given, output = (printed, output) if sign == "<" else (given, "/dev/null")
            else:
                for word in fields(redirect.target, state, filling)[:1]:
                    if sign == "<":
                        given = (CONTENT + joined(state.folder, word.text),)
                    elif sign != "<&" and self._file(redirect, word, state):
                        output = joined(state.folder, word.text) if redirect.descriptor in ("", "1") else output
        return given, output

    def _file(self, redirect: Redirect, word: Word, state: State) -> bool:
        """Note a file that is opened for writing; whether it gets an output."""
        sign = redirect.sign
        if sign == ">&" and (redirect.descriptor or word.text.isdigit() or word.text == "-"):
            return False
        call = Call((Word(f"{sign} {word.text}"),), state.folder)
        found = targets([word], state.folder)
        if found:
            made = change(sign, "write", found, keeps=sign in (">>", "&>>", "<>"))._replace(below=False)
            self.note(call, made, state)
        return sign != "<>"

    def simple(self, node: Simple, state: State, given: Lines | None) -> Lines:
        forks = [state]
        if any(len(ways) > 1 for ways in state.variables.values()):
            raws = [*node.words, *(redirect.target for redirect in node.redirects)]
            raws += [value for assign in node.assigned for value in assign.values]
            forks = state.forks(dict.fromkeys(["PWD", *names(raws)]))
        if forks[0] is state:
            return self._run(node, state, given)
        printed: list[str] = []
        for fork in forks:
            printed += self._run(node, fork, given)
        state.merge(forks)
        return tuple(dict.fromkeys(printed))

    def _run(self, node: Simple, state: State, given: Lines | None) -> Lines:
        filling = self.filling()
        assigned: list[tuple[str, str]] = []
        for assign in node.assigned:
            values = self._assigned(assign.values, state, filling, array=assign.array)
            before = (state.get(assign.name) or ()) if assign.adds else ()
            if assign.array:
                values = (*before, *values)
            elif before:
                values = (before[0] + "".join(values),)
            if node.words and not assign.array:
                assigned.append((assign.name, "".join(values)))
            else:
                state.set(assign.name, values)
        words = [word for raw in node.words for word in fields(raw, state, filling)]
        if len(words) > MOST_WORDS:
            words, self.unknown = [*words[:MOST_WORDS], Word(ANY)], True
        given, output = self.redirected(node.redirects, state, given)
        if not words:  # "$(< file)" is what is in the file
            return given or () if output is None and not node.assigned else ()
        call = Call(tuple(words), state.folder, tuple(assigned), given)
        printed = self.perform(call, state)
        if output is None:
            return printed
        adding = any(redirect.sign.endswith(">>") for redirect in node.redirects)
        known = printed if not adding else (*(state.written.get(output) or (ANY,)), *printed)
        state.written[output] = known
        return ()

    def _assigned(self, raws: tuple[Raw, ...], state: State, filling: Filling, *, array: bool) -> tuple[str, ...]:
        if array:
            return tuple(outputs.text(word) for raw in raws for word in fields(raw, state, filling))
        return tuple(text_of(raw, state, filling) for raw in raws)

    def perform(self, call: Call, state: State) -> Lines:
        if self.too_much():
            return (ANY,)
        if not call.words:
            return ()
        name = call.name
        if name in state.functions:
            return self._called(call, state)
        if name in state.replaced:
            return self._replaced(call, state)
        if "/" in call.words[0].text and self._is_script(joined(call.folder, call.words[0].text), state):
            return self._written(call, state)
        printed = builtins.builtin(call, state, self)
        if printed is not None:
            return printed
        printed = runners.handed(call, state, self)
        if printed is not None:
            return printed
        inner = runners.unwrapped(call)
        if inner is not None:
            return self.perform(inner, state)
        return self._program(call, state)

    def _called(self, call: Call, state: State) -> Lines:
        """A function of the line."""
        outer = state.arguments
        state.arguments = bounded(tuple(outputs.text(word) for word in call.words[1:]))
        body = state.functions[call.name]
        printed = self.chain(body, state, call.given) if self._depth < DEEPEST else (ANY,)
        state.arguments = outer
        return printed

    def _replaced(self, call: Call, state: State) -> Lines:
        """An alias of the shell's, of the line."""
        outer = state.arguments
        state.arguments = bounded(tuple(outputs.text(word) for word in call.words[1:]))
        written = state.replaced.pop(call.name)
        printed = self.script(f'{written} "$@"', state, call.given)
        state.arguments = outer
        return printed

    def _written(self, call: Call, state: State) -> Lines:
        """A script that the line has written, or that lies there."""
        child = state.copy()
        child.arguments = bounded(tuple(outputs.text(word) for word in call.words[1:]))
        path = joined(call.folder, call.words[0].text)
        text = self.text(path, state) if path in state.written else runners.lying(path, state, self)
        self.unknown = self.unknown or text is None
        return self.script(text or "", child, call.given)

    def _is_script(self, path: str, state: State) -> bool:
        if path in state.written:
            return True
        return os.path.isfile(path) and scripts.is_shell(path, self.text(path, state) or "")

    def _program(self, call: Call, state: State) -> Lines:
        name = call.name
        if name in ("git", "find", "gfind") or name.startswith("git-"):
            verb = (Word("git"), Word(name[4:])) if name.startswith("git-") else call.words[:1]
            call = call._replace(words=(*verb, *call.words[1:]))
            rule = _rules("finding").find if "find" in name else _rules("git_lines").git
            printed: Lines = rule(call, state, self)
            return printed
        state.made = state.made or call.name in _MAKING
        found = None if call.name in _READERS else _rules("programs").changes(call, state, self)
        before = len(self.changes)
        for one in found or ():
            self.note(call, one, state)
            for path in one.paths:
                state.written[path] = None
        if call.name in ("tee", "sponge") and call.given is not None:
            for word in call.words[1:]:
                if not word.text.startswith("-"):
                    state.written[joined(call.folder, word.text)] = call.given
        if call.name.rstrip("0123456789.") in _INTERPRETERS:
            _rules("snippets").snippet(call, state, self)
            self.unknown = self.unknown or "awk" not in call.name
        elif call.name not in _READERS and call.name not in _SAID and len(self.changes) == before:
            self.unknown = True  # it may do what its rule does not know of
        return outputs.read(call) if call.name == "tee" else outputs.printed(call, state, self)
