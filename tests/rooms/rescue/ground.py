"""A repository in which Ann has work of every kind in progress, and in which lines of Bob are run for real."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from comity import Problem, Workspace
from comity.testing import FakeMachine, World
from tests.shell.playground import environment

BINARY = bytes(range(256)) * 5
# Ann's files: what her editing tool writes, and what her commands make. Links are given by a target in a tuple.
EDITED: dict[str, bytes] = {
    "src/app.ts": b"Ann's work A\n",
    "src/fresh.ts": b"Ann's new work\n",
    "docs/plan & notes.md": b"Ann's plan\n",
    "bin/deploy.sh": b"#!/bin/sh\necho Ann\n",
    'odd/it\'s "odd" $HOME.txt': b"Ann's odd one\n",
    "odd/-rf": b"Ann's dash\n",
    "odd/ünïcode ✓.md": "Ann's ✓\n".encode(),
    "secret.env": b"ANN=1\n",
}
MADE: dict[str, bytes | tuple[str]] = {
    "img/icon.png": BINARY,
    "bin/once": b"\x7fELF" + BINARY,
    "odd/new\nline.txt": b"Ann's two lines\n",
    "current": ("releases/2",),
    "latest": ("src/fresh.ts",),
}
EXECUTABLE = ("bin/deploy.sh", "bin/once")
_MAKE = r"""
mkdir r S home tmp S/tree S/empty && cd r && git init -q --template= -b main .
mkdir -p src docs bin img odd releases/1 releases/2 tools
for f in src/app.ts src/lib.ts 'docs/plan & notes.md' docs/x.md img/icon.png odd/-rf README.md releases/1/x releases/2/x
do echo "first line of $f" > "./$f"; done
echo 'first' > "odd/it's \"odd\" \$HOME.txt"; echo 'first' > 'odd/ünïcode ✓.md'
printf '#!/bin/sh\necho first\n' > bin/deploy.sh; chmod 755 bin/deploy.sh; ln -s releases/1 current
printf 'all: lint\n\techo ok > built.txt\nlint:\n\tgrep -c Ann src/app.ts || true\n' > Makefile
printf 'gen:\n\techo generated > src/app.ts\nwipe:\n\trm -rf src\n' >> Makefile
printf '#!/usr/bin/env bash\nset -e\ncd src\nwc -l *.ts\n' > tools/check.sh; chmod 755 tools/check.sh
echo 'export X=1' > tools/env.sh
printf '{"scripts": {"clean": "rm -rf src", "lint": "wc -l src/app.ts", "test": "test -d src"}}\n' > package.json
printf '*.env\n*.log\n' > .gitignore; mkdir .git/info; printf '.macp/\n' > .git/info/exclude
git add -A && git commit -qm first && git branch side
cd ../S && mkdir tree/src && echo theirs > tree/src/app.ts && cp tree/src/app.ts app.ts
tar cf app.tar -C tree src && tar czf app.tgz -C tree src && tar cf flat.tar app.ts
(cd tree && zip -qr ../app.zip src) && zip -q flat.zip app.ts && rm app.ts
printf 'src/app.ts\n' > names.txt; printf 's/A/B/\n' > script.sed; printf '1d\nwq\n' > script.ed
printf 'if [ "$1" = clean ]; then\n  rm -rf src\nfi\necho ok\n' > ok.sh; printf 'rm -rf src\n' > wipe.sh
printf 'import os, sys\nfor name in sys.argv[1:] or ["src/app.ts"]:\n    os.unlink(name)\n' > wipe.py
printf 'require("fs").rmSync("src", {recursive: true})\n' > wipe.js
printf 'all:\n\trm -rf src\nhere:\n\trm -rf "$(TOP)/src"\n' > Wipe.mk
printf -- "--- a/src/app.ts\n+++ b/src/app.ts\n@@ -1 +1 @@\n-Ann's work A\n+theirs\n" > app.patch
printf -- "--- app.ts\n+++ app.ts\n@@ -1 +1 @@\n-Ann's work A\n+theirs\n" > one.patch
printf -- '--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-first line of README.md\n+patched\n' > readme.patch
"""

Looks = tuple[bytes, bool] | str  # content and whether it can be executed, or where a link leads


class Tried(NamedTuple):
    """What came of a line: whether it was refused; else which of Ann's files it changed, those of which there was no
    copy (or which came back otherwise), and those that somebody was not told of.
    """

    refused: bool
    destroyed: list[str] = []
    gone: list[str] = []
    untold: list[str] = []


class Ground:
    """The repository, and who works in it. ``database`` is a fresh one to be copied."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.root, self.stuff, self._folder, self._database = folder / "r", folder / "S", folder, database
        self._template = folder.with_name(f"{folder.name}-first")
        self._template.mkdir()
        _run(_MAKE, self._template, self._template)
        self._world: World | None = None
        self.ann: Workspace
        self.bob: Workspace

    def begin(self) -> None:
        """Everything as it was at first, and Ann at work."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._template, self._folder, symlinks=True)
        store = self.root / ".macp" / "ground.macp.db"
        store.parent.mkdir()
        shutil.copyfile(self._database, store)
        store.chmod(0o600)
        machine, self._world = FakeMachine(), World(store)
        root, database = str(self.root), self._world.path
        self.ann, self.bob = (
            self._world.agent(name.lower(), name=name, observer=machine.start(), root=root, database=database)
            for name in ("Ann", "Bob")
        )
        for name, content in EDITED.items():
            assert self.ann.edit.check(files=[name]).allowed
            _write(self.root / name, content)
        for name in EXECUTABLE[:1]:
            (self.root / name).chmod(0o755)
        self.ann.edit.landed(files=[str(self.root / name) for name in EDITED])
        assert self.ann.command.check(command="make work").allowed
        for name, made in MADE.items():
            _write(self.root / name, made)
        (self.root / EXECUTABLE[1]).chmod(0o755)
        self.ann.edit.compare(command="make work")
        self._world.clock.advance(60)

    def close(self) -> None:
        """End the world."""
        if self._world is not None:
            self._world.close()
        self._world = None

    def look(self) -> dict[str, Looks]:
        """Ann's files as they are; those that are not there are left out."""
        return {name: seen for name in (*EDITED, *MADE) if (seen := _look(self.root / name)) is not None}

    def try_line(self, line: str, said: str = "") -> Tried:
        """Ask, run it if it is let through, and get back what it destroyed. Afterwards, ``begin`` again.

        ``said`` is what the guard hears instead, as of a program that runs the line by itself.
        """
        said = said or line
        if not self.bob.command.check(command=said, cwd=str(self.root)).allowed:
            return Tried(refused=True)
        before = self.look()
        _run(line, self.root, self._folder)
        after = self.look()
        destroyed = [name for name, seen in before.items() if after.get(name) != seen]
        self.bob.edit.compare(command=said, cwd=str(self.root))
        if not destroyed:
            return Tried(refused=False)
        told = [" ".join(one.content for one in agent.message.poll().deliveries) for agent in (self.ann, self.bob)]
        lost = {one.file_path for one in self.ann.rescue.list(lost=True).versions}
        untold = [name for name in destroyed if name not in lost or not all("comity rescue" in text for text in told)]
        self._spoil(destroyed)
        return Tried(False, destroyed, [name for name in destroyed if not self._restored(name, before[name])], untold)

    def _spoil(self, names: list[str]) -> None:
        """Take away what is left of the files, and what git could give back of them."""
        for name in names:
            path = self.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        shutil.rmtree(self.root / ".git" / "objects", ignore_errors=True)
        shutil.rmtree(self.root / ".git" / "logs", ignore_errors=True)

    def _restored(self, name: str, wanted: Looks) -> bool:
        try:
            self.bob.rescue.restore(file=str(self.root / name))
        except Problem:
            return False
        return _look(self.root / name) == wanted


def _write(path: Path, made: bytes | tuple[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(made, bytes):
        path.write_bytes(made)
        return
    path.unlink(missing_ok=True)
    path.symlink_to(made[0])


def _look(path: Path) -> Looks | None:
    try:
        info = path.lstat()
    except OSError:
        return None
    if stat.S_ISLNK(info.st_mode):
        return os.readlink(path)
    return (path.read_bytes(), bool(info.st_mode & 0o100)) if stat.S_ISREG(info.st_mode) else None


def _run(line: str, folder: Path, ground: Path) -> None:
    """Run it as an agent's shell does, for some seconds at most, with all that it leaves running."""
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=folder,
        env=environment(ground),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
