"""Commands on documents and on everything that is known: vault, context and search."""

from __future__ import annotations

import os
from typing import Any

from cyclopts import App

from comity.doors.cli import clean
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.jobs import ProgressLine, show_begun
from comity.doors.cli.screen import Column, Part, Screen, count
from comity.doors.cli.tasks import operation
from comity.rooms.context.model import RankedResults, Results
from comity.rooms.jobs.model import OneJob
from comity.rooms.vault.model import Docs, Indexed, OneDoc


def _add(invocation: Invocation, values: Values) -> Any:
    invocation.take_part()
    values["path"] = os.path.abspath(os.path.expanduser(values["path"]))
    if values.pop("background", False):
        return invocation.workspace.call("vault.index", values)
    line = ProgressLine()
    try:
        return invocation.workspace.call("vault.register", values, report=line.show)
    finally:
        line.clear()


def _show_added(screen: Screen, done: Indexed | OneJob) -> None:
    if isinstance(done, OneJob):
        show_begun(screen, done)
    else:
        _show_indexed(screen, done)


def _show_indexed(screen: Screen, done: Indexed) -> None:
    changes = ", ".join(f"{number:,} {word}" for word, number in _changes(done) if number) or "nothing changed"
    screen.say(
        ("Indexed", "green"), f" {count(done.indexed_docs, 'document')} of {clean.line(done.root_path)}: {changes}."
    )
    left = ", ".join(f"{number:,} {word}" for word, number in done.skipped._asdict().items() if number)
    if left:
        screen.say((f"Left out: {left}.", "yellow"))


def _changes(done: Indexed) -> list[tuple[str, int]]:
    return [("added", done.added), ("updated", done.updated), ("removed", done.removed)]


def _show_docs(screen: Screen, listed: Docs) -> None:
    if not listed.docs:
        screen.say("No such document. comity vault add FOLDER indexes a folder.")
    if any(doc.snippet for doc in listed.docs):
        for doc in listed.docs:
            screen.say((doc.title, "bold"), "  ", (doc.path, "dim"))
            screen.say(doc.snippet, indent=2)
    else:
        columns = [Column("Path", flexible=True), Column("Title", flexible=True)]
        screen.table(columns, [[doc.path, doc.title] for doc in listed.docs])


def _show_doc(screen: Screen, one: OneDoc) -> None:
    screen.say(one.doc.content)


vault = App(name="vault", version_flags=[])
_LIST = command(
    operation("vault.list"), show=_show_docs, ops=("vault.list",), flags={"tags": "--tag"}, example="comity vault list"
)
vault.default(_LIST)
vault.command(_LIST, name="list")
vault.command(
    command(
        _add,
        show=_show_added,
        ops=("vault.register",),
        options=(
            Option("path", str, "The folder, from the working directory.", positional=True),
            Option("background", bool, "Answer at once, and have a server or an agent's session do it.", default=False),
        ),
        doc="""Index a folder's documents, or what changed in it since.

        Markdown, reStructuredText and text files count; links, hidden folders, binary and huge files are left out.
        """,
        example="comity vault add docs",
    ),
    name="add",
)
vault.command(
    command(
        operation("vault.search"),
        show=_show_docs,
        ops=("vault.search",),
        positional=("query",),
        flags={"tags": "--tag"},
        example="comity vault search 'release process' --rank",
    ),
    name="search",
)
vault.command(
    command(
        operation("vault.get"),
        show=_show_doc,
        ops=("vault.get",),
        positional=("path",),
        example="comity vault show docs/release.md",
    ),
    name="show",
)

_KINDS = {"memory": "magenta", "vault_doc": "cyan", "task": "yellow", "goal": "green"}


def _show_results(screen: Screen, found: Results | RankedResults) -> None:
    if not found.results:
        screen.say("Nothing is known about it.")
    for result in found.results:
        path = result.metadata.get("path")
        where: Part = (str(path) if path else result.id, "dim")
        kind: Part = (result.kind.replace("_", " "), _KINDS.get(result.kind, ""))
        screen.say(kind, "  ", (result.title, "bold"), "  ", where)
        screen.say(result.snippet, indent=2)


context = command(
    operation("context.query"),
    show=_show_results,
    ops=("context.query",),
    positional=("query",),
    flags={"channel_id": "--channel"},
    example="comity context 'how to release'",
)
search = command(
    operation("search.find"),
    show=_show_results,
    ops=("search.find",),
    positional=("query",),
    flags={"channel_id": "--channel", "kinds": "--kind"},
    example="comity search 'release process' --kind vault_doc",
)
