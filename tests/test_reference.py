"""The reference: whatever is defined in the source has its place in it, and a reader needs to know no Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from comity.dialects.macp.tools import TOOLS as MACP
from comity.dialects.masc.tools import TOOLS as MASC
from comity.kernel import problem
from comity.kernel.event import Event
from comity.rooms import REGISTRY
from tests.sim.test_faults import SCENES, outcome
from tests.wire_format import rows
from tests.worlds import fresh

ROOT = Path(__file__).resolve().parent.parent
SOURCE, REFERENCE = ROOT / "src" / "comity", ROOT / "docs" / "reference"
KINDS = {kind.__name__ for kind in problem.Problem.__subclasses__()}
FIX = "; run `make generate` and commit it"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


@cache
def written() -> dict[str, set[str]]:
    """The texts that stand as the first argument of each name that the source calls."""
    found: dict[str, set[str]] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            first = node.args[0] if isinstance(node, ast.Call) and node.args else None
            if isinstance(node, ast.Call) and isinstance(first, ast.Constant) and isinstance(first.value, str):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                found.setdefault(name, set()).add(first.value)
    return found


def sections(text: str) -> dict[str, str]:
    """What stands under each heading of the third order."""
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", sorted(REGISTRY.names()))
def test_every_operation_has_a_page_without_python_types_and_stray_code(name: str) -> None:
    assert (REFERENCE / f"{name}.md").exists(), name + FIX
    text = page(name)
    assert f"# {name}\n" in text
    assert f"]({name}.md)" in page("index")
    assert not re.search(r"comity\.rooms|<class|tuple\[|list\[|\bNone\b.*\||``", text)
    assert not re.search(r"^ {4}", text, re.MULTILINE), "half a docstring would be shown as code"


def test_pages_name_the_tools_of_both_surfaces() -> None:
    tools = {tool.name: tool.op for tool in MACP} | {tool.name: tool.op for tool in MASC if not tool.alias}
    for name, op_name in tools.items():
        assert f"`{name}`" in page(op_name), name
    without = {op.name for op in REGISTRY} - {*tools.values()}
    assert {op.name for op in REGISTRY if "MCP tool: none" in page(op.name)} == without


def test_links_of_the_reference_lead_somewhere() -> None:
    for path in REFERENCE.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\(([\w./-]+)(?:#([\w-]+))?\)", text):
            there = (path.parent / target).resolve()
            assert there.is_file(), f"{path.name}: {target}"
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
            assert not anchor or anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_every_reason_is_explained() -> None:
    reasons = {
        reason for kind in KINDS for reason in written().get(kind, ()) if re.fullmatch(r"\w+\.\w+|MACP_\w+", reason)
    }
    assert len(reasons) > 150
    told = {
        line.split(" | ")[0].removeprefix("| ").strip("`"): line.split(" | ")
        for line in page("problems").splitlines()
        if line.startswith("| `")
    }
    assert sorted(reasons - told.keys()) == [], FIX
    for reason, cells in told.items():
        if reason not in {kind.kind for kind in problem.Problem.__subclasses__()}:
            assert cells[3].strip(), f"{reason}: no message"


def test_every_type_of_event_is_explained() -> None:
    types = written()[Event.__name__]
    assert len(types) > 20
    assert sorted(types - sections(page("events")).keys()) == [], FIX


def test_events_that_operations_append_are_on_the_page_with_what_they_carry() -> None:
    told = sections(page("events"))
    seen = set()
    for make in SCENES:
        with fresh() as world:
            scene = make(world)
            last = rows(world.path, "SELECT coalesce(max(id), 0) FROM audit_log")[0][0]
            assert outcome(scene) == scene.refusal, scene.operation
            for event_type, keys in appended(world.path, last):
                section = told.get(event_type, "")
                missed = f"{scene.operation} appends {event_type}, which tools/emissions.py does not find"
                assert f"[`{scene.operation}`]" in section, missed
                assert "and others" in section or keys <= set(re.findall(r"`([\w.]+)`", section)), (event_type, keys)
                seen.add(event_type)
    assert len(seen) > 30


def appended(path: str, last: object) -> Iterator[tuple[str, set[str]]]:
    """The types of events after one, and the keys of their metadata."""
    query = (
        "SELECT e.event_type, (SELECT group_concat(key) FROM json_each(e.metadata_json)) FROM audit_log e"
        f" WHERE e.id > {last}"
    )
    for event_type, keys in rows(path, query):
        yield str(event_type), set(str(keys).split(",")) if keys else set()
