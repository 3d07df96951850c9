"""X-Forwarded-For counts only from proxies that are trusted."""

import ipaddress

import pytest

from edge import http

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "address"),
    [
        ("203.0.113.9:4711", "", "203.0.113.9"),
        ("203.0.113.9:4711", "1.2.3.4", "203.0.113.9"),
        ("10.0.0.1:80", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1:80", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1:80", "1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1:80", "10.1.1.1", "10.1.1.1"),
        ("10.0.0.1:80", "<script>", "10.0.0.1"),
        ("[::1]:80", "2001:db8::1", "2001:db8::1"),
        ("[::ffff:10.0.0.1]:80", "1.2.3.4", "1.2.3.4"),
    ],
)
def test_client_address(peer: str, forwarded_for: str, address: str) -> None:
    assert http.client_address(peer, forwarded_for, TRUSTED) == address
