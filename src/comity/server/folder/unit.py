"""What makes a server start with its user's session: a unit of systemd, or an agent of launchd. Nothing needs root."""

from __future__ import annotations

import os
import re
import sys
from hashlib import blake2b
from xml.sax.saxutils import escape

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.project import slug

_RESTART_S = 2
_STOP_S = 15  # the server itself ends within ten


class Unit(NamedTuple):
    """A file to write, what it holds, and the commands that the user runs to begin and to end."""

    name: str
    path: str
    content: str
    begin: tuple[str, ...]
    end: tuple[str, ...]
    look: str


def unit_of(root: str, home: str, system: str = sys.platform, program: str = sys.executable) -> Unit:
    """The unit for the server of one project. Raises Invalid for a path that no unit can hold."""
    for path in (root, home, program):
        if re.search(r"[\x00-\x1f\x7f]", path):
            raise Invalid("service.path", f"A unit cannot hold the path {path!r}.", "Rename the folder.")
    tail = blake2b(os.fsencode(root), digest_size=4).hexdigest()  # two projects may have folders of one name
    name = f"comity-{(slug(os.path.basename(root)) or 'project')[:60]}-{tail}"
    return _launchd(name, root, home, program) if system == "darwin" else _systemd(name, root, home, program)


def _systemd(name: str, root: str, home: str, program: str) -> Unit:
    file = f"{name}.service"
    content = f"""\
[Unit]
Description=Comity for {_described(root)}
Documentation=man:systemd.service(5)
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
WorkingDirectory={_specifiers(root)}
ExecStart={_word(program)} -m comity serve --target-dir {_word(root)}
Restart=on-failure
RestartSec={_RESTART_S}
TimeoutStopSec={_STOP_S}
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""
    return Unit(
        file,
        os.path.join(home, ".config", "systemd", "user", file),
        content,
        ("systemctl --user daemon-reload", f"systemctl --user enable --now {file}"),
        (f"systemctl --user disable --now {file}", "systemctl --user daemon-reload"),
        f"systemctl --user status {file}",
    )


def _described(text: str) -> str:
    return _specifiers(text).replace("\\", "\\\\")


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """One word of a command: quoted, with nothing in it expanded."""
    inner = _specifiers(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{inner}"'


def _launchd(name: str, root: str, home: str, program: str) -> Unit:
    words = "".join(
        f"\n    <string>{escape(word)}</string>" for word in (program, "-m", "comity", "serve", "--target-dir", root)
    )
    content = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key><string>{name}</string>
  <key>ProgramArguments</key>
  <array>{words}
  </array>
  <key>WorkingDirectory</key><string>{escape(root)}</string>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ExitTimeOut</key><integer>{_STOP_S}</integer>
</dict>
</plist>
"""
    path = os.path.join(home, "Library", "LaunchAgents", f"{name}.plist")
    return Unit(
        f"{name}.plist",
        path,
        content,
        (f"launchctl load -w '{path}'",),
        (f"launchctl unload -w '{path}'",),
        f"launchctl list {name}",
    )
