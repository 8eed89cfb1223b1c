"""A store as a job's effect has it: whatever it writes is refused once the job is not its runner's any more.

The check stands in the transaction that writes, so nothing can come between: who lost the job writes nothing, whichever
operations it calls and however late it wakes up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager

from comity.kernel.scope import Store, Tx, Waiter
from comity.rooms.jobs.runs import lost


class FencedStore:
    """``store`` for the effect of one job that was taken. Closing it closes nothing."""

    def __init__(self, store: Store, job_id: str, epoch: int) -> None:
        self._store = store
        self._job_id = job_id
        self._epoch = epoch
        self.busy_s = store.busy_s
        self.commits_wait = store.commits_wait

    def reading(self) -> AbstractContextManager[Tx]:
        """A read transaction."""
        return self._store.reading()

    @contextmanager
    def writing(self) -> Iterator[Tx]:
        """A transaction that writes. Conflict ``job.lost``."""
        with self._store.writing() as tx:
            if tx.one("jobs.held", job_id=self._job_id, epoch=self._epoch) is None:
                raise lost(self._job_id)
            yield tx

    def ring(self, agents: Collection[str], /) -> None:
        """Wake whoever waits for these agents."""
        self._store.ring(agents)

    def waiter(self, agents: Collection[str], /) -> Waiter:
        """What waits for commits that concern these agents."""
        return self._store.waiter(agents)

    def look(self) -> None:
        """See that other processes see what is done here. Raises Unavailable."""
        self._store.look()

    def size_bytes(self) -> int:
        """How much room the database takes."""
        return self._store.size_bytes()

    def close(self) -> None:
        """Nothing: the store is its owner's."""
