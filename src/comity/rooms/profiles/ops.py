"""Operations on profiles."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import Slug
from comity.rooms.profiles import roles
from comity.rooms.profiles.model import (
    ContextPack,
    MemoryKeys,
    Name,
    Profiles,
    Registered,
    Role,
    Skills,
    SkillTag,
    VaultPaths,
)


@op(
    "profile.register",
    effect="write",
    needs="session",
    example={
        "slug": "reviewer",
        "name": "Reviewer",
        "role": "Reads changes before they are merged.",
        "skills": [{"id": "review", "name": "Code review", "tags": ["review", "python"]}],
    },
)
def register_profile(
    scope: Scope,
    *,
    slug: Slug,
    name: Name,
    role: Role,
    context_pack: ContextPack = "",
    skills: Skills | None = None,
    memory_keys: MemoryKeys | None = None,
    vault_paths: VaultPaths | None = None,
) -> Registered:
    """Describe a role that agents can take on, or replace its description."""
    made = roles.register(scope, slug, name, role, context_pack, skills or [], memory_keys or [], vault_paths or [])
    return Registered(made)


@op("profile.get", effect="read", needs="session", example={"slug": "reviewer"})
def get_profile(scope: Scope, *, slug: Slug) -> Registered:
    """Read one profile with its skills and what it needs to know."""
    return Registered(roles.get(scope, slug))


@op("profile.list", effect="read", needs="session", example={})
def list_profiles(scope: Scope) -> Profiles:
    """List all profiles."""
    return Profiles(roles.every(scope))


@op("profile.find", effect="read", needs="session", example={"skill_tag": "python"})
def find_profiles(scope: Scope, *, skill_tag: SkillTag) -> Profiles:
    """Find profiles by a tag of their skills."""
    return Profiles(roles.with_skill(scope, skill_tag))
