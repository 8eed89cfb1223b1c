"""One call of git: its verb, the work tree it works on, and the files that its pathspecs name. Pure; it looks at the
disk only for where a work tree begins and whether a file is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.shell.call import Call, Shell, top_of
from comity.shell.changes import Change, How
from comity.shell.pathspecs import as_pattern, escaped, pathspec
from comity.shell.state import COMMIT, FILE, HOLES, NAME, State, Word, joined

_VALUED = frozenset(
    (
        "-C",
        "-c",
        "--git-dir",
        "--work-tree",
        "--namespace",
        "--exec-path",
        "--super-prefix",
        "--config-env",
        "--attr-source",
    )
)
_WILD = frozenset("*?[\\")


class GitCall(NamedTuple):
    """``words`` behind the verb. ``folder`` is where it runs, ``top`` the top of the work tree that it works on."""

    verb: str
    words: tuple[Word, ...]
    folder: str
    top: str
    settings: dict[str, str]
    call: Call
    state: State
    shell: Shell

    def whole(self, how: How, **flags: Any) -> Change:
        """A change of the whole work tree."""
        found = Change(f"git {self.verb}", how, self.top, whole=True, ignored=False)
        return found._replace(**{**self._known(how), **flags})

    def named(self, how: How, words: Iterable[Word], **flags: Any) -> Change | None:
        """A change of what pathspecs name; None when they name nothing."""
        paths, patterns, whole = self._pathspecs(list(words))
        if not (paths or patterns or whole):
            return None
        found = Change(f"git {self.verb}", how, self.top, tuple(paths), tuple(patterns), whole, ignored=False)
        return found._replace(**{**self._known(how), **flags})

    def some(self, how: How, words: Iterable[Word], **flags: Any) -> Iterator[Change]:
        """``named``, as the rules give their changes."""
        found = self.named(how, words, **flags)
        if found is not None:
            yield found

    def _known(self, how: How) -> dict[str, Any]:
        """Which files it reaches if nothing else is said: those that git tracks, and those that the line has added
        before. Moving HEAD also puts files in the place of ignored ones, and loses nothing.
        """
        return {
            "untracked": not self.state.started.isdisjoint(("add", "stage", "stash")) and how == "replace",
            "ignored": how == "branch",
            "discards": how in ("write", "remove", "replace", "worktree", "refs"),
            "of_index": self.own_index if how in ("index", "commit") else "",
        }

    @property
    def own_index(self) -> str:
        """The index that the call works on; empty for the checkout's own."""
        named = dict(self.call.assigned).get("GIT_INDEX_FILE") or (self.state.get("GIT_INDEX_FILE") or ("",))[0]
        path = joined(self.folder, named) if named else ""
        return "" if path == joined(self.top, ".git/index") else path

    def _pathspecs(self, words: list[Word]) -> tuple[list[str], list[str], bool]:
        """Absolute paths, pathspecs that count from the top, and whether any of them may be everything."""
        paths: list[str] = []
        patterns: list[str] = []
        excluding = any(not word.blank and "exclude" in pathspec(word.text).magic for word in words)
        whole = False
        for word in words:
            if "\0" in word.text:
                continue
            if not word.text or word.text == ":":
                whole = whole or word.text == ":"
            elif word.blank:
                whole = True
            elif word.wild:
                for ending in ("", "/**"):
                    patterns += self._glob(word.text + ending)
            else:
                self._one(word, paths, patterns, excluding=excluding)
        return paths, patterns, whole

    def _glob(self, text: str) -> Iterator[str]:
        """A shell's pattern that was not expanded."""
        inside = joined(escaped(self.folder), as_pattern(text))
        start = escaped(self.top).rstrip("/") + "/"
        if inside.startswith(start):
            yield f":(glob){inside.removeprefix(start)}"
        elif inside.startswith("**"):
            yield inside

    def _one(self, word: Word, paths: list[str], patterns: list[str], *, excluding: bool) -> None:
        spec = pathspec(word.text)
        base = self.top if "top" in spec.magic else self.folder
        kept = sorted(spec.magic - {"top", "attr", "prefix"})
        sure = word.sure
        if spec.literal and sure and not {*kept} - {"literal"} and not excluding:
            paths.append(joined(base, spec.pattern) if spec.pattern else base)
            return
        text = as_pattern(spec.pattern if sure else escaped(spec.pattern))
        if spec.literal and sure:
            path = os.path.relpath(joined(base, spec.pattern) if spec.pattern else base, self.top)
            kept, text = sorted({*kept, "literal"}), "" if path == "." else path
        elif base != self.top and not text.startswith("/"):
            place = os.path.relpath(base, self.top)
            text = os.path.normpath(f"{place if 'glob' not in kept else escaped(place)}/{text}")
        text = text.removeprefix(self.top.rstrip("/") + "/")
        patterns.append(f":({','.join(kept)}){text}" if kept else text)
        if not sure and "**/" in text:
            patterns.append(f":({','.join(sorted({*kept, 'glob'}))}){text}")

    def is_path(self, word: Word) -> bool:
        """Whether an operand names a file that is there, or cannot name a commit."""
        if not word.sure:
            return FILE in word.text or not _of(word.text, (COMMIT, NAME))
        if word.wild or _WILD & set(word.text) or word.text.startswith(":"):
            return True
        return os.path.lexists(joined(self.folder, word.text))

    def begun(self, *names: str) -> bool:
        """Whether one of these is in the git folder: an operation is under way, or the line has begun one."""
        if self.verb in self.state.started:
            return True
        folder = os.path.join(self.top, ".git")
        return os.path.isfile(folder) or any(os.path.lexists(os.path.join(folder, name)) for name in names)

    def setting(self, name: str) -> str:
        """A setting that the call itself makes, such as by ``-c``; empty when it makes none."""
        return self.settings.get(name.lower(), "")

    def from_file(self, named: Word | None, *, nul: bool) -> list[Word]:
        """The pathspecs of ``--pathspec-from-file``; one that may be anything when it cannot be read."""
        if named is None:
            return []
        if named.text == "-":
            lines = list(self.shell.lines(self.call.given, self.state))
        else:
            lines = list(self.shell.lines(("\ue004" + joined(self.folder, named.text),), self.state))
        parts = [one for line in lines for one in (line.split("\0") if nul else [line])]
        return [Word(one.strip().strip('"'), quoted=True) for one in parts if one.strip()]


def _of(text: str, holes: Sequence[str]) -> bool:
    return any(hole in text for hole in holes)


def git_call(call: Call, state: State, shell: Shell) -> GitCall | None:
    """Read the options in front of the verb; None when there is none."""
    words = list(call.words[1:])
    folder = shell.place(call.folder)
    named = {**_of_environment(call, state)}
    settings = _settings_of_environment(call, state)
    while words and words[0].text.startswith("-"):
        flag, equals, value = words.pop(0).text.partition("=")
        if flag in _VALUED and not equals:
            value = words.pop(0).text if words else ""
        if flag == "-C":
            folder = shell.place(joined(folder, value.replace("\0", "")))
        elif flag in ("--git-dir", "--work-tree"):
            named[flag] = value.replace("\0", "")
        elif flag in ("-c", "--config-env"):
            name, _, setting = value.partition("=")
            settings[name.lower()] = setting if _ or flag != "-c" else "true"
    if not words or not words[0].sure:
        return None
    made = next((top for top in state.tops if folder == top or folder.startswith(top + "/")), None)
    top = made or _top(folder, named, settings)
    inside = folder == top or folder.startswith(top.rstrip("/") + "/")
    return GitCall(words[0].text, tuple(words[1:]), folder if inside else top, top, settings, call, state, shell)


def _top(folder: str, named: dict[str, str], settings: dict[str, str]) -> str:
    tree, private = named.get("--work-tree"), named.get("--git-dir")
    if tree and (HOLES.search(tree) is None or HOLES.search(folder)):
        return os.path.realpath(joined(folder, tree))
    if private and HOLES.search(private) is None:
        return os.path.realpath(joined(folder, settings["core.worktree"])) if "core.worktree" in settings else folder
    if HOLES.search(folder):
        return folder
    found = top_of(os.path.realpath(folder))
    if found is not None and "core.worktree" in settings:
        return os.path.realpath(joined(f"{found}/.git", settings["core.worktree"]))
    return found or os.path.realpath(folder)


def _of_environment(call: Call, state: State) -> dict[str, str]:
    names = (("--git-dir", "GIT_DIR"), ("--work-tree", "GIT_WORK_TREE"))
    assigned = dict(call.assigned)
    found = {flag: assigned.get(name) or (state.get(name) or ("",))[0] for flag, name in names}
    return {flag: value for flag, value in found.items() if value}


def _settings_of_environment(call: Call, state: State) -> dict[str, str]:
    """``GIT_CONFIG_COUNT`` with its keys and values."""
    assigned = dict(call.assigned)

    def value(name: str) -> str:
        return assigned.get(name) or (state.get(name) or ("",))[0]

    count = value("GIT_CONFIG_COUNT")
    places = range(min(int(count), 50)) if count.isdigit() else ()
    return {value(f"GIT_CONFIG_KEY_{place}").lower(): value(f"GIT_CONFIG_VALUE_{place}") for place in places}
