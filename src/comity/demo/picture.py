"""The account as a picture in text, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from comity.demo.account import Account, Share

_BAR = 24
_COLOURS = {"interrupt": "red", "steering": "yellow", "advisory": "cyan", "info": "white"}


def account_text(account: Account, ok: bool, notes: Sequence[str], *, unicode: bool) -> Text:
    """The whole account; ``notes`` are further lines that follow the checks."""
    block = "█" if unicode else "#"
    text = Text()
    text.append(
        f"\n{account.messages} messages made {account.deliveries} deliveries: {account.received} received, "
        f"{account.acknowledged} acknowledged\n\n"
    )
    _table(text, "priority", account.priorities, block)
    _table(text, "agent", account.agents, block)
    _histogram(text, account, block)
    for one in account.recoveries:
        text.append(f"{one.agent_id} was killed and came back under its id. {one.waited} messages waited up to ")
        text.append(f"{one.longest_wait_ms / 1000:.1f} s\nfor it; all were read and acknowledged ")
        text.append(f"{one.caught_up_ms} ms after it registered again.\n\n")
    tick, cross = ("✓", "✗") if unicode else ("ok", "NO")
    for check in account.checks:
        text.append(f"{tick if check.ok else cross} ", "green" if check.ok else "bold red")
        text.append(check.name + "." if check.ok else f"{check.name}: {check.seen}")
        text.append("\n")
    for note in notes:
        text.append(f"{note}\n")
    text.append(f"\n {verdict(account, ok)} ", "bold white on green" if ok else "bold white on red")
    text.append("\n\nTry it in your own repository: comity init\n")
    return text


def verdict(account: Account, ok: bool) -> str:
    """The account in one sentence."""
    lost = f"{account.lost} lost, {account.doubled} doubled"
    if not ok:
        return f"NOT GOOD: {lost} of {account.deliveries} deliveries; see the checks."
    killed = sum(one.registrations - 1 for one in account.recoveries)
    return f"{account.deliveries} deliveries, {killed} process{'' if killed == 1 else 'es'} killed: {lost}."


def _table(text: Text, title: str, shares: Sequence[Share], block: str) -> None:
    sent = "sent" if title == "agent" else "messages"
    text.append(f"{'':<39}{'ms to receive':>13}{'ms to ack':>13}\n", "dim")
    text.append(f"{title:<10}{sent:>9}{'received':>11}{'acked':>7}{'p50':>8}{'p99':>7}{'p50':>7}{'p99':>6}\n", "dim")
    most = max((share.deliveries for share in shares), default=1) or 1
    for share in shares:
        got, done = share.received_ms, share.acknowledged_ms
        text.append(f"{share.name:<10}{share.messages:>9}{share.received:>11}{share.acknowledged:>7}")
        text.append(f"{got.p50:>8}{got.p99:>7}{done.p50:>7}{done.p99:>6}  ")
        bar = -(-share.deliveries * (_BAR // 2) // most)
        text.append(block * bar + "\n", _COLOURS.get(share.name, "green"))
    text.append("\n")


def _histogram(text: Text, account: Account, block: str) -> None:
    took = account.received_ms
    text.append(
        f"sent to received: half in {took.p50} ms, 99 of 100 in {took.p99} ms, slowest {took.max} ms\n",
        "dim",
    )
    most = max((bucket.deliveries for bucket in account.histogram), default=1) or 1
    before = 0
    for bucket in account.histogram:
        if bucket.le_ms is None:
            label = f"over {before} ms"
        else:
            label, before = f"up to {bucket.le_ms} ms", bucket.le_ms
        if bucket.deliveries or bucket.le_ms is not None:
            text.append(f"{label:>14} ")
            text.append(block * -(-bucket.deliveries * _BAR * 2 // most), "green")
            text.append(f" {bucket.deliveries}\n")
    text.append("\n")
