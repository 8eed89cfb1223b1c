"""Writing and reading profiles (MACP v1.0, reference section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.event import Event
from comity.kernel.javascript import distinct, trim
from comity.kernel.problem import Invalid, NotFound
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_list, read_strings
from comity.rooms.profiles.model import Profile, Skill, SkillText


def register(
    scope: Scope,
    slug: str,
    name: str,
    role: str,
    context_pack: str,
    skills: Sequence[SkillText],
    memory_keys: Sequence[str],
    vault_paths: Sequence[str],
) -> Profile:
    """Make or replace a profile. Its author and its age stay as they were."""
    profile = Profile(
        normal(slug),
        _said("name", name),
        _said("role", role),
        context_pack,
        [skill for skill in map(_normal_skill, skills) if skill.id and skill.name],
        distinct(memory_keys),
        distinct(vault_paths),
        scope.now.iso,
    )
    scope.tx.run(
        "profiles.upsert",
        slug=profile.slug,
        name=profile.name,
        role=profile.role,
        context_pack=profile.context_pack,
        skills=compact([skill._asdict() for skill in profile.skills]),
        memory_keys=compact(profile.memory_keys),
        vault_paths=compact(profile.vault_paths),
        author=scope.actor.agent_id,
        now=scope.now.iso,
    )
    scope.emit(Event("profile.registered", agent_id=scope.actor.agent_id, subjects=(("profile", profile.slug),)))
    return profile


def get(scope: Scope, slug: str) -> Profile:
    """One profile. NotFound ``profile.unknown``."""
    wanted = normal(slug)
    row = scope.tx.one("profiles.get", slug=wanted)
    if row is None:
        raise NotFound("profile.unknown", f"There is no profile {wanted!r}.", "List the profiles, or register it.")
    return profile_of(row)


def every(scope: Scope) -> list[Profile]:
    """All profiles, by slug."""
    return [profile_of(row) for row in scope.tx.all("profiles.list")]


def with_skill(scope: Scope, tag: str) -> list[Profile]:
    """Profiles of which a skill has exactly this tag, whatever its case."""
    wanted = trim(tag).lower()
    return [profile for profile in every(scope) if any(wanted in skill.tags for skill in profile.skills)]


def normal(slug: str) -> str:
    """A slug as it is stored: trimmed, lower case. Invalid ``profile.blank_slug``."""
    found = trim(slug).lower()
    if not found:
        raise Invalid("profile.blank_slug", "The slug is blank.", "Pass a short name such as reviewer.")
    return found


def _said(what: str, text: str) -> str:
    trimmed = trim(text)
    if not trimmed:
        raise Invalid("profile.blank_field", f"The {what} is blank.", f"Say in a word what the {what} is.", field=what)
    return trimmed


def _normal_skill(skill: SkillText) -> Skill:
    tags = dict.fromkeys(tag.lower() for tag in distinct(skill.tags or ()))
    return Skill(trim(skill.id).lower(), trim(skill.name), list(tags))


def profile_of(row: Row) -> Profile:
    """A row; what others wrote wrongly is read as empty."""
    slug, name, role, context_pack, skills, memory_keys, vault_paths, updated_at = row
    return Profile(
        slug,
        name,
        role,
        context_pack,
        [skill for item in read_list(skills) or [] if (skill := _skill_of(item)) is not None],
        read_strings(memory_keys) or [],
        read_strings(vault_paths) or [],
        updated_at,
    )


def _skill_of(item: object) -> Skill | None:
    if not isinstance(item, dict):
        return None
    skill_id, name, tags = item.get("id"), item.get("name"), item.get("tags")
    if not isinstance(skill_id, str) or not isinstance(name, str):
        return None
    return Skill(skill_id, name, [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [])
