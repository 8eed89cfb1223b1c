"""The server's settings and rules: what loosens does not count from files that came with the tree."""

import json
import os
from pathlib import Path

import pytest

from comity import trust
from comity.kernel.problem import Forbidden, Invalid, Unavailable
from comity.server.auth.config import AuthConfig
from comity.server.folder import options
from comity.server.folder.agreement import AUTH_NAME
from comity.server.folder.layout import prepare
from comity.server.folder.lock import ServerLock, running_server
from comity.server.folder.options import FILE_NAME, OPTIONS, ServerSettings, settle
from comity.setting_list import Setting, as_path

HARMLESS = {"port", "ws_port", "log_format", "log_level"}
VALUES = {
    "host": "0.0.0.0",
    "allow_host": "shop.test",
    "allow_origin": "https://shop.test",
    "tls_cert": "/etc/cert.pem",
    "tls_key": "/etc/key.pem",
    "rate": "0",
    "burst": "7",
    "max_body_bytes": "4096",
    "retention_days": "0",
    "port": "9555",
    "ws_port": "9556",
    "log_format": "json",
    "log_level": "off",
}
TLS = ("tls_cert", "tls_key")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    folder = tmp_path.resolve() / "repo"
    (folder / ".masc" / "config").mkdir(parents=True)
    (folder / ".masc" / "auth").mkdir()
    return folder


def agree(root: Path, name: str) -> None:
    trust.agree({trust.path_of(str(root), name): (root / name).read_bytes()})


def told(option: Setting) -> dict[str, str]:
    """The option's value; a certificate comes with its key."""
    return {name: VALUES[name] for name in (TLS if option.name in TLS else (option.name,))}


def counts(option: Setting, found: ServerSettings) -> bool:
    return bool(getattr(found, option.name) == option.read(VALUES[option.name]))


@pytest.mark.parametrize("option", [one for one in OPTIONS if one.loosens], ids=lambda one: one.name)
def test_what_loosens_does_not_count_from_a_file_that_came_with_the_tree(root: Path, option: Setting) -> None:
    values, by_name = told(option), {one.name: one for one in OPTIONS}
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    (root / FILE_NAME).write_text(text)
    found = settle({}, {}, str(root))
    assert not counts(option, found)
    assert {one.name: one.file for one in found.aside} == dict.fromkeys(values, FILE_NAME)
    assert counts(option, settle(values, {}, str(root)))
    assert counts(option, settle({}, {by_name[name].env[-1]: value for name, value in values.items()}, str(root)))
    agree(root, FILE_NAME)
    found = settle({}, {}, str(root))
    assert counts(option, found)
    assert found.aside == ()
    (root / FILE_NAME).write_text(f"{text}# changed\n")
    assert not counts(option, settle({}, {}, str(root)))


@pytest.mark.parametrize("option", [one for one in OPTIONS if not one.loosens], ids=lambda one: one.name)
def test_what_does_not_loosen_counts(root: Path, option: Setting) -> None:
    (root / FILE_NAME).write_text(f"{option.name} = {json.dumps(VALUES[option.name])}\n")
    assert counts(option, settle({}, {}, str(root)))


def test_every_new_option_is_asked_whether_it_loosens() -> None:
    """A path, an address: it loosens. What is left is known to be harmless."""
    for one in OPTIONS:
        assert one.loosens or not (one.kind is as_path or "host" in one.name or one.repeated), one.name
    assert {one.name for one in OPTIONS if not one.loosens} == HARMLESS


def test_nothing_is_served_in_clear_text_because_a_file_does_not_count(root: Path) -> None:
    (root / FILE_NAME).write_text('tls_cert = "/c.pem"\ntls_key = "/k.pem"\n')
    with pytest.raises(Forbidden) as refused:
        settle({"host": "0.0.0.0"}, {}, str(root))
    assert refused.value.reason == "trust.needed"
    own = {"host": "0.0.0.0", "tls_cert": "/c.pem", "tls_key": "/k.pem"}
    assert settle(own, {}, str(root)).tls_cert == "/c.pem"
    agree(root, FILE_NAME)
    assert settle({"host": "0.0.0.0"}, {}, str(root)).tls_key == "/k.pem"


def test_an_origin_is_what_browsers_call_it(root: Path) -> None:
    given = {"allow_origin": "https://Shop.example:443,http://Shop.example:80,http://[::1]:443, https://a.example:80"}
    wanted = ("https://shop.example", "http://shop.example", "http://[::1]:443", "https://a.example:80")
    assert settle(given, {}, str(root)).allow_origin == wanted


def test_a_path_in_the_file_counts_from_the_project(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (root / FILE_NAME).write_text('tls_cert = "tls/c.pem"\ntls_key = "~/k.pem"\n')
    agree(root, FILE_NAME)
    found = settle({}, {}, str(root))
    assert (found.tls_cert, found.tls_key) == (str(root / "tls/c.pem"), str(tmp_path / "home/k.pem"))
    assert settle({"tls_cert": "c.pem"}, {}, str(root)).tls_cert == str(tmp_path / "c.pem")


def test_the_template_needs_no_agreement(root: Path) -> None:
    (root / FILE_NAME).write_text(options.template())
    found = options.read_file(str(root))
    assert (found.values, found.asks()) == ({}, ())


RULES = [
    ({"require_token": False}, "require_token"),
    ({"token_expiry_hours": 721}, "token_expiry_hours"),
    ({"token_expiry_hours": 0}, "token_expiry_hours"),
    ({"token_expiry_hours": None}, "token_expiry_hours"),
]


@pytest.mark.parametrize(("rule", "name"), RULES)
def test_a_rule_that_makes_access_easier_needs_agreement(root: Path, rule: dict[str, object], name: str) -> None:
    file = root / AUTH_NAME
    file.write_text(json.dumps({**rule, "default_role": "reader"}))
    found = AuthConfig.read(root / ".masc")
    assert found._replace(aside=()) == AuthConfig(default_role="reader")
    assert [(one.name, one.file) for one in found.aside] == [(name, AUTH_NAME)]
    agree(root, AUTH_NAME)
    found = AuthConfig.read(root / ".masc")
    assert (found.aside, getattr(found, name)) == ((), rule[name] or 0)
    file.write_text(json.dumps(rule))
    assert AuthConfig.read(root / ".masc") == AuthConfig(aside=AuthConfig.read(root / ".masc").aside)


def test_a_rule_that_makes_access_harder_counts(root: Path) -> None:
    (root / AUTH_NAME).write_text('{"require_token": true, "default_role": "reader", "token_expiry_hours": 24}')
    assert AuthConfig.read(root / ".masc") == AuthConfig(True, "reader", 24)


@pytest.mark.parametrize("name", [FILE_NAME, AUTH_NAME])
@pytest.mark.parametrize("what", ["link", "zero", "pipe", "huge"])
def test_what_is_no_plain_file_is_refused_at_once(root: Path, tmp_path: Path, name: str, what: str) -> None:
    file = root / name
    if what == "link":
        (tmp_path / "theirs").write_text("{}")
        file.symlink_to(tmp_path / "theirs")
    elif what == "zero":
        file.symlink_to("/dev/zero")
    elif what == "pipe":
        os.mkfifo(file)
    else:
        file.write_bytes(b" " * 65_537)
    with pytest.raises(Invalid) as refused:
        AuthConfig.read(root / ".masc") if name == AUTH_NAME else options.read_file(str(root))
    assert str(file) in refused.value.message


@pytest.mark.parametrize("place", ["", "config", "config/personas", "logs"])
def test_the_folder_is_not_made_through_links(tmp_path: Path, place: str) -> None:
    root, theirs = tmp_path / "repo", tmp_path / "theirs"
    theirs.mkdir()
    link = root / ".masc" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(theirs)
    with pytest.raises(Unavailable) as refused:
        prepare(str(root))
    assert refused.value.reason == "server.unwritable"
    assert str(link) in refused.value.message
    assert list(theirs.iterdir()) == []


def test_the_lock_is_not_opened_through_links(tmp_path: Path) -> None:
    root, theirs = tmp_path / "repo", tmp_path / "theirs"
    theirs.mkdir()
    root.mkdir()
    (root / ".masc").symlink_to(theirs)
    with pytest.raises(Unavailable):
        ServerLock.take(str(root / ".masc"))
    assert list(theirs.iterdir()) == []
    lock = ServerLock.take(str(theirs))
    assert running_server(str(root / ".masc")) is None
    lock.release()


def test_a_lock_with_a_forged_text_is_a_server_that_says_nothing(tmp_path: Path) -> None:
    lock = ServerLock.take(str(tmp_path))
    (tmp_path / "server.lock").write_text("[" * 60_000)
    assert running_server(str(tmp_path)) is None
    lock.release()
