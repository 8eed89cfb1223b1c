"""JSON-RPC batches, which only MCP 2025-03-26 has: many messages on one line, and their answers."""

from __future__ import annotations


class Batch:
    """Collects the answers of one batch; complete once sealed and nothing is awaited any more."""

    __slots__ = ("_answers", "_awaited", "_sealed")

    def __init__(self) -> None:
        self._answers: list[bytes] = []
        self._awaited = 0
        self._sealed = False

    def add(self, answer: bytes) -> None:
        """An answer that was ready at once."""
        self._answers.append(answer)

    def expect(self) -> None:
        """One more answer will follow, by `answered` or `forgotten`."""
        self._awaited += 1

    def answered(self, answer: bytes) -> bytes | None:
        """An awaited answer came; the batch's line if it was the last."""
        self._answers.append(answer)
        return self.forgotten()

    def forgotten(self) -> bytes | None:
        """An awaited answer will never come; the batch's line if it was the last."""
        self._awaited -= 1
        return self._line()

    def seal(self) -> bytes | None:
        """Every message has been read; the batch's line if no answer is awaited and there is one."""
        self._sealed = True
        return self._line()

    def _line(self) -> bytes | None:
        if not self._sealed or self._awaited or not self._answers:
            return None
        return b"[" + b",".join(self._answers) + b"]"
