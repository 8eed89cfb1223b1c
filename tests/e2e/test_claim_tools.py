"""The claim tools over a real pipe: the protocol's keys, and a refusal that helps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import TextContent

from comity.testing import World
from tests.e2e.served import connected, database, problem
from tests.original import Original
from tests.original_claims import list_locks
from tests.wire_format import check

pytestmark = pytest.mark.anyio


async def called(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    (item,) = result.content
    assert isinstance(item, TextContent)
    assert json.loads(item.text) == result.structured_content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def test_claim_list_and_release(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    async with connected(tmp_path, "ann", "auto") as ann, connected(tmp_path, "bob", "legacy") as bob:
        claimed = await called(ann, "macp_ext_claim_files", files=["./src/a.py", "docs/**"], reason="new grammar")
        assert list(claimed) == ["claimId", "claims"]
        assert [claim["filePath"] for claim in claimed["claims"]] == ["docs/**", "src/a.py"]
        answer = await bob.call_tool("macp_ext_claim_files", {"files": ["src"], "ttlSeconds": 60})
        refused = problem(answer.model_dump(by_alias=True, mode="json", exclude_none=True))
        assert refused["reasonCode"] == "claim.held"
        (held,) = refused["metadata"]["conflicts"]
        assert (held["agentId"], held["filePath"], held["reason"]) == ("ann", "src/a.py", "new grammar")
        some = await called(bob, "macp_ext_claim_files", files=["src", "b.py"], partial=True)
        assert (some["refused"], [one["agentId"] for one in some["conflicts"]]) == (["src"], ["ann"])
        assert await called(bob, "macp_ext_list_locks", agentId="ann") == {"claims": claimed["claims"]}
        with World() as world:
            peer = Original(database(tmp_path), "old", "old-1", world.clock)
            assert [claim["filePath"] for claim in list_locks(peer)] == ["b.py", "docs/**", "src/a.py"]
            peer.close()
        assert await called(ann, "macp_ext_release_files", files=["src/a.py", "x"]) == {"releasedFiles": ["src/a.py"]}
        assert (await called(bob, "macp_ext_claim_files", files=["src"]))["claims"][0]["filePath"] == "src"
        assert await called(ann, "macp_ext_list_locks", files=["docs"]) == {"claims": claimed["claims"][:1]}
    check(database(tmp_path))
