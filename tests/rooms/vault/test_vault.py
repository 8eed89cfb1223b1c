"""The vault over real folders: what is taken, what is left out, what a second run reads, what others do to it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.problem import Unavailable
from comity.kernel.record import to_json
from comity.rooms.vault import files
from comity.testing import World
from tests.original_knowledge import Knower
from tests.sim.conftest import Fault
from tests.sim.conftest import fault as fault  # noqa: PLC0414 (a fixture)
from tests.sim.processes import spawn
from tests.wire_format import check, dump, rows

DOC = ["docId", "path", "title", "tags", "updatedAt", "sourcePath"]
LONG_AGO_NS = 1_600_000_000_123_456_789


def put(root: Path, texts: dict[str, str | bytes], mtime_ns: int = LONG_AGO_NS) -> None:
    """Files, last changed long ago."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, ns=(mtime_ns, mtime_ns))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path.resolve() / "project"
    made.mkdir()
    return made


@pytest.fixture
def ann(world: World, root: Path) -> Workspace:
    return world.agent("ann", root=str(root))


def register(workspace: Workspace, path: object = ".") -> dict[str, Any]:
    found: dict[str, Any] = to_json(workspace.vault.register(path=str(path)))
    return found


def changes(found: dict[str, Any]) -> tuple[int, int, int, int]:
    return found["added"], found["updated"], found["removed"], found["unchanged"]


def paths(workspace: Workspace) -> list[str]:
    return [doc.path for doc in workspace.vault.list(limit=1000).docs]


def ids(world: World) -> dict[str, str]:
    return dict(rows(world.path, "SELECT source_path, doc_id FROM macp_ext_vault_docs"))


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.hint
    return caught.value.reason


def test_answers_and_rows_are_the_protocols(world: World, root: Path, ann: Workspace) -> None:
    put(
        root,
        {
            "docs/My Guide-2.v1.MD": "\ufeff  ## The guide \r\nText 👋\n# Later",
            "b.txt": "#!/bin/sh\n",
            "c.rst": "no\n#\n# x",
        },
    )
    found = register(ann)
    assert list(found)[:3] == ["rootPath", "indexedDocs", "supportedExtensions"]
    assert (found["rootPath"], found["indexedDocs"]) == (str(root), 3)
    assert found["supportedExtensions"] == [".md", ".mdx", ".rst", ".txt"]
    listed = to_json(ann.vault.list())["docs"]
    assert [list(doc) for doc in listed] == [DOC] * 3
    assert [(doc["path"], doc["title"]) for doc in listed] == [
        *(("b.txt", "!/bin/sh"), ("c.rst", "c"), ("docs/My Guide-2.v1.MD", "The guide"))
    ]
    guide = listed[2]
    assert guide["tags"] == ["docs", "my", "guide", "2", "v1"]
    assert guide["sourcePath"] == str(root / "docs/My Guide-2.v1.MD")
    assert guide["updatedAt"] == "2020-09-13T12:26:40.123Z"
    one = to_json(ann.vault.get(path=" docs/My Guide-2.v1.MD "))["doc"]
    assert list(one) == [*DOC, "content"]
    assert one["content"] == "\ufeff  ## The guide \r\nText 👋\n# Later"
    ((mtime, updated, digest),) = rows(
        world.path, "SELECT source_mtime, updated_at, content_hash FROM macp_ext_vault_docs WHERE doc_path = 'b.txt'"
    )
    assert mtime == updated
    assert digest == hashlib.sha256(b"#!/bin/sh\n").hexdigest()
    assert rows(world.path, "SELECT registry_id, root_path, updated_by_agent_id FROM macp_ext_vault_registry") == [
        ("default", str(root), "ann")
    ]
    assert refused(lambda: ann.vault.get(path="none.md")) == "vault.unknown_doc"
    assert [doc.path for doc in ann.vault.list(tags=["Guide", "docs"]).docs] == [guide["path"]]
    assert ann.vault.list(tags=["none"]).docs == []
    assert [doc.path for doc in ann.vault.search(query="text 👋", tags=["docs"]).docs] == [guide["path"]]


def test_a_second_run_reads_nothing_and_keeps_ids(
    world: World, root: Path, ann: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, {f"d{n % 3}/f{n}.md": f"# Title {n}" for n in range(450)})
    assert changes(register(ann)) == (450, 0, 0, 0)
    before = ids(world)
    opened: list[str] = []
    real = os.open

    def watched(path: str, *rest: int, **where: int) -> int:
        if path.endswith(".md"):
            opened.append(path)
        return real(path, *rest, **where)

    monkeypatch.setattr(os, "open", watched)
    world.clock.advance(60)
    assert changes(register(ann)) == (0, 0, 0, 450)
    assert opened == []
    put(root, {"d0/f0.md": "# Other 0", "new.md": "new"}, LONG_AGO_NS + 10**9)
    put(root, {"d1/f1.md": "# Title 1"}, LONG_AGO_NS + 10**9)  # touched, not changed
    (root / "d2/f2.md").unlink()
    assert changes(register(ann)) == (1, 1, 1, 448)
    assert sorted(opened) == ["f0.md", "f1.md", "new.md"]
    after = ids(world)
    assert {path: after[path] for path in before if path in after} == {
        path: doc_id for path, doc_id in before.items() if not path.endswith("d2/f2.md")
    }
    assert [doc.title for doc in ann.vault.search(query="other").docs] == ["Other 0"]
    assert ann.vault.search(query='"Title 2"').docs == []


def test_a_file_that_changed_just_now_is_doubted(world: World, root: Path, ann: Workspace) -> None:
    """Same size, same time, other text: seen, since a file so young is read again."""
    (root / "a.md").write_text("one")
    register(ann)
    info = (root / "a.md").stat()
    (root / "a.md").write_text("two")
    os.utime(root / "a.md", ns=(info.st_atime_ns, info.st_mtime_ns))
    assert changes(register(ann)) == (0, 1, 0, 0)
    assert ann.vault.get(path="a.md").doc.content == "two"


def test_links_binaries_and_the_huge_are_left_out(root: Path, ann: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, {"secret.md": "secret"})
    put(
        root,
        {
            "ok.md": b"\xff\xfe invalid but text",
            "zero.md": b"text\0more",
            "late.txt": b"x" * 20_000 + b"\0",
            "huge.md": b"x" * 1_000_001,
            "full.md": b"x" * 1_000_000,
            ".hidden.md": "h",
            ".git/description.md": "h",
            ".notes/a.md": "h",
            "node_modules/p/README.md": "h",
            "image.png": b"x",
            "README": "no extension",
            "folder.md/inner.md": "in a folder that looks like a document",
        },
    )
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "self").symlink_to(root / "self")
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "out").symlink_to(outside, target_is_directory=True)
    os.mkfifo(root / "pipe.md")
    found = register(ann)
    assert paths(ann) == ["folder.md/inner.md", "full.md", "ok.md"]
    assert found["skipped"] == {"links": 4, "binary": 2, "large": 1}
    assert ann.vault.get(path="ok.md").doc.content == "\ufffd\ufffd invalid but text"
    assert ann.vault.search(query="secret").docs == []


def test_a_document_that_becomes_none_leaves(root: Path, ann: Workspace) -> None:
    put(root, {"a.md": "text", "b.md": "text", "c.md": "text"})
    register(ann)
    put(root, {"a.md": b"bin\0ary", "b.md": b"x" * 1_000_001}, LONG_AGO_NS + 1)
    found = register(ann)
    assert (found["removed"], found["skipped"], paths(ann)) == (2, {"binary": 1, "large": 1}, ["c.md"])


def test_only_inside_the_project_unless_allowed(world: World, root: Path, tmp_path: Path, ann: Workspace) -> None:
    put(tmp_path / "else", {"a.md": "else"})
    (root / "way-out").symlink_to(tmp_path / "else", target_is_directory=True)
    (root / ".git").mkdir()
    before = dump(world.path)
    for path in (tmp_path / "else", "..", "/", root / "way-out", f"{root}-more"):
        os.makedirs(f"{root}-more", exist_ok=True)
        assert refused(lambda path=path: register(ann, path)) == "vault.outside"  # type: ignore[misc]
    assert refused(lambda: register(ann, ".git")) == "vault.git_folder"
    assert refused(lambda: register(ann, "none")) == "vault.no_folder"
    (root / "file.md").write_text("x")
    assert refused(lambda: register(ann, "file.md")) == "vault.no_folder"
    assert refused(lambda: register(world.agent("rootless"), tmp_path / "else")) == "vault.outside"
    assert {**dump(world.path), "audit_log": [], "sessions": []}["macp_ext_vault_docs"] == before["macp_ext_vault_docs"]
    free = world.agent("free", root=str(root), vault_outside=True)
    assert register(free, tmp_path / "else")["indexedDocs"] == 1
    apart = world.agent("apart", root=str(root), worktree=str(tmp_path / "else"))
    assert register(apart, ".")["rootPath"] == str(tmp_path / "else")


def test_from_elsewhere_what_is_outside_is_the_same_whether_it_is_there_or_not(
    world: World, root: Path, tmp_path: Path
) -> None:
    put(root, {"docs/a.md": "a"})
    put(tmp_path / "else", {"a.md": "else"})
    (root / "way-out").symlink_to(tmp_path)
    far = world.agent("far", root=str(root), oversees=False)
    told = set()
    for path in ("/", "/nothing", "..", "../nothing", "~", "~root", "~nobody-such", "way-out/else", "way-out/nothing"):
        with pytest.raises(Problem) as problem:
            register(far, path)
        assert problem.value.data["path"] == path
        told.add((problem.value.reason, problem.value.message.removeprefix(path), problem.value.hint))
    assert [reason for reason, *_ in told] == ["vault.outside"]
    assert refused(lambda: register(far, "nothing")) == "vault.no_folder"
    assert register(far, "docs")["indexedDocs"] == register(far, root / "docs")["indexedDocs"] == 1


def test_a_second_root_does_not_wipe_the_first(world: World, root: Path, ann: Workspace) -> None:
    put(root, {"one/README.md": "first", "one/a.md": "a", "two/README.md": "second", "deep/two/README.md": "third"})
    register(ann, "one")
    register(ann, "two")
    register(ann, "deep/two")
    assert paths(ann) == ["README.md", "a.md", "two-2/README.md", "two/README.md"]
    assert [ann.vault.get(path=path).doc.content for path in paths(ann)] == ["first", "a", "third", "second"]
    before = ids(world)
    for folder in ("one", "two", "deep/two"):
        found = register(ann, folder)
        assert changes(found)[:3] == (0, 0, 0)
        assert rows(world.path, "SELECT root_path FROM macp_ext_vault_registry") == [(found["rootPath"],)]
    assert ids(world) == before
    assert len(rows(world.path, "SELECT * FROM comity_vault_roots")) == 3
    (root / "one/README.md").unlink()
    register(ann, "one")
    assert paths(ann) == ["a.md", "two-2/README.md", "two/README.md"]
    whole = register(ann, ".")  # a folder around them takes them over, ids and all
    assert whole["indexedDocs"] == 3
    assert paths(ann) == ["deep/two/README.md", "one/a.md", "two/README.md"]
    assert {path: ids(world)[path] for path in ids(world)} == {path: before[path] for path in ids(world)}


def test_what_the_original_does_to_the_vault_is_mended(world: World, root: Path, ann: Workspace) -> None:
    put(root, {"a.md": "ours", "b.md": "ours too"})
    register(ann)
    peer = Knower(world.path, "peer", "peer-session", world.clock)
    peer.register()
    peer.index_vault("/elsewhere", [("a.md", "A", "theirs"), ("z.md", "Z", "theirs")])
    assert ann.vault.search(query="ours").docs == []
    assert [doc.path for doc in ann.vault.search(query="theirs").docs] != []
    assert changes(register(ann)) == (2, 0, 0, 0)
    assert paths(ann) == ["a.md", "b.md", "project/a.md", "z.md"]
    assert ann.vault.get(path="project/a.md").doc.content == "ours"
    peer.index_vault(str(root), [("a.md", "A", "ours")])
    theirs = ids(world)[str(root / "a.md")]
    assert register(ann)["indexedDocs"] == 2
    assert ids(world)[str(root / "a.md")] == theirs
    peer.close()


def test_progress_and_cancelling(root: Path, ann: Workspace) -> None:
    put(root, {f"f{n}.md": "text" for n in range(500)})
    told: list[tuple[int, int]] = []

    def report(done: int, total: int, what: str) -> None:
        assert what
        told.append((done, total))

    ann.call("vault.register", {"path": "."}, report=report)
    assert told == [(0, 500), (200, 500), (400, 500), (500, 500)]

    class Stop:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 2

        def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
            return callback

    put(root, {f"f{n}.md": "other" for n in range(500)}, LONG_AGO_NS + 1)
    assert refused(lambda: ann.call("vault.register", {"path": "."}, Stop())) == "call.cancelled"
    assert changes(register(ann)) == (0, 100, 0, 400)  # what was done stays done


def test_two_processes_register_one_folder(world: World, root: Path, ann: Workspace) -> None:
    put(root, {f"d{n % 5}/f{n}.md": f"text {n}" for n in range(300)})
    running = [spawn("tests.rooms.vault.indexer", world.path, f"indexer-{n}", root, 5) for n in range(3)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for n in range(0, 60, 2):
        (root / f"d{n % 5}/f{n}.md").unlink()
    for process in running:
        process.communicate()
    assert [process.returncode for process in running] == [0, 0, 0]
    register(ann)
    wanted = sorted(str(path.relative_to(root)) for path in root.rglob("*.md"))
    assert paths(ann) == wanted
    assert len(ann.vault.search(query="text", limit=1000).docs) == 270
    check(world.path)


def test_a_failed_statement_loses_nothing(fault: Fault, root: Path) -> None:
    with World() as world:
        ann = world.agent("ann", root=str(root))
        put(root, {"a.md": "a", "b.md": "b"})
        register(ann)
        for n in range(1, 200):
            put(root, {"a.md": f"a {n}", f"c{n}.md": f"c {n}"}, LONG_AGO_NS + n)
            if n > 1:
                (root / f"c{n - 1}.md").unlink(missing_ok=True)
            fault.arm(n)
            try:
                register(ann)
            except Unavailable:
                assert fault.struck
            struck = fault.struck
            fault.disarm()
            check(world.path)
            register(ann)
            assert paths(ann) == ["a.md", "b.md", f"c{n}.md"]
            assert ann.vault.get(path="a.md").doc.content == f"a {n}"
            if not struck:
                return
        pytest.fail("an operation of 200 statements?")


def test_reading_changes_nothing(world: World, root: Path, ann: Workspace) -> None:
    put(root, {"a.md": "text"})
    register(ann)
    ann.vault.search(query="text")
    before = dump(world.path)
    ann.vault.search(query="text")
    ann.vault.search(query="text", rank=True)
    ann.vault.list()
    ann.vault.get(path="a.md")
    ann.context.query(query="text")
    ann.search.find(query="text")
    assert dump(world.path) == before


@pytest.mark.parametrize(
    ("content", "path", "title"),
    [
        ("", "a/b.c.md", "b.c"),
        ("text\n  ###   Title  \nmore", "x.md", "Title"),
        ("#hash", "x.md", "hash"),
        ("# \n# second", "x.md", "x"),
        ("\u00a0# nbsp\r\n", "x.md", "nbsp"),
        ("no heading", "no-extension", "no-extension"),
    ],
)
def test_titles(content: str, path: str, title: str) -> None:
    assert files.title(content, path) == title


def test_a_folder_that_becomes_a_link_gives_nothing_from_outside(root: Path, ann: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.md").write_text("# Outside")
    put(root, {"in/secret.md": "# Inside"})
    listing = files.listing(str(root))
    (root / "in").rename(root / "aside")
    (root / "in").symlink_to(tmp_path / "outside")
    assert [files.read(seen, 0) for seen in listing.files] == ["unreadable"]
    register(ann)
    assert ann.vault.search(query="outside").docs == []
