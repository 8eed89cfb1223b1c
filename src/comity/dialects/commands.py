"""Operations as commands of the command line, where it has one of its own for them."""

from __future__ import annotations

COMMANDS = {
    "agent.list": "`comity agents`",
    "channel.join": "`comity join`",
    "channel.leave": "`comity leave`",
    "claim.acquire": "`comity claim`",
    "claim.list": "`comity claims`",
    "claim.release": "`comity release`",
    "job.cancel": "`comity jobs cancel`",
    "job.get": "`comity jobs show`",
    "job.list": "`comity jobs`",
    "message.ack": "`comity ack`",
    "message.broadcast": "`comity send`",
    "message.poll": "`comity poll`",
    "message.read": "`comity read`",
    "message.send": "`comity send --to`",
    "receipt.list": "`comity receipts`",
    "rescue.diff": "`comity rescue diff`",
    "rescue.list": "`comity rescue`",
    "rescue.restore": "`comity rescue restore`",
    "rescue.show": "`comity rescue show`",
    "session.end": "`comity leave`",
    "task.list": "`comity tasks`",
    "task.start": "`comity task start`",
    "task.take_next": "`comity task next`",
    "workspace.pause": "`comity pause`",
    "workspace.resume": "`comity resume`",
}
# With what they are about, which stands for {}.
WITH = {"message.ack": "`comity ack {}`", "message.send": "`comity send --to {}`"}
