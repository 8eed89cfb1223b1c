"""Records and argument types of profiles (MACP v1.0, reference section 4.6)."""

from __future__ import annotations

from comity.kernel.argument import Items, Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple

MAX_PACK = 1_000_000  # characters
_TAG = Annotated[str, Text(max=200)]

Name = Annotated[str, Text("What people call it.", min=1, max=200)]
Role = Annotated[str, Text("What an agent with it does.", min=1, max=2000)]
ContextPack = Annotated[str, Text("What an agent with it should know.", max=MAX_PACK)]
MemoryKeys = Annotated[list[Annotated[str, Text(max=1000)]], Items("Memories it needs.", max=256)]
VaultPaths = Annotated[list[Annotated[str, Text(max=2000)]], Items("Documents it needs.", max=256)]
SkillTag = Annotated[str, Text("A tag of a skill.", min=1, max=200)]


class Skill(NamedTuple):
    """Something an agent can do."""

    id: str
    name: str
    tags: list[str]


class SkillText(NamedTuple):
    """A skill as a caller writes it."""

    id: Annotated[str, Text(min=1, max=200)]
    name: Annotated[str, Text(min=1, max=200)]
    tags: Annotated[list[_TAG], Items(max=64)] | None = None


Skills = Annotated[list[SkillText], Items("What it can do: id, name and tags.", max=64)]


class Profile(NamedTuple):
    """A role that an agent can take on."""

    slug: str
    name: str
    role: str
    context_pack: str
    skills: list[Skill]
    memory_keys: list[str]
    vault_paths: list[str]
    updated_at: str


class Registered(NamedTuple):
    """One profile."""

    profile: Profile


class Profiles(NamedTuple):
    """Profiles by slug."""

    profiles: list[Profile]
