"""Settings where a file or a variable of them is spoiled: what can be read of them counts, the rest is as by default.

A typing error must not switch the guard off, nor keep an agent's server from starting: both go on without the setting
that nobody understands, and say so. Loaded only then.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping

from comity import settings
from comity.kernel.problem import Invalid
from comity.project import CONFIG, FOLDER
from comity.setting_list import BY_NAME, SETTINGS
from comity.settings import MAX_FILE_BYTES, TOML_NAME, Settings, SettingsFile
from comity.system import files

REASONS = ("config.unreadable", "config.unknown_setting", "setting.invalid")
_LINE = re.compile(r"\s*\w+\s*=.+")
_DATABASE = ".macp.db"


def around(
    flags: Mapping[str, str | None], env: Mapping[str, str], cwd: str, wrong: Invalid, *, variables: bool = True
) -> Settings:
    """The settings for one process without what is spoiled in files and, with ``variables``, in the environment.

    ``wrong`` is what ``settings.resolve`` raised; it is raised again where more than a setting is spoiled.
    """
    if wrong.reason not in REASONS:
        raise wrong
    root = settings.workspace_of(env, cwd)
    own = {name: text for name, text in env.items() if not variables or _fits_variable(name, text)}
    toml = _readable(root)
    try:
        return settings.resolve(flags, own, cwd, toml)
    except Invalid as error:
        if error.reason != "config.unreadable":
            raise
    database = _only_database(root)
    if not database:
        raise wrong
    named = os.path.basename(database).removesuffix(_DATABASE)
    return settings.resolve({"project_id": named, **flags, "db": database}, own, cwd, toml, configured=False)


def complaint(wrong: Invalid) -> str:
    """What is wrong, for an agent or its user."""
    return f"{wrong.message} {wrong.hint} Until then it counts as not written; the guard goes on."


def _fits_variable(name: str, text: str) -> bool:
    return all(_fits(one.name, text) for one in SETTINGS if name in one.env)


def _fits(name: str, text: str) -> bool:
    try:
        return not text.strip() or BY_NAME[name].read(text.strip()) is not None
    except Invalid:
        return False


def _readable(root: str) -> SettingsFile:
    """What can be read of the project's TOML file: the settings that there are, with values that fit."""
    try:
        content = files.read(root, TOML_NAME, MAX_FILE_BYTES)
    except (OSError, ValueError):
        content = b""
    values: dict[str, str] = {}
    for text in _pieces(content.decode("utf-8", "replace")):
        try:
            found = settings.values_of(tomllib.loads(text), root, os.path.join(root, TOML_NAME), SETTINGS)
        except (Invalid, ValueError, RecursionError):
            continue
        values |= {name: value for name, value in found.items() if _fits(name, value)}
    return SettingsFile(root, TOML_NAME, SETTINGS, content, values)


def _pieces(text: str) -> Iterator[str]:
    """One setting each, as far as lines tell: a spoiled one does not spoil the others."""
    for line in text.split("\n"):
        if _LINE.fullmatch(line.rstrip("\r")):
            yield line.strip()


def _only_database(root: str) -> str:
    """The workspace's database, where the config that names it cannot be read and there is one only."""
    folder = os.path.join(root, FOLDER)
    if not os.path.lexists(os.path.join(folder, CONFIG)):
        return ""
    found = [name for name in os.listdir(folder) if name.endswith(_DATABASE)]
    return os.path.join(folder, found[0]) if len(found) == 1 else ""
