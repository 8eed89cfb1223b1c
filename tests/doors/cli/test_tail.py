"""The log, live: another process's message is seen as it is sent."""

import json
import signal
import subprocess
import sys
from typing import Any

from tests.doors.cli.program import TIMEOUT_S, Program, Running


def test_a_message_of_another_process_is_seen(comity: Program) -> None:
    comity("poll", "--as", "bob")
    with Running(comity, "tail", "--json", "--last", "1") as tail:
        assert json.loads(tail.line())["eventType"] == "channel.join"
        comity("send", "now", "--as", "ann", "--to", "bob", "--priority", "interrupt")
        kinds: list[str] = []
        event: dict[str, Any] = {}
        while "message.send" not in kinds:
            event = json.loads(tail.line())
            kinds.append(event["eventType"])
        assert kinds == ["session.register", "channel.join", "message.send"]
        assert (event["fromAgentId"], event["priority"], event["excerpt"]) == ("ann", 3, "now")
        tail.process.send_signal(signal.SIGINT)
        assert tail.process.wait(TIMEOUT_S) == 130
        assert tail.process.stderr is not None
        assert tail.process.stderr.read() == b""


def test_people_see_lines(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("send", "before", "--as", "ann", "--priority", "info")
    with Running(comity, "tail", "--last", "1", "--type", "message.send") as tail:
        assert tail.line()[9:] == "info ann → bob #garden"
        assert tail.line() == "  before"
        comity("send", "first\nline", "--as", "ann", "--priority", "steering")
        assert tail.line()[9:] == "steering ann → bob #garden"
        assert tail.line() == "  first line"


def test_filters(comity: Program) -> None:
    comity("poll", "--as", "bob")
    comity("poll", "--as", "eve")
    comity("send", "low", "--as", "ann", "--priority", "info")
    comity("send", "high", "--as", "ann", "--to", "bob", "--priority", "interrupt")

    def found(*arguments: str) -> list[str]:
        lines = comity("tail", "--no-follow", "--json", "--last", "100", *arguments).out.splitlines()
        return [json.loads(line)["excerpt"] for line in lines if json.loads(line)["eventType"] == "message.send"]

    assert found() == ["low", "low", "high"]
    assert found("--agent", "bob") == ["low", "high"]
    assert found("--channel", "garden") == ["low", "low"]
    assert found("--min-priority", "steering") == ["high"]
    assert found("--type", "message.ack", "--type", "channel.join") == []
    assert len(comity("tail", "--no-follow", "--json", "--last", "2").out.splitlines()) == 2
    assert comity("tail", "--no-follow", "--last", "0").out == ""
    together = comity("tail", "--no-follow", "--type", "message.send").out
    assert "ann → bob, eve #garden" in together


def test_a_reader_that_goes_away_is_no_error(comity: Program) -> None:
    comity("poll", "--as", "bob")
    for arguments in (["tail", "--json"], ["status"], ["schema"]):
        process = subprocess.Popen(
            [sys.executable, "-m", "comity", *arguments],
            cwd=comity.folder,
            env=comity.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.close()
        if arguments[0] == "tail":
            comity("send", "x", "--as", "ann")
        assert process.wait(TIMEOUT_S) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""
        process.stderr.close()
