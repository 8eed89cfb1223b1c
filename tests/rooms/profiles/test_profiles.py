"""Profiles as the protocol has them (reference 4.6), their slugs always normalised (E-13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity import Problem
from comity.kernel.record import to_json
from comity.testing import World
from tests.wire_format import rows

PROFILE = ["slug", "name", "role", "contextPack", "skills", "memoryKeys", "vaultPaths", "updatedAt"]


def register(workspace: Any, slug: str = "reviewer", **fields: Any) -> dict[str, Any]:
    values = {"slug": slug, "name": "Reviewer", "role": "Reads.", **fields}
    found: dict[str, Any] = to_json(workspace.profile.register(**values))["profile"]
    return found


def test_registering_normalises(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    made = register(
        ann,
        " Re Viewer\ufeff",
        name=" R ",
        role=" r ",
        context_pack=" as it is ",
        skills=[
            {"id": " Py ", "name": " Python ", "tags": [" A ", "a", "b"]},
            {"id": " ", "name": "none"},
            {"id": "x", "name": " "},
            {"id": "go", "name": "Go"},
        ],
        memory_keys=[" k ", "k", ""],
        vault_paths=["b", "a", "b"],
    )
    assert list(made) == PROFILE
    assert made == {
        "slug": "re viewer",
        "name": "R",
        "role": "r",
        "contextPack": " as it is ",
        "skills": [{"id": "py", "name": "Python", "tags": ["a", "b"]}, {"id": "go", "name": "Go", "tags": []}],
        "memoryKeys": ["k"],
        "vaultPaths": ["b", "a"],
        "updatedAt": world.clock.now().iso,
    }
    world.clock.advance(1)
    register(bob, "RE VIEWER")
    ((author, created, updated, skills),) = rows(
        world.path, "SELECT author_agent_id, created_at, updated_at, skills_json FROM macp_ext_profiles"
    )
    assert (author, updated > created, json.loads(skills)) == ("ann", True, [])


def test_getting_listing_and_finding(world: World) -> None:
    ann = world.agent("ann")
    register(ann, "b", skills=[{"id": "s", "name": "s", "tags": ["Python", "sql"]}])
    register(ann, "a", skills=[{"id": "s", "name": "s", "tags": ["python-3"]}])
    assert [one.slug for one in ann.profile.list().profiles] == ["a", "b"]
    assert [one.slug for one in ann.profile.find(skill_tag=" PYTHON ").profiles] == ["b"]
    assert ann.profile.find(skill_tag="s").profiles == []
    assert ann.profile.get(slug=" B ").profile.slug == "b"
    with pytest.raises(Problem) as caught:
        ann.profile.get(slug="c")
    assert caught.value.reason == "profile.unknown"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"slug": " "}, "profile.blank_slug"),
        ({"name": " \ufeff"}, "profile.blank_field"),
        ({"role": "\t"}, "profile.blank_field"),
        ({"skills": [{"id": "x"}]}, "argument.invalid"),
        ({"skills": ["x"]}, "argument.invalid"),
        ({"skills": [{"id": "x", "name": "y", "more": 1}]}, "argument.invalid"),
        ({"skills": [{"id": 1, "name": "y"}]}, "argument.invalid"),
        ({"skills": [{"id": "x", "name": "y", "tags": "z"}]}, "argument.invalid"),
        ({"context_pack": None, "memory_keys": [1]}, "argument.invalid"),
    ],
)
def test_what_cannot_be_is_refused(world: World, fields: dict[str, Any], reason: str) -> None:
    ann = world.agent("ann")
    with pytest.raises(Problem) as caught:
        register(ann, **fields)
    assert caught.value.reason == reason
    assert caught.value.hint
    assert rows(world.path, "SELECT count(*) FROM macp_ext_profiles") == [(0,)]


def test_a_registered_slug_is_the_one_that_sessions_take(world: World) -> None:
    ann = world.agent("ann")
    register(ann, " Rev ")
    assert ann.session.start(profile_slug="REV").profile_slug == "rev"


def test_what_others_wrote_wrongly_is_read_as_empty(world: World) -> None:
    ann = world.agent("ann")
    rows(
        world.path,
        'INSERT INTO macp_ext_profiles VALUES (\'odd\', \'n\', \'r\', \'\', \'[{"id": 1}, 5, {"id": "a", "name": "b",'
        " \"tags\": [1, \"t\"]}]', '{', 'null', 'ann', '', '')",
    )
    profile = ann.profile.get(slug="odd").profile
    assert to_json(profile)["skills"] == [{"id": "a", "name": "b", "tags": ["t"]}]
    assert (profile.memory_keys, profile.vault_paths) == ([], [])
