"""The address of one server, the hosts and origins that it takes, and its bounds."""

from __future__ import annotations

import ssl
from typing import NamedTuple

from comity.kernel.problem import Invalid
from comity.server.auth.config import is_loopback
from comity.server.folder.options import ServerSettings
from comity.server.folder.port import FIXED as PORT

MAX_BODY_BYTES = 20 * 1024 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ServerAddress(NamedTuple):
    """One server's address and bounds.

    ``hosts`` are the values that a request's Host may have besides the address itself; ``origins`` those of Origin
    besides the own. ``rate`` is how many requests a second one client may send for long, ``burst`` at once; 0: any
    number. Clients on this machine are bounded only by ``rate_local``.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    certificate: str = ""
    key: str = ""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    max_body_bytes: int = MAX_BODY_BYTES
    rate: int = 100
    burst: int = 150
    rate_local: int = 0
    ws_port: int = 0

    @property
    def scheme(self) -> str:
        """What its addresses begin with."""
        return "https" if self.certificate else "http"

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """The address to open on this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "localhost") else self.host  # noqa: S104 (compared)
        return f"{self.scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """The address of the port for WebSockets alone; empty when there is none."""
        return "ws" + self._replace(port=self.ws_port).url.removeprefix("http") if self.ws_port else ""


def address_of(own: ServerSettings) -> ServerAddress:
    """The address that settings describe. Raises Invalid ``tls.unreadable`` for a certificate that cannot be used."""
    if own.tls_cert:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(own.tls_cert, own.tls_key)
        except (OSError, ValueError) as error:
            raise Invalid(
                "tls.unreadable",
                f"The certificate and its key cannot be used: {error}.",
                "Both are PEM files without a passphrase, and belong together.",
            ) from None
    return ServerAddress(
        own.host,
        own.port,
        own.tls_cert,
        own.tls_key,
        own.allow_host,
        own.allow_origin,
        own.max_body_bytes,
        own.rate,
        own.burst,
        ws_port=own.ws_port,
    )
