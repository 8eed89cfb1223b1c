"""Keeping copies of work in progress: the files between transactions, their rows inside."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Actor, Scope
from comity.kernel.steps import Steps
from comity.rooms.rescue import versions
from comity.rooms.work.facts import FilePlace
from comity.system.copies import NAME as FOLDER
from comity.system.copies import Copies, Kept
from comity.system.deadline import DEADLINE

MOST_AT_ONCE = 500  # files that one look keeps
_TIDY_EVERY = 16  # versions
_ANSWER_S = 0.12  # what a hook needs yet when copies are taken: it answers in time, whatever is kept
_DAY_MS = 86_400_000


class Saved(NamedTuple):
    """A file of which there is a copy now, and whose work it is."""

    place: FilePlace
    file_path: str
    agent_id: str
    kept: Kept


def copies(actor: Actor) -> Copies | None:
    """The copies beside the database; None where none are kept."""
    if not actor.database or actor.keeping.total_bytes <= 0:
        return None
    return Copies(os.path.dirname(actor.database), durable=actor.keeping.durable)


def keep(actor: Actor, wanted: Iterable[tuple[FilePlace, str, str, str]]) -> list[Saved]:
    """Keep files, each given by its place, its path in the checkout, its agent and its absolute path.

    What cannot be read or is too large is left out; when the disk is full, or the time is over, so is the rest.
    """
    store = copies(actor)
    found: list[Saved] = []
    if store is None:
        return found
    ours = (actor.database, os.path.join(os.path.dirname(actor.database), FOLDER, ""))
    for place, file_path, agent_id, path in wanted:
        if path.startswith(ours):
            continue  # nobody opens the database but SQLite
        if len(found) >= MOST_AT_ONCE or DEADLINE.left_s(_ANSWER_S) < _ANSWER_S:
            break
        try:
            kept = store.keep_file(path, actor.keeping.file_bytes)
        except OSError:
            break
        if kept is not None:
            found.append(Saved(place, file_path, agent_id, kept))
    return found


def record(scope: Scope, saved: Sequence[Saved]) -> None:
    """Write down what is kept; now and then what is too old is let go of, and the oldest of what is too much."""
    for one in saved:
        versions.keep(scope, one.place, one.file_path, one.agent_id, one.kept)
    if saved and versions.newest_id(scope) % _TIDY_EVERY < len(saved):
        keeping = scope.actor.keeping
        versions.forget(scope, keeping.total_bytes, scope.now.ms - keeping.days * _DAY_MS)


def tidy(steps: Steps, saved: Sequence[Saved]) -> None:
    """Now and then remove copies of which nothing is written down any more. Raises OSError."""
    store = copies(steps.actor)
    if store is not None and any(one.kept.content.startswith("0") for one in saved):
        store.remove_all_but(steps.read(versions.contents))
