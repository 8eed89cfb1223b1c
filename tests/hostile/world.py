"""A user's machine in a folder: a home with secrets, a project in which Comity runs, and another project."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from comity import settings
from comity.kernel.problem import Problem
from comity.process import ThisProcess, absent
from comity.workspace import from_settings
from tests.hostile.programs import BIN, environment, run

STRANGER = "WORDS-OF-STRANGERS"
UNSAID = ("SSH-SECRET-WORDS", "OTHER-PROJECTS-WORDS", "NOTES-OF-THE-USER", STRANGER)  # no door may say them
PEER = "peer-of-shop"
_WHOLE_BYTES = 4_000_000
_LEASE_S = 7200
# Below the home: what the user agreed to, and reports of failures.
_MAY_CHANGE = (".config/comity", ".local/state/comity")
_OWN_IN_GIT = ("info/exclude", "comity")  # below the git folder: init's and Comity's own
_RECORD = "comity-database"  # of a checkout, in its git folder
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgsign=false")
State = dict[str, str]


class Restored(NamedTuple):
    """A hard link that a copy would have made a file of its own."""

    path: Path
    to: Path


class World:
    """One machine below ``root``; ``template`` is copied over it before each repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.me = root / "me"
        self.folder = self.me / "src" / "shop"
        self.macp = self.folder / ".macp"
        self.masc = self.folder / ".masc"
        self.database = self.macp / "shop.macp.db"
        self.other = self.me / "src" / "other"
        self.other_database = self.other / ".macp" / "other.macp.db"
        self.bashrc = self.me / ".bashrc"
        self.secret = self.me / ".ssh" / "id_ed25519"
        self.notes = self.me / "notes.txt"
        self.empty = self.me / "empty.txt"
        self.elsewhere = root / "elsewhere"
        self.markers = root / "markers"
        self.usual: frozenset[str] = frozenset()  # what doctor and status say where nothing is hostile
        self._hard_links: list[Restored] = []
        self._numbers: dict[str, dict[str, str]] = {}  # of what was kept: each file's inode as it was then

    # What builders use.

    def touch(self, name: str) -> str:
        """A shell command that leaves a marker."""
        return f"touch {self.markers}/{name}"

    def beside(self, suffix: str) -> Path:
        """The file beside the database that has this suffix."""
        return self.macp / f"{self.database.name}{suffix}"

    def write(self, path: Path, content: str | bytes) -> Path:
        """A file, in folders that are made, in place of what was there."""
        clear(path)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def link(self, path: Path, to: Path | str) -> Path:
        """A symbolic link in place of what was there."""
        clear(path)
        path.symlink_to(to)
        return path

    def hard_link(self, path: Path, to: Path) -> None:
        """Another name for a file of the user, as an archive can bring it."""
        clear(path)
        os.link(to, path)
        self._hard_links.append(Restored(path, to))

    def fifo(self, path: Path) -> Path:
        """A pipe with a name."""
        clear(path)
        os.mkfifo(path)
        return path

    def device(self, path: Path, minor: int) -> Path:
        """A device node such as /dev/zero (5), as an archive that root unpacked brings it. Raises PermissionError."""
        clear(path)
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, minor))
        return path

    def git(self, *arguments: str, folder: Path | None = None, stdin: str = "") -> str:
        """Git, as the author of the branch runs it: nothing of the repository is executed."""
        done = subprocess.run(
            [*_GIT, *arguments],
            cwd=folder or self.folder,
            env=environment(self.me),
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def track(self, *paths: Path) -> None:
        """Commit these, whatever is ignored."""
        names = [str(path.relative_to(self.folder)) for path in paths]
        self.git("add", "-f", "--", *names)
        self.git("commit", "-q", "-m", "Improve things.")

    def settings(self, text: str) -> None:
        """A committed `.macp/comity.toml`."""
        self.track(self.write(self.macp / "comity.toml", text))

    def config(self, **changes: object) -> None:
        """A committed `.macp/config.json` with these keys changed; None takes one away."""
        path = self.macp / "config.json"
        content = {**json.loads(path.read_text()), **changes}
        kept = {name: value for name, value in content.items() if value is not None}
        self.track(self.write(path, json.dumps(kept, indent=2)))

    def project(self, folder: Path, peer: str = PEER, *, held: tuple[str, ...] = ("src", "**/*.txt")) -> None:
        """A project of its own in a folder, in which a peer holds folders."""
        name = folder.name
        (folder / ".macp").mkdir(parents=True, exist_ok=True)
        (folder / ".macp/config.json").write_text(json.dumps({"version": 1, "projectId": name}))
        hold(folder, peer, held)

    # What trials use.

    def prepare(self) -> None:
        """Make the template."""
        for place in (self.me, self.elsewhere, self.markers):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
        self._home()
        _repository(self, self.folder, "shop")
        done = run([str(BIN / "comity"), "init"], self.me, self.folder, limit_s=60)
        assert done.code == 0, done
        hold(self.folder, PEER, ("src", "**/*.txt"))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "Tell the agents.")
        _repository(self, self.other, "other")
        self.project(self.other, "OTHER-PROJECTS-WORDS", held=("src",))
        self.keep("template")

    def restore(self, kept: str) -> None:
        """The machine as it was kept, without marks."""
        for place in (self.me, self.elsewhere, self.markers):
            remove(place)
        for place in (self.elsewhere, self.markers):
            place.mkdir()
        (self.elsewhere / "file.txt").write_text("of the user\n")
        copy(self.root / kept, self.me)
        if kept == "template":
            self._hard_links.clear()
        for path, to in self._hard_links:
            path.unlink()
            os.link(to, path)
        self._renumber(kept)

    def _renumber(self, kept: str) -> None:
        """Comity knows its database by the inode, and a copy has another one."""
        numbers = self._of_files()
        new = {old: numbers.get(name, old) for name, old in self._numbers[kept].items()}
        for path in _below(self.me):
            if path.name == _RECORD and path.is_file():
                text = re.sub(r"[0-9]+:[0-9]+", lambda found: new.get(found.group(), found.group()), path.read_text())
                path.write_text(text)

    def _of_files(self) -> dict[str, str]:
        found = ((path, path.lstat()) for path in _below(self.me))
        return {str(path.relative_to(self.me)): f"{info.st_dev}:{info.st_ino}" for path, info in found}

    def keep(self, name: str) -> None:
        """Keep the machine as it is."""
        remove(self.root / name)
        self._numbers[name] = self._of_files()
        copy(self.me, self.root / name)

    def outside(self) -> State:
        """Everything of the machine but the checkout, and of that its git folder."""
        found: State = {}
        for top in (self.me, self.elsewhere):
            for path in _below(top, self.folder):
                name = str(path.relative_to(self.root))
                if path == top or not any(_together(path, self.me / one) for one in _MAY_CHANGE):
                    found[name] = signature(path)
        git = self.folder / ".git"
        for path in _below(git):
            if path.name != _RECORD and not any(path.is_relative_to(git / one) for one in _OWN_IN_GIT):
                found[str(path.relative_to(self.root))] = signature(path)
        return found

    def _home(self) -> None:
        self.write(self.bashrc, "alias ll='ls -l'\n")
        self.write(self.secret, "-----BEGIN OPENSSH PRIVATE KEY-----\nSSH-SECRET-WORDS\n")
        self.secret.chmod(0o600)
        self.write(self.notes, "NOTES-OF-THE-USER\n")
        self.write(self.empty, "")
        (self.me / ".config").mkdir()
        self.write(
            self.me / ".gitconfig", "[user]\n\tname = Me\n\temail = me@example.com\n[init]\n\tdefaultBranch = m\n"
        )


def hold(folder: Path, peer: str, held: tuple[str, ...]) -> None:
    """A living peer holds these paths in the project of a folder; nothing where it is no project."""
    try:
        resolved = settings.resolve({"agent_id": peer}, {}, str(folder))
        with from_settings(resolved, ThisProcess(absent("claude-code", peer, str(folder), _LEASE_S))) as workspace:
            workspace.call("session.start", {})
            workspace.call("claim.acquire", {"files": list(held), "ttl_seconds": _LEASE_S})
    except Problem:
        return


def _repository(world: World, folder: Path, name: str) -> None:
    (folder / "src").mkdir(parents=True)
    for path, text in (
        ("src/app.py", "# app\n"),
        ("src/words.txt", "words\n"),
        ("Makefile", "all:\n"),
        ("README", name),
    ):
        (folder / path).write_text(text)
    world.git("init", "-q", "--template=", folder=folder)
    (folder / ".git/info").mkdir()
    world.git("add", "-A", folder=folder)
    world.git("commit", "-q", "-m", "Begin.", folder=folder)


def clear(path: Path) -> None:
    """Nothing at this path, and folders above it. A link or file above it is replaced."""
    for parent in reversed(path.parents):
        if parent.is_symlink() or parent.is_file():
            parent.unlink()
        parent.mkdir(exist_ok=True)
    remove(path)


def remove(path: Path) -> None:
    """Delete a file or a folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def copy(source: Path, to: Path) -> None:
    """A folder with its links, pipes, devices and times."""
    subprocess.run(["cp", "-a", str(source), str(to)], check=True, stdin=subprocess.DEVNULL)


def _below(top: Path, but: Path | None = None) -> list[Path]:
    found = [top] if os.path.lexists(top) else []
    for folder, folders, files in os.walk(top):
        here = Path(folder)
        folders[:] = [name for name in folders if here / name != but]
        found += [here / name for name in (*folders, *files)]
    return found


def _together(path: Path, kept: Path) -> bool:
    """Whether one is below the other."""
    return path.is_relative_to(kept) or (kept.is_relative_to(path))


def signature(path: Path) -> str:
    """What would change if it were written, replaced or given other rights."""
    info = path.lstat()
    kind = f"{stat.filemode(info.st_mode)}"
    if stat.S_ISLNK(info.st_mode):
        return f"{kind} to {path.readlink()}"
    if not stat.S_ISREG(info.st_mode):
        return kind
    content = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if info.st_size <= _WHOLE_BYTES else "large"
    return f"{kind} {info.st_size} bytes, {content}, of {info.st_mtime_ns}"
