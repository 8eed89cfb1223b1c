"""A line followed from left to right as a shell would: what runs, in which folder, with which words. Pure; nothing is
run.

Both sides of a condition count, a loop runs once for each word that is known, and a substitution hands on what it
prints as far as that is known.
"""

from __future__ import annotations

from comity.shell import builtins, outputs
from comity.shell.call import Call
from comity.shell.expansion import fields, text_of
from comity.shell.line_reader import read
from comity.shell.running import DEEPEST, Runner
from comity.shell.state import ANY, NUMBER, Lines, State, bounded
from comity.shell.syntax import Chain, Compound, Node, Pipe, Simple, literal

_MOST_ROUNDS = 500
_TESTS = frozenset(("[", "test", "[[", "grep", "which", "type", "command", "false", "!"))


class Follower(Runner):
    """Follows one line; ``changes`` and ``unknown`` hold what was found."""

    def script(self, text: str, state: State, given: Lines | None = None) -> Lines:
        if self._depth >= DEEPEST:
            self.unknown = True
            return (ANY,)
        return self.chain(read(text), state, given)

    def chain(self, chain: Chain, state: State, given: Lines | None = None) -> Lines:
        """Commands one after another; what they print together."""
        self._depth += 1
        printed: list[str] = []
        before: State | None = None
        tested = False
        for item in chain.items:
            if state.stays and item.joint != "&&":
                state.merge([state.copy(), state.back()] if item.joint == ";" else [state.back()])
            state.stays = False
            if item.joint == ";" and before is not None:
                state.merge([state.copy(), before])
                before = None
            if (item.joint == "||" or (item.joint == "&&" and tested)) and before is None:
                before = state.copy()
            tested = (item.joint == "&&" and tested) or _tests(item.node)
            printed += self.node(item.node, state.copy() if item.background else state, given)
            printed = [*bounded(tuple(printed))]
            if self.exhausted():
                break
        if before is not None:
            state.merge([state.copy(), before])
        self._depth -= 1
        return tuple(printed)

    def node(self, node: Node, state: State, given: Lines | None) -> Lines:
        """One command of any kind."""
        if self.too_much():
            return (ANY,)
        if isinstance(node, Simple):
            return self.simple(node, state, given)
        if isinstance(node, Pipe):
            for part in node.parts:
                given = self.node(part, state.copy(), given)
            return given or ()
        given, redirected = self.redirected(node.redirects, state, given)
        printed = self._compound(node, state, given)
        return () if redirected else printed

    def _compound(self, node: Compound, state: State, given: Lines | None) -> Lines:
        if node.kind in ("group", "subshell", "coproc"):
            return self.chain(node.bodies[0], state if node.kind == "group" else state.copy(), given)
        if node.kind == "function":
            state.functions[node.name] = node.bodies[0]
            return ()
        rules = {"if": self._if, "for": self._for, "counted": self._counted, "while": self._while, "case": self._case}
        return rules.get(node.kind, self._condition)(node, state, given)

    def _if(self, node: Compound, state: State, given: Lines | None) -> Lines:
        printed: list[str] = []
        ways: list[State] = []
        bodies = list(node.bodies)
        while len(bodies) > 1:
            self.chain(bodies.pop(0), state, given)
            branch = state.copy()
            printed += self.chain(bodies.pop(0), branch, given)
            ways.append(branch)
        for rest in bodies:
            printed += self.chain(rest, state, given)
        state.merge([*ways, state.copy()])
        return tuple(printed)

    def _for(self, node: Compound, state: State, given: Lines | None) -> Lines:
        filling = self.filling()
        if node.words is None:
            values = list(state.arguments)
        else:
            values = [outputs.text(word) for raw in node.words for word in fields(raw, state, filling)]
        if len(values) > _MOST_ROUNDS:
            values, self.unknown = [*values[:_MOST_ROUNDS], ANY], True
        printed: list[str] = []
        for value in values:
            state.set(node.name, (value,))
            printed += self.chain(node.bodies[0], state, given)
        return tuple(printed)

    def _counted(self, node: Compound, state: State, given: Lines | None) -> Lines:
        for raw in node.words or ():
            for name in set("".join(part.text for part in raw if part.kind == "text").replace("=", " = ").split()):
                if name.isidentifier():
                    state.set(name, (NUMBER,))
        return self.chain(node.bodies[0], state, given)

    def _while(self, node: Compound, state: State, given: Lines | None) -> Lines:
        condition, body = node.bodies
        reading = _reading(condition)
        printed: list[str] = []
        skipped = state.copy()
        if reading is not None:
            filling = self.filling()
            words = [word for raw in reading.words for word in fields(raw, state, filling)]
            inside, _ = self.redirected(reading.redirects, state, given)
            call = Call(tuple(words), state.folder)
            ifs = next((assign for assign in reading.assigned if assign.name == "IFS"), None)
            lines = [one for line in self.lines(inside, state) for one in line.split("\0") if one]
            if len(lines) > _MOST_ROUNDS:
                lines, self.unknown = [*lines[:_MOST_ROUNDS], ANY], True
            for line in lines:
                child = state if ifs is None else state.copy()
                if ifs is not None:
                    child.set("IFS", (text_of(ifs.values[0], state, filling),))
                builtins.assign(call, line, child)
                if ifs is not None:
                    state.variables |= {name: ways for name, ways in child.variables.items() if name != "IFS"}
                printed += self.chain(body, state, None)
        else:
            for _ in range(2):
                printed += self.chain(condition, state, given)
                printed += self.chain(body, state, given)
        state.merge([state.copy(), skipped])
        return tuple(printed)

    def _case(self, node: Compound, state: State, given: Lines | None) -> Lines:
        filling = self.filling()
        for raw in node.words or ():
            text_of(raw, state, filling)
        printed: list[str] = []
        ways = []
        for body in node.bodies:
            branch = state.copy()
            printed += self.chain(body, branch, given)
            ways.append(branch)
        state.merge([*ways, state.copy()])
        return tuple(printed)

    def _condition(self, node: Compound, state: State, _: Lines | None) -> Lines:
        filling = self.filling()
        for raw in node.words or ():
            if any(part.kind in ("command", "number", "process") for part in raw):
                text_of(raw, state, filling)
        return ()


def _tests(node: Node) -> bool:
    """Whether a command is there to fail: what follows it may or may not run."""
    if isinstance(node, Simple) and node.words:
        return literal(node.words[0]) in _TESTS
    return isinstance(node, Compound) and node.kind == "condition"


def _reading(condition: Chain) -> Simple | None:
    """The ``read`` that a loop goes by."""
    for item in condition.items:
        node = item.node
        if isinstance(node, Simple) and node.words and literal(node.words[0]) == "read":
            return node
    return None
