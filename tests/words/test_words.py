"""Words of agents, wherever a model reads them: always one quoted line, no tag, no escape, nothing unseen."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from comity.dialects.macp.tools import TOOLS as MACP_TOOLS
from comity.dialects.masc import resources, text
from comity.dialects.masc.text import TEXTS
from comity.dialects.masc.tools import TOOLS as MASC_TOOLS
from comity.kernel import quoting
from comity.mcp import wire
from comity.rooms.turns import brief
from comity.rooms.turns import message_lines as fence
from tests.words import places
from tests.words.hostile import MARK, PLAIN, corpus
from tests.words.scene import Scene

SHARES = 4
FENCES = frozenset({brief.OPEN, brief.CLOSE, fence.OPEN, fence.CLOSE})
# Texts that are as long as a number of tokens, so that long words leave no room for others.
BUDGETED = frozenset(
    {
        "brief and messages at the start of a context",
        "messages between two tools",
        "messages at the end of a turn",
        "notice of a change",
    }
)
# Answers that hold no word of others as the scene has it; what they could hold stands in other places.
SILENT = frozenset(
    {
        "masc_join",
        "masc_heartbeat",
        "masc_broadcast",
        "masc_add_task",
        "masc_batch_add_tasks",
        "masc_claim_task",
        "masc_complete_task",
        "masc_release_task",
        "masc_check",
        "masc_plan_set_task",
        "masc_plan_get_task",
        "masc_plan_clear_task",
        "masc_set_current_task",
        "masc_note_add",
        "masc_run_log",
        "masc_deliver",
        "masc_run_deliverable",
        "masc_error_add",
        "masc_error_resolve",
        "masc_radar",
        "masc_worktree_create",
        "masc_worktree_remove",
        "masc_set_room",
        "macp_get_instructions",
        "macp_send_direct",
        "macp_ext_complete_task",
        "macp_ext_block_task",
        "macp_ext_release_task",
        "macp_ext_list_rescued",
        "masc://schema",
        "masc://schema.json",
        "masc://tool-help-index",
        "masc://tool-help-index.json",
    }
)
UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00\ufe0f\U000e0100\U000e01ef\U0001d159")
ARROWS = ("--> ", "-> ")
# Members of JSON that are sentences of Comity's own, in which words of others may stand.
SENTENCES = frozenset({"message", "hint", "reason", "why", "fix_hint", "attention", "refusal", "warning", "note"})


def test_there_are_enough_texts() -> None:
    texts = corpus()
    assert len(texts) >= 300
    assert all(MARK in one for one in texts)


def test_no_tool_and_no_resource_is_left_out() -> None:
    listed = {*places.MASC, *places.MACP} | places.OWN_WORDS
    assert {tool.name for tool in MASC_TOOLS} | {tool.name for tool in MACP_TOOLS} == listed
    assert set(TEXTS) - {"events"} <= set(places.MASC) | places.OWN_WORDS
    assert {one.text for one in resources.RESOURCES if one.op} <= set(TEXTS)
    assert set(places.RESOURCES) == {one["uri"] for one in resources.listed()}
    assert not {*places.MASC, *places.MACP} & places.OWN_WORDS


def test_one_function_quotes_on_one_line() -> None:
    for words in (*corpus(), f"{MARK} lone \ud800\udfff", ""):
        for most in (10, 400):
            told = quoting.quoted(words, most)
            assert told[0] == told[-1] == '"'
            assert '"' not in told[1:-1]
            assert len(told) <= most + 3
            assert list(_in_line(told)) == []
    assert quoting.quoted("as it is, \u4f60\u597d, \xe9 \U0001f389") == '"as it is, \u4f60\u597d, \xe9 \U0001f389"'
    assert quoting.plain("a\u200db \u2764\ufe0f") == "a b \u2764"


def test_json_has_the_same_value() -> None:
    for words in corpus():
        value = {"text": words, words: [words]}
        for document in (wire.encode(value).decode(), wire.pretty(value), wire.pretty(value, lenient=True)):
            assert json.loads(document) == value
            assert not set("<>") & set(document)
            assert not [sign for sign in set(document) - {"\n"} if _is_unseen(sign)]
    assert json.loads(wire.encode("\ud800<")) == "\ufffd<"


def test_states_and_times_of_other_implementations() -> None:
    """Whatever stands in a column that is a word here."""
    for words in corpus()[::7]:
        task = {"id": None, "task_id": words, "status": words, "priority": words, "title": words, "assignee": words}
        agent = {"agent_id": words, "name": words, "status": words, "presence": {"state": words, "last_seen": words}}
        event = {"timestamp": words, "event_type": words, "agent_id": words}
        message = {"seq": 1, "created_at": words, "from_name": words, "from_agent_id": words, "content": words}
        sent = {"seq": 1, "channel_id": words, "recipients": 1, "mentioned": [words], "unknown_mentions": [words]}
        for line in (
            text.task_line({**task, "waiting_on": [task]}),
            text.transition({"task": {**task, "version": 1}, "changed": True, "from_state": words}),
            text.agents({"agents": [agent]}),
            text.events({"events": [event]}),
            text.messages({"messages": [message], "cursor": 1}).split("\n")[0],
            text.announced(sent),
        ):
            assert "\n" not in line
            assert list(_in_line(line)) == []


@pytest.mark.parametrize("share", range(SHARES))
def test_peers_words_stay_quoted_everywhere(share: int) -> None:
    wrong = []
    with Scene() as scene:
        lines = {}
        scene.write(PLAIN)
        for place, view in places.PLACES.items():
            lines[place] = _prose_of(view(scene)).count("\n")
        for words in corpus()[share::SHARES]:
            scene.write(words)
            told = {}
            for place, view in places.PLACES.items():
                told[place] = view(scene)
                wrong += [f"{place}: {why}, of {words[:60]!r}" for why in _faults(told[place])]
                if _breaks_out(place, _prose_of(told[place]), lines[place]):
                    wrong.append(f"{place}: as many lines as the text wants, of {words[:60]!r}")
            wrong += _hosts(told)
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:40])


def test_the_places_hold_the_text_at_all() -> None:
    """What is looked at is there: a place that never showed a peer's words would prove nothing."""
    with Scene() as scene:
        scene.write(PLAIN)
        shown = {place for place, view in places.PLACES.items() if MARK in view(scene)}
    assert set(places.HOOKS) <= shown
    silent = set(places.PLACES) - shown
    assert silent <= SILENT, sorted(silent - SILENT)


def _breaks_out(place: str, prose: str, lines: int) -> bool:
    """Whether a text makes more lines, or fewer where no budget cuts them. A footer says what is cut."""
    if prose[:1] in ("{", "["):
        return False
    found = prose.count("\n")
    return found > lines + 1 if place in BUDGETED else found != lines


def _hosts(told: dict[str, str]) -> list[str]:
    """Each host hands its model exactly what the operations said, and nothing of it breaks out of the host's form."""
    texts = [
        told["brief and messages at the start of a context"],
        told["refusal of an edit: a path"],
        told["messages at the end of a turn"],
    ]
    wrong = []
    for where, raw, given in places.replies(texts):
        if raw.startswith("{") and (not raw.isascii() or not raw.isprintable()):
            wrong.append(f"{where}: the answer is more than a line of ASCII")
        if MARK in given and not any(given in (one, one.strip()) for one in texts):
            wrong.append(f"{where}: other words than were said: {given[:80]!r}")
    return wrong


def _prose_of(answer: str) -> str:
    return answer.partition(places.SEPARATOR)[0]


def _faults(answer: str) -> Iterator[str]:
    prose, _, structured = answer.partition(places.SEPARATOR)
    for document in filter(None, (structured, prose if prose[:1] in ("{", "[") else "")):
        yield from _in_json(document)
    if prose[:1] not in ("{", "["):
        yield from _in_prose(prose)


def _in_json(document: str) -> Iterator[str]:
    value = json.loads(document)
    if set("<>") & set(document):
        yield "an angle bracket in JSON"
    if found := [sign for sign in set(document) - {"\n"} if _is_unseen(sign)]:
        yield f"{found!r} in JSON"
    for sentence in _sentences(value):
        yield from _in_line(sentence)


def _sentences(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        own = "kind" in value or "reasonCode" in value or "next_steps" in value or "guidance" in value
        for name, item in value.items():
            if name not in ("details", "metadata", "data"):
                yield from _sentences(item, name if own or key in ("next_steps", "guidance", "recovery") else "")
    elif isinstance(value, list):
        for item in value:
            yield from _sentences(item, key)
    elif isinstance(value, str) and key in SENTENCES:
        yield value


def _in_prose(prose: str) -> Iterator[str]:
    for line in prose.split("\n"):
        if line not in FENCES:
            yield from _in_line(line)


def _in_line(line: str) -> Iterator[str]:
    if found := [sign for sign in set(line) if _is_unseen(sign)]:
        yield f"{found!r} in {line[:80]!r}"
    bare = line
    for arrow in ARROWS:
        bare = bare.replace(arrow, "")
    if set("<>") & set(bare):
        yield f"an angle bracket in {line[:80]!r}"
    if line.count('"') % 2:
        yield f"an open quotation in {line[:200]!r}"
    outside = "".join(line.split('"')[::2])
    if MARK in outside:
        yield f"words outside of quotation marks: {line[:200]!r}"
    if '\\"' in line:
        yield f"a quotation mark that seems to be taken away in {line[:80]!r}"


@cache
def _is_unseen(sign: str) -> bool:
    return unicodedata.category(sign) in UNSEEN or sign in BLANK
