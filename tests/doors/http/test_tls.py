"""With a certificate the same server speaks TLS, and HTTP/1.1 or HTTP/2 as the client can (ALPN)."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.doors.http.running import comity, repository, serving


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "comity test")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


@pytest.mark.parametrize(("http1", "http2", "version"), [(True, False, "HTTP/1.1"), (False, True, "HTTP/2")])
def test_one_port_speaks_both_over_tls(tmp_path: Path, http1: bool, http2: bool, version: str) -> None:
    cert, key = certificate(tmp_path)
    with serving(repository(tmp_path / "r"), "--tls-cert", str(cert), "--tls-key", str(key)) as server:
        trusting = ssl.create_default_context(cafile=str(cert))
        url = f"https://127.0.0.1:{server.port}"
        with httpx2.Client(base_url=url, verify=trusting, http1=http1, http2=http2) as client:
            told = client.get("/api/v1/agent.list")
            assert (told.status_code, told.http_version) == (200, version)
            assert client.get("/health", headers={"origin": url}).status_code == 200
            plain_page = client.get("/health", headers={"origin": url.replace("https", "http")})
            assert plain_page.status_code == 403


def test_a_key_that_does_not_fit_is_told(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path)
    spoilt = tmp_path / "spoilt.pem"
    spoilt.write_text("no key")
    refused = comity(repository(tmp_path / "r"), "serve", "--tls-cert", str(cert), "--tls-key", str(spoilt))
    assert refused.returncode not in (0, 70)
    assert "Traceback" not in refused.stderr
    assert "hint:" in refused.stderr
