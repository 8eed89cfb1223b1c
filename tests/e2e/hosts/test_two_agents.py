"""Two of each real host at once in one repository, writing the same files; `bench/hosts.py` has them all at once."""

import pytest

from tests.e2e.hosts.crowd import Crowd
from tests.e2e.hosts.driving import HOSTS, Stage


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", HOSTS)
def test_two_at_once(name: str, stage: Stage) -> None:
    outcome = Crowd(stage, [name, name], seed=1).run()
    assert outcome.errors == []
    assert outcome.edits > 0
    assert outcome.overwritten == []
    assert outcome.late == []
    assert outcome.agents == 2
