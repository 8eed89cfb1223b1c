"""Options of the commands that start light: one parser, one usage, one wording of what is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from comity.app import living, tend
from comity.command_line import Command, parse
from comity.doors.bridge import bridge
from comity.doors.http import serve as network
from comity.doors.stdio import serve as stdio
from comity.kernel.problem import Invalid
from comity.server.auth.config import RULES
from comity.server.folder.options import OPTIONS
from comity.setting_list import SETTINGS, Setting

COMMAND = Command(
    "comity try",
    "Try it.",
    (
        Setting("most", ("COMITY_MOST", "OLD_MOST"), 3, "How many.", bounds=(0, 9)),
        Setting("allow_host", (), (), "A host.", repeated=True, unit="NAME"),
        Setting("how", (), "a", "Which way.", choices=("a", "b")),
        Setting("wait_s", (), 1, "How long.", bounds=(0, 60)),
        Setting("quick", (), False, "Make haste.", kind=bool),
    ),
    "comity try --most 4",
)
DOORS: dict[str, Callable[[list[str]], int]] = {
    "comity mcp": lambda arguments: stdio.main(arguments, living),
    "comity mcp --url": bridge.main,
    "comity serve": lambda arguments: network.main(arguments, living, tend),
}


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("", {}),
        ("--most 4", {"most": "4"}),
        ("--most=4", {"most": "4"}),
        ("--most=", {"most": ""}),
        ("--most -1", {"most": "-1"}),
        ("--most 4 --most=5", {"most": "5"}),
        ("--allow-host a --allow-host=b,c --allow-host d", {"allow_host": "a,b,c,d"}),
        ("--how=a=b", {"how": "a=b"}),
        ("--quick --most 1", {"quick": "true", "most": "1"}),
    ],
)
def test_options_are_texts_by_name(line: str, given: dict[str, str]) -> None:
    assert parse(COMMAND, line.split()) == given


@pytest.mark.parametrize(
    ("line", "reason", "word"),
    [
        ("--nothing x", "option.unknown", "'--nothing'"),
        ("most 4", "option.unknown", "'most'"),
        ("--allow_host a", "option.unknown", "'--allow_host'"),
        ("--quick=true", "option.unknown", "'--quick'"),
        (f"--{'x' * 500}", "option.unknown", f"'--{'x' * 78}'"),
        ("--most", "option.value", "--most needs a value"),
        ("--most --quick", "option.value", "--most needs a value"),
    ],
)
def test_what_is_no_option_is_refused(line: str, reason: str, word: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(COMMAND, line.split())
    assert refused.value.reason == reason
    assert word in refused.value.message
    assert refused.value.hint


def test_the_usage_has_units_and_environment_variables(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (["--help"], ["help"], ["--most", "4", "-h"]):
        with pytest.raises(SystemExit) as ended:
            parse(COMMAND, line)
        assert ended.value.code == 0
        assert capsys.readouterr().out == (
            "Usage: comity try [options]\n\nTry it.\n\n"
            "  --most N           How many. [COMITY_MOST, OLD_MOST]\n"
            "  --allow-host NAME  A host.\n"
            "  --how a|b          Which way.\n"
            "  --wait-s SECONDS   How long.\n"
            "  --quick            Make haste.\n"
            "\nExample: comity try --most 4\n"
        )


@pytest.mark.parametrize("door", DOORS)
def test_every_door_says_the_same_of_the_same(
    door: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("MACP_", "COMITY_", "MASC_"))]:
        monkeypatch.delenv(name)
    with pytest.raises(SystemExit) as ended:
        DOORS[door](["--help"])
    assert ended.value.code == 0
    usage = capsys.readouterr().out
    assert usage.startswith(f"Usage: {door} [options]\n")
    assert f"Example: {door} " in usage
    for arguments, said in (
        (["--nothing"], f"error: {door} has no option '--nothing'.\nhint: `{door} --help` lists them.\n"),
        ([usage.split("  --")[1].split()[0].join(("--", ""))], " needs a value.\nhint: Write --"),
    ):
        assert DOORS[door](arguments) == 2
        assert said in capsys.readouterr().err


def test_the_originals_schema_is_ignored_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert stdio.parse(["--schema-path", "x.json", "--channel=talk"]) == {"channel": "talk"}
    assert "--schema-path is ignored" in capsys.readouterr().err
    assert stdio.parse([]) == {}


def test_no_two_settings_share_an_option_or_a_variable() -> None:
    for told in (
        [one.flag for one in network.COMMAND.options],
        [one.flag for one in bridge.COMMAND.options],
        [name for one in (*SETTINGS, *OPTIONS, *RULES) for name in one.env],
        [one.name for one in (*SETTINGS, *OPTIONS, *RULES)],
    ):
        assert sorted(told) == sorted(set(told))
