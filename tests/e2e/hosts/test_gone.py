"""Comity was uninstalled and its hooks are still there: every real host works as if they were not."""

from __future__ import annotations

import re
import shutil

import pytest

from comity.hosts.hook_install import WIRINGS
from comity.testing import Say, ScriptedModel, Step
from tests.e2e.hosts import programs
from tests.e2e.hosts.driving import HOSTS, Stage
from tests.hosts.installed import instead_of_ours

FAILED = re.compile(r"hook[^\n]{0,80}(?:fail|error|not found)", re.IGNORECASE)


def uninstall(stage: Stage) -> None:
    """Take away what the hooks run: the launcher that ``init`` compiled, or else what stands in the files."""
    shutil.rmtree(stage.folder / ".local", ignore_errors=True)
    for wiring in WIRINGS:
        path = stage.repo / wiring.file
        if path.exists():
            path.write_text(instead_of_ours(path.read_text(), "/nowhere/comity"))


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", HOSTS)
def test_an_agent_works_on_and_nothing_is_shown(name: str, stage: Stage) -> None:
    host, file = HOSTS[name], stage.repo / "free.txt"
    file.write_text("alpha\n")
    uninstall(stage)
    steps: list[Step] = [host.read(file), host.edit(file, "alpha", "beta"), Say("Done."), Say("Done.")]
    with ScriptedModel(steps) as model:
        printed = stage.start(host, model, PATH=programs.path()).finish()
    assert file.read_text() == "beta\n"
    assert FAILED.search(printed) is None
    assert not any(FAILED.search(request.news) for request in model.requests)
    assert stage.log() == []
