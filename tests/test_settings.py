"""Settings: what came with the tree is input. What loosens counts from the user, or once the user agreed."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from comity import settings, trust
from comity.kernel.problem import Forbidden, Invalid
from comity.setting_list import (
    BY_NAME,
    SETTINGS,
    Setting,
    as_boolean,
    as_number,
    as_path,
    as_words,
    told,
)

LOOSENING = [one for one in SETTINGS if one.loosens]
HARMLESS = {"channel", "role", "interest_tags", "durability", "surface", "tools", "wake"}
VALUES = {
    "db": "/elsewhere/x.db",
    "project_id": "theirs",
    "agent_id": "bob",
    "agent_name": "Bob",
    "session_id": "s-1",
    "max_pending_messages": "7",
    "max_context_bytes": "77",
    "enforcement": "off",
    "max_hops": "0",
    "max_per_minute": "0",
    "repeat_s": "0",
    "rescue_bytes": "0",
    "rescue_file_bytes": "1000",
    "rescue_days": "1",
    "mail_days": "0",
    "check_command": "make test",
    "vault_outside": "true",
    "job_minutes": "5",
    "channel": "talk",
    "role": "reviewer",
    "interest_tags": "a,b",
    "durability": "full",
    "surface": "masc",
    "tools": "core",
    "wake": "off",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, and a home of its own for the user."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path.resolve() / "repo"
    (folder / ".macp").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def toml(root: Path, text: str) -> None:
    (root / ".macp" / "comity.toml").write_text(text)


def config(root: Path, **values: object) -> None:
    (root / ".macp" / "config.json").write_text(json.dumps(values))


def agree(root: Path, name: str = settings.TOML_NAME) -> None:
    trust.agree({trust.path_of(str(root), name): (root / name).read_bytes()})


def resolve(root: Path, flags: dict[str, str | None] | None = None, **env: str) -> settings.Settings:
    return settings.resolve(flags or {}, env, str(root))


def track(root: Path, *names: str) -> None:
    subprocess.run(["git", "add", "-f", *names], cwd=root, check=True)


def counts(root: Path, setting: Setting, flags: dict[str, str | None] | None = None, **env: str) -> bool:
    """Whether the value of ``VALUES`` holds."""
    try:
        found = getattr(resolve(root, flags, **env), setting.name)
    except Forbidden:
        return False
    return bool(found == setting.read(VALUES[setting.name]))


@pytest.mark.parametrize("setting", LOOSENING, ids=lambda one: one.name)
def test_what_loosens_does_not_count_from_a_file_that_came_with_the_tree(root: Path, setting: Setting) -> None:
    value = VALUES[setting.name]
    toml(root, f"{setting.name} = {json.dumps(value)}\n")
    assert not counts(root, setting)
    assert counts(root, setting, {setting.name: value})
    assert counts(root, setting, None, **{setting.env[0]: value})
    agree(root)
    assert counts(root, setting)
    assert resolve(root).aside == ()
    toml(root, f"{setting.name} = {json.dumps(value)}\n\n")
    assert not counts(root, setting)
    agree(root)
    assert counts(root, setting)


@pytest.mark.parametrize("setting", [one for one in SETTINGS if not one.loosens], ids=lambda one: one.name)
def test_what_does_not_loosen_counts(root: Path, setting: Setting) -> None:
    toml(root, f"{setting.name} = {json.dumps(VALUES[setting.name])}\n")
    assert counts(root, setting)
    assert resolve(root).aside == ()


def test_every_new_setting_is_asked_whether_it_loosens() -> None:
    """A path, a number (a limit), a switch: it loosens. What is left is known to be harmless."""
    for one in SETTINGS:
        assert one.loosens or not (one.kind in (as_path, as_boolean) or one.bounds), one.name
    assert {one.name for one in SETTINGS if not one.loosens} == HARMLESS


def test_what_is_set_aside_is_named_fit_to_be_shown(root: Path) -> None:
    text = "off\\u001b[2J" + "x" * 200
    toml(root, f'enforcement = "{text}"\nvault_outside = true\nwake = "off"\nmax_hops = " "\n')
    found = resolve(root, COMITY_MAX_HOPS="3")
    assert (found.enforcement, found.vault_outside, found.wake, found.max_hops) == ("guard", False, "off", 3)
    assert [(one.name, one.file) for one in found.aside] == [
        ("enforcement", ".macp/comity.toml"), ("vault_outside", ".macp/comity.toml")
    ]  # fmt: skip
    assert len(found.aside[0].value) == 80
    assert found.aside[0].value.isprintable()
    assert found.aside[1].text == 'vault_outside = "true"'


# --- where the database lies ------------------------------------------------------------------------------------


def test_a_database_inside_the_workspace_needs_no_agreement(root: Path) -> None:
    toml(root, 'db = "data/x.db"\n')
    (root / "sub").mkdir()
    for start in (root, root / "sub"):
        assert resolve(start).db == str(root / "data/x.db")
    (root / "data").symlink_to("sub")
    assert resolve(root).aside == ()
    toml(root, "")
    config(root, dbPath=str(root / ".macp/y.db"))
    assert resolve(root).db == str(root / ".macp/y.db")


@pytest.mark.parametrize(
    "path", ["/elsewhere/x.db", "../x.db", "out/x.db", ".git/x.db", "~/x.db", ".", "sub/.git/x.db"]
)
@pytest.mark.parametrize("file", ["comity.toml", "config.json"])
def test_a_database_elsewhere_needs_agreement(root: Path, path: str, file: str, tmp_path: Path) -> None:
    (root / "out").symlink_to(tmp_path)
    if file == "comity.toml":
        toml(root, f'db = "{path}"\n')
    else:
        config(root, dbPath=os.path.expanduser(path))
    with pytest.raises(Forbidden) as refused:
        resolve(root)
    assert refused.value.reason == "trust.needed"
    assert refused.value.data["file"] == f".macp/{file}"
    assert "comity trust" in refused.value.hint
    assert resolve(root, {"db": "/mine.db"}).db == "/mine.db"
    assert resolve(root, MACP_DB_PATH="/mine.db").db == "/mine.db"
    agree(root, f".macp/{file}")
    assert os.path.isabs(resolve(root).db)
    assert {entry.name for entry in (root / ".macp").iterdir()} == {file}


def test_dot_macp_as_a_link_leads_out(root: Path, tmp_path: Path) -> None:
    config(root, dbPath=str(root / ".macp/x.db"))
    (root / ".macp").rename(tmp_path / "theirs")
    (root / ".macp").symlink_to(tmp_path / "theirs")
    with pytest.raises(Invalid) as refused:
        resolve(root)
    assert "is a link" in refused.value.message


def test_the_protocols_shared_place_needs_no_agreement_unless_git_brought_it(root: Path) -> None:
    shared = os.path.join(os.environ["HOME"], ".macp/projects/team.macp.db")
    config(root, projectId="team", dbPath=shared)
    assert resolve(root).db == shared
    config(root, projectId="other", dbPath=shared)
    with pytest.raises(Forbidden):
        resolve(root)
    config(root, projectId="team", dbPath=shared)
    track(root, ".macp/config.json")
    with pytest.raises(Forbidden):
        resolve(root)
    agree(root, settings.CONFIG_NAME)
    assert resolve(root).db == shared


def test_a_project_by_id_makes_no_second_database(root: Path) -> None:
    toml(root, 'project_id = "team"\n')
    with pytest.raises(Forbidden) as refused:
        resolve(root)
    assert refused.value.data["path"] == os.path.join(os.environ["HOME"], ".macp/projects/team.macp.db")
    assert resolve(root, MACP_PROJECT_ID="mine").project_id == "mine"
    found = resolve(root, MACP_DB_PATH="/mine.db")
    assert (found.db, found.project_id, [one.name for one in found.aside]) == ("/mine.db", "repo", ["project_id"])


# --- the files themselves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["comity.toml", "config.json"])
@pytest.mark.parametrize("what", ["link", "zero", "pipe", "folder", "huge", "deep", "bytes"])
def test_what_is_no_plain_file_is_refused_at_once(root: Path, tmp_path: Path, name: str, what: str) -> None:
    file = root / ".macp" / name
    if what == "link":
        (tmp_path / "theirs").write_text("{}" if name == "config.json" else "")
        file.symlink_to(tmp_path / "theirs")
    elif what == "zero":
        file.symlink_to("/dev/zero")
    elif what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    elif what == "huge":
        file.write_bytes(b" " * 1_000_001)
    elif what == "deep":
        file.write_text("[" * 100_000 if name == "config.json" else "x = " + "[" * 100_000)
    else:
        file.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid) as refused:
        resolve(root)
    assert refused.value.reason == "config.unreadable"
    assert str(file) in refused.value.message
    assert refused.value.hint


def test_a_setting_that_is_none_is_named(root: Path) -> None:
    toml(root, 'enforcment = "off"\n')
    with pytest.raises(Invalid, match=r"config\.unknown_setting"):
        resolve(root)


# --- how a setting is read --------------------------------------------------------------------------------------


BOUNDS = Setting("most", ("A_MOST", "B_MOST"), 3, "How many.", bounds=(1, 90))


@pytest.mark.parametrize(
    ("flags", "env", "file", "value"),
    [
        ({"most": "1"}, {"A_MOST": "2"}, {"most": "4"}, 1),
        ({"most": " "}, {"A_MOST": "2", "B_MOST": "3"}, {"most": "4"}, 2),
        ({"most": None}, {"A_MOST": "", "B_MOST": "3"}, {"most": "4"}, 3),
        ({}, {"B_MOST": " "}, {"most": " 4 "}, 4),
        ({}, {}, {"most": ""}, None),
    ],
)
def test_flags_win_over_the_environment_and_that_over_the_file(
    flags: dict[str, str | None], env: dict[str, str], file: dict[str, str], value: int | None
) -> None:
    assert told([BOUNDS], flags, env, file) == ({} if value is None else {"most": value})


@pytest.mark.parametrize("text", ["0", "91", "-1", "+1", "1_0", "\u0663", "1.0", "x", "9" * 5000])
def test_a_number_out_of_bounds_is_refused_with_the_bounds(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        BOUNDS.read(text)
    assert refused.value.reason == "setting.invalid"
    assert refused.value.message.startswith("The setting most cannot be ")
    assert len(refused.value.message) < 200
    assert refused.value.hint == "It takes a whole number from 1 to 90."
    assert refused.value.data == {"setting": "most"}


def test_kinds_read_what_they_say() -> None:
    choice = Setting("way", (), "a", "", choices=("one", "two"))
    assert (choice.read("ONE"), choice.fitting, choice.value) == ("one", "one or two", "one|two")
    days = Setting("keep_days", (), 1.0, "", kind=as_number, bounds=(0, 9), wanted="days")
    assert [days.read(text) for text in ("0.5", "9", "007.25")] == [0.5, 9.0, 7.25]
    tags = Setting("tags", (), (), "", kind=as_words)
    assert (tags.read("a, b,,"), tags.read('["a, b"]')) == (("a", "b"), ("a, b",))
    several = Setting("names", (), (), "", repeated=True)
    assert several.read("a, b,,c") == ("a", "b", "c")
    for one, wrong in (
        (choice, "three"),
        (days, "1e3"),
        (days, "9.1"),
        (days, "."),
        (tags, "[1]"),
        (tags, "["),
        (BY_NAME["vault_outside"], "yes"),
        (BY_NAME["db"], "a\0b"),
        (BY_NAME["channel"], "x" * 201),
        (BY_NAME["channel"], "a\x1b[2J"),
        (several, "a,b\x1bb,c"),
        (several, ",".join(["a"] * 101)),
    ):
        with pytest.raises(Invalid, match=r"setting\.invalid"):
            one.read(wrong)


@pytest.mark.parametrize("setting", [one for one in SETTINGS if one.default], ids=lambda one: one.name)
def test_every_default_fits(setting: Setting) -> None:
    assert setting.read(str(setting.default)) == setting.default


@pytest.mark.parametrize(
    "text", ["max_hops = true", "db = [1]", "channel = 2026-11-22", "[surface]", "tools = ['all']"]
)
def test_a_value_of_another_type_is_refused_with_the_file(root: Path, text: str) -> None:
    toml(root, text)
    with pytest.raises(Invalid, match=r"config\.unreadable") as refused:
        resolve(root)
    assert str(root / ".macp/comity.toml") in refused.value.message


def test_values_of_toml_have_their_own_types(root: Path) -> None:
    toml(root, 'vault_outside = true\ninterest_tags = ["a, b", "c"]\nmax_hops = 7\nchannel = 5\n')
    agree(root)
    found = resolve(root)
    assert (found.vault_outside, found.interest_tags, found.max_hops) == (True, ("a, b", "c"), 7)
    assert found.channel == "5"
