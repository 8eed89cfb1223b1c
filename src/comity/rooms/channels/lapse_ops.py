"""The operation of whoever looks after mail that waits."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.channels import lapses
from comity.rooms.channels.model import Tended


@op("message.tend", effect="write", example={}, peek=lapses.look)
def tend_messages(scope: Scope) -> Tended:
    """Let unread urgent messages wait on, and tell senders what expired unread.

    Running servers do it all the time. A steering or interrupt message whose sender set no time waits until it is read,
    for as many days as the setting ``mail_days`` says. One call takes a batch; call again while ``more`` is true.
    """
    return lapses.tend(scope)
