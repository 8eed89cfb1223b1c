"""Resident memory of a stdio server that has worked for a while."""

from __future__ import annotations

from bench.figures import Figure, Options, short
from bench.ground import CONTENT, Ground
from bench.server import Server, compile_bytecode

CALLS = 100


def measure(options: Options) -> list[Figure]:
    """Bar: at most 28 MB after a hundred calls: sends, polls that find, acknowledgements, broadcasts."""
    compile_bytecode()
    with Ground(options.folder) as ground:
        ground.enrol(["peer"])
        with Server(ground.path, "agent") as server:
            server.greet()
            server.call("macp_poll")
            first = server.status("VmRSS") * 1024 / 1e6
            for _ in range((CALLS - 1) // 4 + 1):
                server.call("macp_send_direct", destinationAgentId="agent", content=CONTENT)
                found = server.call("macp_poll")["structuredContent"]["deliveries"]
                server.call("macp_ack", deliveryId=found[0]["deliveryId"])
                server.call("macp_send_channel", content=CONTENT)
            rss = server.status("VmRSS") * 1024 / 1e6
    beside = {"after the first call": f"{short(first)} MB"}
    return [Figure(f"stdio server, resident memory after {CALLS} calls", rss, " MB", "at most", 28, beside)]
