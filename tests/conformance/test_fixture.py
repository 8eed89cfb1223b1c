"""The conformance runner's server, with the SDK's client: that it does not rot where there is no node to run that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mcp import MCPError
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from tests.conformance import fixture
from tests.conformance.runner import entries
from tests.conformance.serving import serving
from tests.doors.http.running import Server
from tests.doors.http.speaking import Era, connected, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Era:
    return "legacy" if request.param == "legacy" else "auto"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("conformance") / "project") as running:
        yield running


async def test_tools_answer_content_of_every_kind(server: Server, era: Era) -> None:
    async with connected(server, era) as client:
        listed = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
        assert set(listed) == set(fixture.TOOLS)
        assert listed["json_schema_2020_12_tool"] == fixture.SCHEMA_2020
        assert text(await client.call_tool("test_simple_text", {})).startswith("This is a simple text")
        said, image, resource = (await client.call_tool("test_multiple_content_types", {})).content
        assert isinstance(said, TextContent)
        assert isinstance(image, ImageContent)
        assert (image.data, image.mime_type) == (fixture.IMAGE["data"], "image/png")
        assert isinstance(resource, EmbeddedResource)
        (sound,) = (await client.call_tool("test_audio_content", {})).content
        assert isinstance(sound, AudioContent)
        failed = await client.call_tool("test_error_handling", {})
        assert failed.is_error
        assert "intentionally" in text(failed)
        with pytest.raises(MCPError, match="Unknown tool"):
            await client.call_tool("test_sampling", {})


async def test_progress_comes_before_the_answer_and_in_order(server: Server, era: Era) -> None:
    steps: list[tuple[float, float | None]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total))

    async with connected(server, era) as client:
        await client.call_tool("test_tool_with_progress", {}, progress_callback=heard)
        assert steps == [(0, 100), (50, 100), (100, 100)]


async def test_resources_are_text_or_bytes(server: Server, era: Era) -> None:
    async with connected(server, era) as client:
        (plain,) = (await client.read_resource(fixture.TEXT)).contents
        assert isinstance(plain, TextResourceContents)
        (binary,) = (await client.read_resource(fixture.BINARY)).contents
        assert isinstance(binary, BlobResourceContents)
        assert (binary.blob, binary.mime_type) == (fixture.IMAGE["data"], "image/png")
        (made,) = (await client.read_resource("test://template/123/data")).contents
        assert isinstance(made, TextResourceContents)
        assert '"id":"123"' in made.text
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource("test://nothing")


async def test_prompts_take_arguments_and_hold_images(server: Server, era: Era) -> None:
    async with connected(server, era) as client:
        assert {prompt.name for prompt in (await client.list_prompts()).prompts} == set(fixture.PROMPTS)
        (told,) = (await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})).messages
        assert isinstance(told.content, TextContent)
        assert "arg1='one', arg2='two'" in told.content.text
        first, _ = (await client.get_prompt("test_prompt_with_image")).messages
        assert isinstance(first.content, ImageContent)


async def test_an_argument_that_a_header_says_is_said_by_the_client(server: Server) -> None:
    async with connected(server, "auto") as client:
        await client.list_tools()
        answer = await client.call_tool("test_header_arguments", {"region": "Århus", "priority": 3})
        assert text(answer) == "Arguments: priority, region"


def test_every_check_that_may_fail_has_a_reason() -> None:
    found = entries()
    assert found
    assert len(found) == len(set(found))
