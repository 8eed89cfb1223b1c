"""``.masc/auth/config.json``: what is written there holds, or nothing starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comity import trust
from comity.kernel.problem import Invalid
from comity.server.auth.config import MAX_CONFIG_BYTES, AuthConfig, is_loopback


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "auth" / "config.json"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def agree(file: Path) -> None:
    trust.agree({str(file.resolve()): file.read_bytes()})


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        config = AuthConfig.read(folder)
        assert config == AuthConfig(None, "worker", 720)
        assert config.expires_in_s == 30 * 86_400
        assert not config.requires_token("127.0.0.1")
        assert config.requires_token("0.0.0.0")


def test_what_is_written_and_agreed_to_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    tmp_path = tmp_path / "repo" / ".masc"
    tmp_path.mkdir(parents=True)
    write(tmp_path, '{"require_token": true, "default_role": "reader", "token_expiry_hours": 0.5}')
    config = AuthConfig.read(tmp_path)
    assert config == AuthConfig(True, "reader", 0.5)
    assert config.expires_in_s == 1800
    assert config.requires_token("localhost")
    agree(write(tmp_path, '{"require_token": null, "token_expiry_hours": null}'))
    assert AuthConfig.read(tmp_path) == AuthConfig(None, "worker", 0)
    agree(write(tmp_path, '{"require_token": false}'))
    assert not AuthConfig.read(tmp_path).requires_token("0.0.0.0")
    write(tmp_path, "{}")
    assert AuthConfig.read(tmp_path) == AuthConfig()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "true",
        '{"require_token": "yes"}',
        '{"require_token": 1}',
        '{"default_role": "admin"}',
        '{"default_role": null}',
        '{"default_role": ["worker"]}',
        '{"token_expiry_hours": "24"}',
        '{"token_expiry_hours": true}',
        '{"token_expiry_hours": -1}',
        '{"token_expiry_hours": NaN}',
        '{"token_expiry_hours": Infinity}',
        '{"token_expiry_hours": 1e400}',
        '{"require_tokens": true}',
        '{"require_token": true, "require_token": false}',
        '{"enabled": true}',
        "[" * 60_000,
        b'{"require_token": true}\xff',
        b"\xef\xbb\xbf{}",
        b"{}" + b" " * MAX_CONFIG_BYTES,
    ],
    ids=str,
)
def test_what_cannot_be_understood_is_no_configuration(tmp_path: Path, text: str | bytes) -> None:
    file = write(tmp_path, text)
    with pytest.raises(Invalid, match=r"auth\.unreadable") as refused:
        AuthConfig.read(tmp_path)
    assert refused.value.data == {"path": str(file)}
    assert refused.value.hint


def test_a_file_that_cannot_be_opened_is_not_a_missing_one(tmp_path: Path) -> None:
    file = write(tmp_path, "{}")
    file.unlink()
    file.mkdir()
    with pytest.raises(Invalid, match=r"auth\.unreadable"):
        AuthConfig.read(tmp_path)
    file.rmdir()
    file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Invalid, match=r"auth\.unreadable"):
        AuthConfig.read(tmp_path)
    file.unlink()
    file.parent.rmdir()
    file.parent.write_text("a file where a folder belongs")
    with pytest.raises(Invalid, match=r"auth\.unreadable"):
        AuthConfig.read(tmp_path)


def test_a_file_that_everybody_may_change_stops_the_server(tmp_path: Path) -> None:
    file = write(tmp_path, "{}")
    file.chmod(0o666)
    with pytest.raises(Invalid, match=r"auth\.unreadable"):
        AuthConfig.read(tmp_path)
    file.chmod(0o664)
    assert AuthConfig.read(tmp_path) == AuthConfig()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_stops_the_server(tmp_path: Path) -> None:
    write(tmp_path, "{}").chmod(0)
    with pytest.raises(Invalid, match=r"auth\.unreadable"):
        AuthConfig.read(tmp_path)


def test_only_what_is_surely_loopback_counts_as_loopback() -> None:
    near = ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST", "0:0:0:0:0:0:0:1")
    far = (
        "",
        "0.0.0.0",
        "::",
        "*",
        "10.0.0.1",
        "127.0.0.1.example",
        "localhost.example",
        "127.1",
        "2130706433",
        "fe80::1",
    )
    assert [host for host in near if not is_loopback(host)] == []
    assert [host for host in far if is_loopback(host)] == []
