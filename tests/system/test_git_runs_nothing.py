"""Whatever a repository configures, and wherever: no question to git executes it, and each is answered."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from comity.project import locate
from comity.system import git as asked
from comity.system import git_process, git_refs, repository
from comity.system.git_look import configured
from tests.system.repositories import commit, git, write
from tests.system.repositories import repository as made

# What executes something, or has git read what keeps it for ever; TRAP, PIPE and HOOKS are put in.
KEYS: tuple[tuple[str, str], ...] = (
    ("core.fsmonitor", "TRAP"),
    ("core.hooksPath", "HOOKS"),
    ("core.pager", "TRAP"),
    ("core.editor", "TRAP"),
    ("core.sshCommand", "TRAP"),
    ("core.askPass", "TRAP"),
    ("core.gitProxy", "TRAP"),
    ("core.alternateRefsCommand", "TRAP"),
    ("core.worktree", "/"),
    ("core.attributesFile", "PIPE"),
    ("core.excludesFile", "PIPE"),
    ("core.bare", "true"),
    ("pager.status", "TRAP"),
    ("pager.log", "TRAP"),
    ("pager.diff", "TRAP"),
    ("pager.config", "TRAP"),
    ("sequence.editor", "TRAP"),
    ("credential.helper", "!TRAP"),
    ("gpg.program", "TRAP"),
    ("gpg.openpgp.program", "TRAP"),
    ("gpg.ssh.program", "TRAP"),
    ("gpg.ssh.defaultKeyCommand", "TRAP"),
    ("gpg.x509.program", "TRAP"),
    ("commit.gpgSign", "true"),
    ("commit.template", "PIPE"),
    ("log.showSignature", "true"),
    ("interactive.diffFilter", "TRAP"),
    ("uploadpack.packObjectsHook", "TRAP"),
    ("diff.external", "TRAP"),
    ("diff.x.command", "TRAP"),
    ("diff.x.textconv", "TRAP"),
    ("diff.ignoreSubmodules", "none"),
    ("diff.submodule", "diff"),
    ("difftool.x.cmd", "TRAP"),
    ("mergetool.x.cmd", "TRAP"),
    ("filter.x.clean", "TRAP"),
    ("filter.x.smudge", "TRAP"),
    ("filter.x.process", "TRAP"),
    ("filter.x.required", "true"),
    ("merge.x.driver", "TRAP"),
    ("alias.status", "!TRAP"),
    ("alias.config", "!TRAP"),
    ("trailer.x.cmd", "TRAP"),
    ("trailer.x.command", "TRAP"),
    ("tar.x.command", "TRAP"),
    ("remote.origin.vcs", "trap"),
    ("remote.origin.url", "ext::TRAP"),
    ("remote.origin.uploadpack", "TRAP"),
    ("remote.origin.promisor", "true"),
    ("extensions.partialClone", "origin"),
    ("protocol.ext.allow", "always"),
    ("submodule.recurse", "true"),
    ("submodule.sub.update", "!TRAP"),
    ("submodule.sub.ignore", "none"),
    ("status.submoduleSummary", "true"),
    ("mailmap.file", "PIPE"),
    ("browser.x.cmd", "TRAP"),
    ("man.x.cmd", "TRAP"),
    ("guitool.x.cmd", "TRAP"),
    ("gc.recentObjectsHook", "TRAP"),
    ("maintenance.strategy", "incremental"),
    ("init.templateDir", "HOOKS"),
    ("include.path", "PIPE"),
    ("includeIf.gitdir:/**.path", "PIPE"),
)
_HOOKS = (
    *("post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-commit", "post-checkout"),
    *("pre-auto-gc", "post-rewrite", "applypatch-msg", "pre-push", "update"),
)
_ATTRIBUTES = "*.txt filter=x diff=x merge=x\n"


class Trapped(NamedTuple):
    """A hostile checkout, a linked worktree of it, and the file where what was executed is written down."""

    root: Path
    linked: Path
    marker: Path

    def ran(self) -> set[str]:
        return set(self.marker.read_text().split()) if self.marker.exists() else set()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With drivers in its attributes, a submodule, a stash, signed commits, and what a remote has been seen to have."""
    place = tmp_path_factory.mktemp("template").resolve()
    inner, root = made(place / "inner"), made(place / "root")
    write(root, ".gitattributes", ".git/info/attributes", text=_ATTRIBUTES)
    git(root, "submodule", "--quiet", "add", inner.as_uri(), "sub")
    write(root / "sub", ".gitattributes", text=_ATTRIBUTES)
    commit(root / "sub")
    commit(root)
    write(root, "b.txt", text="stashed\n")
    git(root, "stash", "-q")
    signed = git(root, "cat-file", "commit", "HEAD").replace("\n\n", f"\ngpgsig {_SIGNATURE}\n\n", 1)
    theirs = git(root, "hash-object", "-t", "commit", "-w", "--stdin", stdin=signed.encode()).strip()
    git(root, "update-ref", "refs/remotes/origin/main", theirs)
    git(root, "worktree", "add", "-q", "-b", "linked", root / "linked")
    for folder in (root, root / "linked"):
        write(folder, "b.txt", "src/c.txt", text="edited\n")
        git(folder, "add", "src/c.txt")
    write(root / "sub", "a.txt", text="edited\n")
    write(root, ".git/info/exclude", text="/linked/\n")
    os.mkfifo(root / ".mailmap")
    return root


_SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"


@pytest.fixture
def hostile(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trapped:
    place = tmp_path.resolve()
    marker, root = place / "ran", place / "root"
    trap(place, "git-remote-trap")
    shutil.copytree(template, root, symlinks=True, copy_function=_copy, ignore=shutil.ignore_patterns(".mailmap"))
    os.mkfifo(root / ".mailmap")
    for path in (root / "linked/.git", root / "sub/.git", root / ".git/worktrees/linked/gitdir"):
        path.write_text(path.read_text().replace(str(template), str(root)))
    for folder in (root / ".git/hooks", root / ".git/modules/sub/hooks", place / "hooks"):
        for hook in _HOOKS:
            write(folder, hook, text=f"#!/bin/sh\necho hook >> '{marker}'\n")
            (folder / hook).chmod(0o755)
    os.mkfifo(place / "pipe")
    monkeypatch.setenv("PATH", f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return Trapped(root, root / "linked", marker)


def trap(place: Path, name: str) -> Path:
    """A program that writes its name down."""
    program = place / "bin" / name
    write(program.parent, name, text=f"#!/bin/sh\necho '{name}' >> '{place / 'ran'}'\nexec cat\n")
    program.chmod(0o755)
    return program


def _copy(source: str, target: str) -> None:
    """As new: git looks into every file again."""
    shutil.copyfile(source, target)


def spring(trapped: Trapped, keys: tuple[tuple[str, str], ...]) -> None:
    """Set them in the repository, for its worktrees, in its submodule, and in a file that all of these include."""
    place, common = trapped.root.parent, trapped.root / ".git"
    lines = []
    for key, meant in keys:
        value = meant.replace("PIPE", str(place / "pipe")).replace("HOOKS", str(place / "hooks"))
        value = value.replace("TRAP", str(trap(place, key.replace("/", "_"))))
        section, *name, last = key.split(".")
        inner = f' "{".".join(name)}"' if name else ""
        lines.append(f'[{section}{inner}]\n\t{last} = "{value}"\n')
    text = "".join(lines)
    for file in (place / "included", common / "config.worktree", common / "worktrees/linked/config.worktree"):
        file.write_text(text)
    for file in (common / "config", common / "modules/sub/config"):
        included = f'[include]\n\tpath = "{place / "included"}"\n[extensions]\n\tworktreeConfig = true\n'
        file.write_text(file.read_text() + text + included)


def ask(folder: Path) -> dict[str, object]:
    """Every question there is."""
    there = repository.around(folder / "src")
    head = git_refs.head(there) if there else None
    assert there is not None
    assert head is not None
    return {
        "top": asked.top(str(folder / "src")),
        "place": locate(folder / "src").checkout,
        "changed": asked.changed(str(folder), ignored=True),
        "tracked": asked.changed(str(folder), untracked=False),
        "stashes": [entry.name for entry in asked.stashes(str(folder))],
        "stashed": asked.stashed_files(str(folder), "stash@{0}"),
        "staged": asked.staged(there),
        "unpushed": asked.unpushed(there, head.commit, None, 10),
        "unpushed since": asked.unpushed(there, head.commit, "1" * 40, 10),
        "overwritten": asked.overwritten_commits(str(folder), ("origin", "HEAD:main")),
    }


def answers(root: Path, *folders: str) -> dict[str, str]:
    """What is answered there, wherever ``root`` lies."""
    told = {f"{folder} {name}": answer for folder in folders for name, answer in ask(root / folder).items()}
    assert None not in told.values()
    return {name: repr(answer).replace(str(root), "ROOT") for name, answer in told.items()}


@pytest.fixture(scope="module")
def expected(template: Path) -> dict[str, str]:
    """The answers of the harmless repository, which has the same files."""
    return answers(template, ".", "linked", "sub")


@pytest.mark.parametrize(("key", "value"), KEYS, ids=[key for key, _ in KEYS])
def test_no_key_is_honoured(hostile: Trapped, expected: dict[str, str], key: str, value: str) -> None:
    spring(hostile, ((key, value),))
    found = answers(hostile.root, ".")
    assert found == {name: expected[name] for name in found}
    assert hostile.ran() == set()


def test_not_all_of_them_together(hostile: Trapped, expected: dict[str, str]) -> None:
    assert len(KEYS) >= 30
    spring(hostile, KEYS)
    assert answers(hostile.root, ".", "linked", "sub") == expected
    there = repository.around(hostile.root)
    assert there is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git_process, "TIMEOUT_S", 0.2)  # the pipe would keep it for ever
        assert configured(there, "--get", "core.hooksPath") is None
    assert hostile.ran() == set()


def test_settings_are_read_and_written_without_running_any(hostile: Trapped) -> None:
    spring(hostile, tuple((key, value) for key, value in KEYS if value != "PIPE" and key != "core.bare"))
    there = repository.around(hostile.linked)
    assert there is not None
    assert configured(there, "--get", "core.hooksPath") == str(hostile.root.parent / "hooks")
    configured(there, "--local", "comity.hooksPath", "x y")
    assert configured(there, "--local", "--get", "comity.hooksPath") == "x y"
    assert configured(there, "--local", "--get", "comity.other") is None
    assert "hooksPath = x y" in (hostile.root / ".git/config").read_text()
    assert hostile.ran() == set()


def test_the_traps_are_real(hostile: Trapped) -> None:
    """Plain git walks into them."""
    caught = {"filter.x.clean", "core.fsmonitor", "diff.external", "diff.x.textconv", "gpg.program"}
    spring(hostile, tuple((key, value) for key, value in KEYS if key in {*caught, "log.showSignature"}))
    (hostile.root / ".mailmap").unlink()
    for command in ("status", "diff", "diff --no-ext-diff HEAD", "log -1 origin/main", "-C sub status"):
        git(hostile.root, *command.split(), check=False)
    assert hostile.ran() >= {*caught, "hook"}


def test_a_program_that_the_checkout_brings_is_not_git(hostile: Trapped, monkeypatch: pytest.MonkeyPatch) -> None:
    write(hostile.root, "git", "tools/git", text=f"#!/bin/sh\necho git >> '{hostile.marker}'\n")
    for name in ("git", "tools/git"):
        (hostile.root / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join(["", ".", "tools", str(hostile.root / "tools"), os.environ["PATH"]]))
    monkeypatch.chdir(hostile.root)
    assert asked.changed(str(hostile.root)) is not None
    assert hostile.ran() == set()


def test_a_bare_repository_in_a_checkout_is_none(hostile: Trapped) -> None:
    """It may have come with it, and git would take it for the repository of whatever lies in it."""
    inner = hostile.root / "docs/evil"
    inner.parent.mkdir()
    git(hostile.root, "clone", "-q", "--bare", hostile.root / "sub", inner)
    write(inner / "wt", "a.txt", ".gitattributes", text=_ATTRIBUTES)
    for key, value in (
        ("core.bare", "false"),
        ("core.worktree", "wt"),
        ("filter.x.clean", trap(hostile.root.parent, "evil")),
    ):
        git(inner.parent, "config", "--file", inner / "config", key, value)
    write(inner, "config.worktree", text="[core]\n\tbare = true\n")
    for bare in (True, False):
        git(inner.parent, "config", "--file", inner / "config", "core.bare", str(bare).lower())
        assert asked.top(str(inner / "wt")) == str(hostile.root)
        assert locate(inner / "wt").checkout == str(hostile.root)
        found = asked.changed(str(inner / "wt"))
        assert found is not None
        assert str(inner / "HEAD") in found.untracked
    assert hostile.ran() == set()
    git(inner / "wt", "add", "a.txt")
    assert hostile.ran() == {"evil"}


@pytest.mark.parametrize(
    "name", ["index", "HEAD", "config", "info/exclude", "packed-refs", "logs/refs/stash", "shallow"]
)
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_keeps_nobody(hostile: Trapped, name: str, kind: str) -> None:
    path = hostile.root / ".git" / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    found = asked.changed(str(hostile.root))
    asked.stashes(str(hostile.root))
    asked.overwritten_commits(str(hostile.root), ("origin", "main"))
    assert locate(hostile.root).checkout == str(hostile.root)
    if name == "index":
        assert found is None, "that is no empty index"
    elif name != "HEAD":
        assert found is not None
        assert str(hostile.root / "b.txt") in found.tracked
    else:
        assert found == asked.ChangedPaths([], [], []), "git would not take it for a repository"
