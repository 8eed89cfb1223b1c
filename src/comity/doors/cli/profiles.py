"""Commands on profiles: ``comity profiles`` lists them; its verbs describe, show and find them."""

from __future__ import annotations

from typing import Any

from cyclopts import App

from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen
from comity.doors.cli.tasks import operation
from comity.kernel.problem import Invalid
from comity.rooms.profiles.model import Profile, Profiles, Registered


def _show_profiles(screen: Screen, listed: Profiles) -> None:
    if not listed.profiles:
        screen.say("There is no such profile: comity profiles register reviewer Reviewer 'Reads changes.'")
    columns = [Column("Slug"), Column("Name", flexible=True), Column("Role", flexible=True), Column("Skills", True)]
    screen.table(columns, [[p.slug, p.name, p.role, _skills(p)] for p in listed.profiles])


def _skills(profile: Profile) -> str:
    return ", ".join(skill.name for skill in profile.skills)


def _show_profile(screen: Screen, one: Registered) -> None:
    profile = one.profile
    pairs = [
        ("Slug", profile.slug),
        ("Name", profile.name),
        ("Role", profile.role),
        ("Skills", "; ".join(f"{skill.name} ({', '.join(skill.tags)})" for skill in profile.skills)),
        ("Memory", ", ".join(profile.memory_keys)),
        ("Documents", ", ".join(profile.vault_paths)),
    ]
    screen.fields(pair for pair in pairs if pair[1])
    if profile.context_pack:
        screen.say("")
        screen.say(profile.context_pack)


def _register(invocation: Invocation, values: Values) -> Any:
    skills = [_skill(text) for text in values.pop("skill", None) or ()]
    invocation.take_part()
    return invocation.call("profile.register", skills=skills, **values)


def _skill(text: str) -> dict[str, object]:
    """``id:name:tag,tag`` as a skill."""
    name, _, rest = text.partition(":")
    title, _, tags = rest.partition(":")
    if not name.strip():
        raise Invalid(
            "skill.unreadable", f"{text!r} is no skill.", "Write id:name:tag,tag; name and tags may be left out."
        )
    return {"id": name, "name": title or name, "tags": [tag for tag in tags.split(",") if tag.strip()]}


profiles = App(name="profiles", version_flags=[])
profiles.default(
    command(operation("profile.list"), show=_show_profiles, ops=("profile.list",), example="comity profiles")
)
profiles.command(
    command(operation("profile.list"), show=_show_profiles, ops=("profile.list",), example="comity profiles list"),
    name="list",
)
profiles.command(
    command(
        _register,
        show=_show_profile,
        ops=("profile.register",),
        positional=("slug", "name", "role"),
        omit=("skills",),
        flags={"context_pack": "--pack", "memory_keys": "--memory", "vault_paths": "--document"},
        options=(
            Option("skill", list[str] | None, "A skill: id:name:tag,tag (repeatable, at most 64).", default=None),
        ),
        example="comity profiles register reviewer Reviewer 'Reads changes.' --skill review:Review:python,tests",
    ),
    name="register",
)
profiles.command(
    command(
        operation("profile.get"),
        show=_show_profile,
        ops=("profile.get",),
        positional=("slug",),
        example="comity profiles get reviewer",
    ),
    name="get",
)
profiles.command(
    command(
        operation("profile.find"),
        show=_show_profiles,
        ops=("profile.find",),
        positional=("skill_tag",),
        example="comity profiles find python",
    ),
    name="find",
)
