"""What must be said before a task counts as done, or is given back; it binds whichever operation does that."""

from __future__ import annotations

from comity.kernel.javascript import trim
from comity.kernel.problem import Conflict, Invalid
from comity.kernel.quoting import quoted
from comity.kernel.text import compact
from comity.rooms.tasks.lookup import facts
from comity.rooms.tasks.model import Contract, Found, label

_DEMANDS = ("completion_contract", "required_evidence")


def stored(contract: Contract) -> str:
    """A contract as its row holds it."""
    links = {} if contract.links is None else {key: value for key, value in contract.links._asdict().items() if value}
    lists = {key: value or [] for key, value in contract._asdict().items() if key not in ("strict", "links")}
    return compact({"strict": contract.strict, **lists, "links": links})


def check_result(seen: Found, notes: str, least: int) -> None:
    """Refuse a result that lacks something its contract asks for or, without a contract, is too short."""
    contract = seen.task.contract
    if contract is None:
        if len(trim(notes)) < least:
            raise Invalid(
                "task.notes_short",
                f"{label(seen.task)} needs notes of at least {least} characters to be done.",
                "Say in the notes what you did, and how it was checked.",
                **facts(seen),
                leastCharacters=least,
            )
        return
    said = notes.casefold()
    missing = [text for key in _DEMANDS for text in _texts(contract.get(key)) if text.casefold() not in said]
    if missing:
        raise Conflict(
            "task.contract_unmet",
            f"The notes on {label(seen.task)} do not mention: {quoted('; '.join(missing), 2000)}.",
            "Do what the contract asks for, and say so in the notes in its own words.",
            **facts(seen),
            missing=missing,
        )


def check_handoff(seen: Found, summary: str) -> None:
    """Refuse to give back a task with a strict contract without a word on where it stands."""
    contract = seen.task.contract
    if contract is not None and contract.get("strict") is True and not trim(summary):
        raise Conflict(
            "task.no_summary",
            f"{label(seen.task)} has a strict contract: giving it back needs a summary.",
            "Say in the summary what is done and what is not.",
            **facts(seen),
        )


def _texts(listed: object) -> list[str]:
    return [text for text in listed if isinstance(text, str)] if isinstance(listed, list) else []
