"""Keys of git's configuration that have a program run, and a repository in which git would run it.

``READ``: git runs these while it only looks. ``IDLE``: it runs these for other commands, or by other versions.
"""

from __future__ import annotations

from pathlib import Path

from tests.hostile.registry import Repository, add
from tests.hostile.world import World

# What git misses it fetches, in the middle of looking.
_LAZY = (
    "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n"
    '[remote "origin"]\n\tpromisor = true\n'
)

# Name and configuration; {run} leaves a mark, {hooks} and {tree} are folders.
READ = {
    "core.fsmonitor": '[core]\n\tfsmonitor = "{run}; false"\n',
    "filter.clean": '[filter "evil"]\n\tclean = "{run}; cat"\n\trequired = true\n',
    "filter.process": '[filter "evil"]\n\tprocess = "{run}; false"\n',
    "gpg.program": '[log]\n\tshowSignature = true\n[gpg]\n\tprogram = "{script}"\n',
    "gpg.openpgp.program": '[log]\n\tshowSignature = true\n[gpg "openpgp"]\n\tprogram = "{script}"\n',
    "include.path": "[include]\n\tpath = {tree}/evil.inc\n",
    "includeIf.gitdir": '[includeIf "gitdir:**"]\n\tpath = {tree}/evil.inc\n',
    "config.worktree": "[extensions]\n\tworktreeConfig = true\n[core]\n\trepositoryformatversion = 1\n",
    "remote.uploadpack": _LAZY + '\turl = {tree}\n\tuploadpack = "{run}; false"\n',
    "remote.url": _LAZY + '\turl = "ext::sh -c {run_ext}"\n[protocol "ext"]\n\tallow = always\n',
    "core.sshCommand": _LAZY + '\turl = git@evil.example:x\n[core]\n\tsshCommand = "{run}; false"\n',
    "core.gitProxy": _LAZY + '\turl = git://evil.example/x\n[core]\n\tgitProxy = "{script}"\n',
    "url.insteadOf": _LAZY
    + '\turl = evil:x\n[url "ext::sh -c {run_ext}"]\n\tinsteadOf = evil:x\n[protocol "ext"]\n\tallow = always\n',
}
IDLE = {
    "core.hooksPath": "[core]\n\thooksPath = {hooks}\n",
    "diff.external": '[diff]\n\texternal = "{run}; true"\n',
    "diff.textconv": '[diff "evil"]\n\ttextconv = "{run}; cat"\n',
    "diff.command": '[diff "evil"]\n\tcommand = "{run}; true"\n',
    "remote.vcs": '[remote "evil"]\n\tvcs = "ext"\n\turl = "ext::{run}"\n',
    "core.pager": '[core]\n\tpager = "{run}"\n',
    "pager.status": '[pager]\n\tstatus = "{run}"\n\tlog = "{run}"\n\tstash = "{run}"\n',
    "core.editor": '[core]\n\teditor = "{run}"\n',
    "sequence.editor": '[sequence]\n\teditor = "{run}"\n',
    "core.askPass": '[core]\n\taskPass = "{script}"\n',
    "core.alternateRefsCommand": '[core]\n\talternateRefsCommand = "{run}"\n',
    "filter.smudge": '[filter "evil"]\n\tsmudge = "{run}; cat"\n',
    "merge.driver": '[merge "evil"]\n\tdriver = "{run}"\n',
    "mergetool.cmd": '[merge]\n\ttool = evil\n[mergetool "evil"]\n\tcmd = "{run}"\n',
    "difftool.cmd": '[diff]\n\ttool = evil\n[difftool "evil"]\n\tcmd = "{run}"\n',
    "interactive.diffFilter": '[interactive]\n\tdiffFilter = "{run}; cat"\n',
    "gpg.ssh.program": '[gpg "ssh"]\n\tprogram = "{script}"\n',
    "gpg.ssh.defaultKeyCommand": '[gpg "ssh"]\n\tdefaultKeyCommand = "{run}"\n',
    "gpg.x509.program": '[gpg "x509"]\n\tprogram = "{script}"\n',
    "credential.helper": '[credential]\n\thelper = "!{run}"\n',
    "credential.url.helper": '[credential "https://evil.example"]\n\thelper = "!{run}"\n',
    "alias.status": '[alias]\n\tstatus = "!{run}"\n\tstash = "!{run}"\n\tlog = "!{run}"\n\trev-parse = "!{run}"\n',
    "remote.receivepack": '[remote "origin"]\n\treceivepack = "{run}"\n',
    "uploadpack.packObjectsHook": '[uploadpack]\n\tpackObjectsHook = "{run}"\n',
    "submodule.update": '[submodule "lib"]\n\tupdate = "!{run}"\n\turl = x\n\tactive = true\n',
    "trailer.command": '[trailer "evil"]\n\tcommand = "{run}"\n\tcmd = "{run}"\n',
    "browser.cmd": '[browser "evil"]\n\tcmd = "{run}"\n[web]\n\tbrowser = evil\n',
    "man.cmd": '[man "evil"]\n\tcmd = "{run}"\n[man]\n\tviewer = evil\n',
    "sendemail.smtpServer": '[sendemail]\n\tsmtpServer = "{script}"\n\ttoCmd = "{run}"\n',
    "instaweb.httpd": '[instaweb]\n\thttpd = "{run}"\n\tbrowser = "{run}"\n',
    "gc.recentObjectsHook": '[gc]\n\trecentObjectsHook = "{run}"\n',
    "tar.command": '[tar "evil"]\n\tcommand = "{run}; cat"\n',
    "hook.command": '[hook "evil"]\n\tcommand = "{run}"\n\tevent = post-index-change\n\tevent = pre-commit\n',
    "guitool.cmd": '[guitool "evil"]\n\tcmd = "{run}"\n',
    "init.templateDir": "[init]\n\ttemplateDir = {hooks}\n",
    "core.attributesFile": "[core]\n\tattributesFile = {tree}/evil.attributes\n",
    "core.worktree": "[core]\n\tworktree = {tree}\n",
}
EVERY_KEY = {**READ, **IDLE}
_HOOKS = ("post-index-change", "reference-transaction", "pre-commit", "post-checkout", "fsmonitor-watchman", "pre-push")
_PARTIAL = "partialClone"


def arm(world: World, tree: Path, git: Path, keys: dict[str, str], mark: str) -> None:
    """Configure a git folder so that these keys' programs are run where git would run them."""
    hooks = tree / "tools"
    _scripts(world, tree, hooks, mark)
    _history(world, tree)
    for name, text in keys.items():
        run = world.touch(f"{mark}-{name}")
        values = {
            "run": run,
            "run_ext": run.replace(" ", "% "),
            "script": hooks / "script",
            "tree": tree,
            "hooks": hooks,
        }
        with (git / "config").open("a") as file:
            file.write(text.format(**values))
    inner = world.touch(f"{mark}-included")
    (tree / "evil.inc").write_text(
        f'[core]\n\tfsmonitor = "{inner}; false"\n[filter "evil"]\n\tclean = "{inner}; cat"\n'
    )
    (tree / "evil.attributes").write_text("*.txt filter=evil diff=evil\n")
    (git / "config.worktree").write_text(f'[core]\n\tfsmonitor = "{inner}; false"\n')
    (git / "hooks").mkdir(exist_ok=True)
    for name in _HOOKS:
        _script(git / "hooks" / name, world.touch(f"{mark}-hook"))
    if any(_PARTIAL in text for text in keys.values()):
        _forget(world, tree, git)


def ground(world: World, tree: Path) -> None:
    """A git repository in a folder, with text files that its attributes name."""
    (tree / "src").mkdir(parents=True, exist_ok=True)
    for name in ("words.txt", "src/words.txt", "src/app.py"):
        (tree / name).write_text("words\n")
    world.git("init", "-q", "--template=", folder=tree)
    world.git("add", "-A", folder=tree)
    world.git("commit", "-q", "-m", "Begin.", folder=tree)


def _scripts(world: World, tree: Path, hooks: Path, mark: str) -> None:
    """Programs and attributes, tracked; and a text file that git has to look at again."""
    for name in _HOOKS:
        _script(hooks / name, world.touch(f"{mark}-hooksPath"))
    _script(hooks / "script", world.touch(f"{mark}-script"))
    (tree / ".gitattributes").write_text("*.txt filter=evil diff=evil merge=evil\n")
    world.git("add", "-f", "--", ".gitattributes", "tools", folder=tree)
    world.git("commit", "-q", "-m", "Tools.", folder=tree)
    (tree / "src" / "words.txt").write_text("sword\n")


def _script(path: Path, run: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{run}\nexit 1\n")
    path.chmod(0o755)


def _history(world: World, tree: Path) -> None:
    """A signed commit, as a stash entry and as what the remote branch has."""
    text = world.git("cat-file", "commit", "HEAD", folder=tree)
    head, _, message = text.partition("\n\n")
    signed = f"{head}\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ\n -----END PGP SIGNATURE-----\n\n{message}"
    made = world.git("hash-object", "-t", "commit", "-w", "--stdin", folder=tree, stdin=signed).strip()
    branch = world.git("symbolic-ref", "--short", "HEAD", folder=tree).strip()
    world.git("update-ref", "--create-reflog", "-m", "stashed", "refs/stash", made, folder=tree)
    world.git("update-ref", f"refs/remotes/origin/{branch}", made, folder=tree)


def _forget(world: World, tree: Path, git: Path) -> None:
    """Have git miss an object, which it would fetch."""
    lost = world.git("rev-parse", "HEAD:src", folder=tree).strip()
    (tree / "src" / "more.txt").write_text("more\n")
    world.git("add", "-f", "--", "src/more.txt", folder=tree)
    (git / "objects" / lost[:2] / lost[2:]).unlink()


def _single(key: str, text: str) -> None:
    def build(folder: Path, world: World) -> None:
        arm(world, folder, folder / ".git", {key: text}, "key")

    doc = f"The git folder's config has {key} run a program."
    add(Repository(f"git-{key}", doc, build, (), ("hooks", "doctor", "init"), few=True, asks=True))


for _key, _text in READ.items():
    _single(_key, _text)


def _at_once(name: str, keys: dict[str, str]) -> None:
    def build(folder: Path, world: World) -> None:
        arm(world, folder, folder / ".git", keys, "key")

    add(Repository(name, f"The git folder's config has {len(keys)} keys run programs.", build, asks=True))


_at_once("git-idle-keys", IDLE)
_at_once("git-looking-keys", {key: text for key, text in READ.items() if _PARTIAL not in text})
