"""The reference pages of the settings."""

from __future__ import annotations

from comity.server.folder.options import OPTIONS
from comity.setting_list import SETTINGS, Setting


def project_page() -> str:
    """The reference page of the settings."""
    lines = [
        "# Settings",
        "",
        "Precedence: option, environment, `.macp/config.json` and `.macp/comity.toml`, default.",
        "",
        "What is marked with \\* loosens: it counts only from you, by option, by environment, or from a file that you",
        "agreed to with [`comity trust`](../init.md#what-came-with-the-repository). A database that lies",
        "inside the workspace needs no agreement.",
        "",
    ]
    lines += ["| option | environment | in `comity.toml` | default | meaning |", "|---|---|---|---|---|"]
    for one in SETTINGS:
        default = "derived" if one.default is None else f"`{one.default or 'none'}`"
        lines.append(f"| `{one.flag}` | `{one.env[0]}` | {_in_file(one)} | {default} | {one.doc} |")
    return "\n".join([*lines, ""])


def _in_file(one: Setting) -> str:
    """What a setting is called in its file."""
    mark = r" \*" if one.loosens else ""
    return f"`{one.name}`{mark}"


def server_page() -> str:
    """The reference page of the server's settings."""
    lines = [
        "# Settings of the server",
        "",
        "Precedence: option, environment (the first that is set), `.masc/config/server.toml`, default.",
        "[The server](../server.md) explains them.",
        "",
        "What is marked with \\* loosens: it counts only from you, by option, by environment, or from a file that you",
        "agreed to with [`comity trust`](../init.md#what-came-with-the-repository).",
        "",
        "| option | environment | in `server.toml` | default | meaning |",
        "|---|---|---|---|---|",
    ]
    for one in OPTIONS:
        env = ", ".join(f"`{name}`" for name in one.env)
        default = "derived" if one.name == "port" else f"`{one.default if one.default not in ((), '') else 'none'}`"
        shown = f"{one.flag} {one.value}".replace("|", " or ")
        lines.append(f"| `{shown}` | {env} | {_in_file(one)} | {default} | {one.doc} |")
    return "\n".join([*lines, ""])
