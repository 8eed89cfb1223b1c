"""Commands on tokens. They need no role: who may open the database file may make one."""

from __future__ import annotations

import os
import re
from typing import Any

from cyclopts import App

from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen, clock
from comity.kernel.problem import Invalid
from comity.rooms.tokens.model import CreatedToken, RevokedToken, Token, Tokens
from comity.server.auth.config import FOLDER, AuthConfig

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_STYLES = {"live": "green", "expired": "yellow", "revoked": "red"}


def _create(invocation: Invocation, values: Values) -> Any:
    config = AuthConfig.read(os.path.join(invocation.settings.root, FOLDER))
    expires = values.pop("expires", None)
    expires_in_s = config.expires_in_s if expires is None else _seconds(expires)
    return invocation.call("token.create", expires_in_s=expires_in_s, **values)


def _seconds(text: str) -> int:
    """``72h`` as seconds; ``never`` as 0."""
    word = text.strip().lower()
    if word == "never":
        return 0
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", word)
    if match is None or not int(match[1]):
        raise Invalid("expires.unreadable", f"{text[:80]!r} is no time.", "Write 90m, 72h, 30d or never.")
    return int(match[1]) * _UNITS_S[match[2]]


def _show_created(screen: Screen, made: CreatedToken) -> None:
    token = made.token
    screen.exact((made.secret, "bold"))
    screen.say("")
    whose = f" for {token.agent_id}" if token.agent_id else ""
    screen.say(
        ("This is shown once.", "yellow"),
        f" The token{whose} has the role {token.role} and is {_until(token)}. Use it:",
    )
    screen.exact(("  export COMITY_TOKEN=…   # where others cannot read it", ""))
    screen.exact(('  curl -H "Authorization: Bearer $COMITY_TOKEN" http://127.0.0.1:8935/api/v1/workspace.status', ""))
    screen.exact(("  comity mcp --url http://127.0.0.1:8935 --token-env COMITY_TOKEN", ""))
    screen.say(f"`comity serve --print-port` tells the port; `comity token revoke {token.token_id}` takes it back.")


def _until(token: Token) -> str:
    return f"good until {clock(token.expires_at)}" if token.expires_at else "good until it is revoked"


def _list(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    return invocation.call("token.list", **values)


def _show_tokens(screen: Screen, listed: Tokens) -> None:
    if not listed.tokens:
        screen.say("There is no such token. comity token create --role worker makes one.")
    titles = ("Id", "Role", "Agent", "State", "Made", "Expires", "Used")
    columns = [*(Column(title) for title in titles), Column("Label", flexible=True)]
    screen.table(columns, [_row(token) for token in listed.tokens])


def _row(token: Token) -> list[Any]:
    state = (token.state, _STYLES[token.state])
    times = [clock(at) if at else "" for at in (token.created_at, token.expires_at, token.last_used_at)]
    return [token.token_id, token.role, token.agent_id or "", state, *times, token.label]


def _revoke(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    return invocation.call("token.revoke", token_id=_public(values["token_id"]))


def _public(text: str) -> str:
    """The public id, also of a whole token, so that its secret is in no message."""
    head, _, rest = text.partition("_")
    return rest.partition("_")[0] if head == "comity" else text


def _show_revoked(screen: Screen, done: RevokedToken) -> None:
    how = "Revoked" if done.changed else "It was revoked before:"
    screen.say(
        (how, "green" if done.changed else "yellow"), f" {done.token.token_id}, with the role {done.token.role}."
    )


token = App(name="token", version_flags=[])
token.command(
    command(
        _create,
        show=_show_created,
        ops=("token.create",),
        omit=("expires_in_s",),
        flags={"agent_id": "--agent"},
        options=(Option("expires", str | None, "When: 90m, 72h, 30d, never. Else as configured.", default=None),),
        needs="project",
        example="comity token create --role admin --expires 72h --label 'my laptop'",
    ),
    name="create",
)
_LIST = command(
    _list,
    show=_show_tokens,
    ops=("token.list",),
    flags={"include_dead": "--all"},
    needs="project",
    example="comity token list --all",
)
token.default(_LIST)
token.command(_LIST, name="list")
token.command(
    command(
        _revoke,
        show=_show_revoked,
        ops=("token.revoke",),
        positional=("token_id",),
        needs="project",
        example="comity token revoke 0123456789ab",
    ),
    name="revoke",
)
