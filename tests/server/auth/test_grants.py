"""Roles: each operation is granted on purpose."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from comity.rooms import REGISTRY
from comity.server.auth.grants import ADMIN_ONLY, GRANTS, allows

OPS = list(REGISTRY)
# What changes something and is a reader's nevertheless: being here at all, and having read what was sent to him.
OWN_SESSION = {"session.start", "session.join", "session.renew", "session.end", "message.catch_up"}


def test_what_changes_something_is_a_workers_or_an_admins_on_purpose() -> None:
    for op in OPS:
        withheld = [glob for glob in ADMIN_ONLY if fnmatchcase(op.name, glob)]
        assert allows("admin", op.name)
        if op.effect == "write":
            assert allows("worker", op.name) != bool(withheld), f"{op.name}: in one of the two tables of grants.py"


def test_a_reader_changes_nothing_but_his_own_session() -> None:
    changing = {op.name for op in OPS if op.effect == "write" and allows("reader", op.name)}
    assert changing == OWN_SESSION & {op.name for op in OPS}


def test_whoever_may_look_may_look_at_everything_that_is_not_withheld_on_purpose() -> None:
    reads = {op.name for op in OPS if op.effect == "read"}
    hidden = {name for name in reads if not allows("reader", name)}
    assert hidden == {name for name in reads if any(fnmatchcase(name, glob) for glob in ADMIN_ONLY)}
    assert hidden >= {"token.list", "token.get", "token.check"}
    assert not any(allows("worker", name) for name in hidden)


def test_a_higher_role_may_what_a_lower_one_may() -> None:
    for op in OPS:
        assert allows("reader", op.name) <= allows("worker", op.name) <= allows("admin", op.name)


def test_every_line_of_the_tables_means_something() -> None:
    names = REGISTRY.names()
    for glob in (*GRANTS["reader"], *GRANTS["worker"], *ADMIN_ONLY):
        assert any(fnmatchcase(name, glob) for name in names), glob


@pytest.mark.parametrize(
    "name", ["", "*", "task", "task..claim", "TASK.CLAIM", "workspace.burn", "message.\n", "tokens.x"]
)
def test_what_nobody_has_heard_of_is_for_admins(name: str) -> None:
    if name not in {"task..claim", "message.\n"}:  # globs of a noun take any verb; the registry has none such
        assert not allows("worker", name)
    assert not allows("reader", name)
    assert allows("admin", name)
    assert not allows("root", name)
