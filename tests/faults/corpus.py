"""Requests as nobody should send them, byte by byte, for every route of the edge."""

import json
import random
from collections.abc import Iterator, Sequence

BOUNDARY = "xYx"
URLENCODED = "content-type: application/x-www-form-urlencoded"
JSON = "content-type: application/json"
MULTIPART = f"content-type: multipart/form-data; boundary={BOUNDARY}"
WHOLE = "name=Ann&email=ann%40visitor.example&message=Hello"
STRANGER = "frm_" + "x" * 22

# `{key}` is that of a form that there is.
ROUTES = (
    "/f/{key}",
    "/f/{key}/",
    "/f/{key}/thanks",
    "/f/{key}/thanks?receipt=K7QF-2M9X-4TDA",
    "/f/{key}/challenge",
    f"/f/{STRANGER}",
    f"/f/{STRANGER}/thanks",
    f"/f/{STRANGER}/challenge",
    "/f/_/edge.css",
    "/live",
    "/live?token=e30.e30.e30",
    "/health/",
    "/health",
    "/ready/",
    "/ready",
    "/metrics",
    "/",
    "/unknown",
)
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "get", "P\xd6ST", "")
PATHS = (
    "/f/",
    "/f//",
    "/f/../../etc/passwd",
    "/f/%2e%2e%2f",
    "/f/%00",
    "/f/%ff%fe",
    "/f/%",
    "/f/{key}%00",
    "/f/{key}/thanks/../challenge",
    "/f/{key}/nothing",
    "/f/{key}\xff",
    "/f/frm_\u0661",
    "/f/" + "a" * 60_000,
    "/f/{key}?" + "&".join(f"a{n}=b" for n in range(5_000)),
    "/f/{key}/thanks?receipt=" + "K" * 5_000,
    "/f/{key}/thanks?receipt=%00&receipt=%ff",
    "/f/{key}/thanks?%",
    "/live?token=" + "a" * 20_000,
    "/live?token=" + ".".join(("eyJhbGciOiJub25lIn0", "e30", "")),
    "/live?token=%ed%a0%80.%00.%ff",
    "//f/{key}",
    "\\f\\{key}",
    "f/{key}",
    "*",
    "http://elsewhere.example/f/{key}",
    "/health/?" + "x" * 5_000,
    "/metrics/../f/{key}",
    "/f/{key};v=1",
    "/f/{key}#fragment",
    "/f/{key} /more",
    "",
)
HEADERS = (
    "content-length: -1",
    "content-length: 1e3",
    "content-length: 0x10",
    "content-length: " + "9" * 5_000,
    "content-length: 18446744073709551616",
    "content-length: 9999999",
    "content-length: 5\r\ncontent-length: 6",
    "content-length: +5",
    "content-length: 5, 5",
    "content-length:",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "transfer-encoding: identity",
    "transfer-encoding: chunked\r\ncontent-length: 3",
    "content-encoding: gzip",
    "content-encoding: br, gzip",
    "content-encoding: \xff",
    "expect: 100-continue",
    "expect: 200-maybe",
    "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x\r\nsec-websocket-version: 13",
    "upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\nconnection: upgrade, http2-settings",
    "host:",
    "host: a\r\nhost: b",
    "host: \xff\xfe",
    "origin: null",
    "origin: http://[",
    "origin: http://a:99999999",
    "origin: \xed\xa0\x80",
    "referer: http://[::1",
    "referer: http://a:b/",
    "referer: \x01\x02",
    "referer: " + "http://a/" * 3_000,
    "user-agent: \x00",
    "user-agent: " + "x" * 60_000,
    "accept: text/html",
    "accept: " + "*/*," * 5_000,
    "accept-language: " + "de-," * 5_000,
    "accept-language: \xff;q=nan, de;q=1e400",
    "accept-language: de;q=-1;q=,,;;q",
    "x-request-id: " + "a" * 64 + "\xff",
    "x-forwarded-for: not-an-address, 1.2.3",
    "x-forwarded-for: " + ", ".join(["::ffff:10.0.0.1"] * 500),
    "idempotency-key: " + "k" * 10_000,
    "idempotency-key: \xff\x80",
    "range: bytes=0-0,1-1",
    "cookie: " + "a=b; " * 2_000,
    "no colon here",
    ": no name",
    "folded: a\r\n b",
    "na me: x",
    "\r\n".join(f"x-{n}: y" for n in range(500)),
)


def _digits(count: int) -> str:
    return "9" * count


def _nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def _part(head: str, content: str = "x") -> str:
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"


# (content type as a header, or none; body)
BODIES: Sequence[tuple[str, bytes]] = [
    *(
        (URLENCODED, body if isinstance(body, bytes) else body.encode())
        for body in (
            "",
            "=",
            "&" * 100_000,
            "name",
            "name=%",
            "name=%zz&email=%u0041",
            "name=%00&email=a%40b.example&message=%ed%a0%80",
            b"name=\xff\xfe\x00&email=a%40b.example",
            "name=Ann&email=a%40b.example&message=" + _digits(5_000),
            "&".join(f"field{n}=x" for n in range(10_000)),
            "&".join("same=x" for _ in range(300)),
            "a" * 250_000,
            "name=" + "%00" * 80_000,
            "_charset_=utf-7&name=%2BADw-&email=a%40b.example",
            "_charset_=" + "x" * 10_000 + "&name=Ann&email=a%40b.example",
            "_charset_=base64&name=Ann&email=a%40b.example",
            "_charset_=idna&name=\u00fc&email=a%40b.example",
            "_version=99999999999999999999&_elapsed=-1&_rendered=" + _digits(5_000) + f"&{WHOLE}",
            "_version=\u0663&_elapsed=\u0663&_rendered=\u0663&" + WHOLE,
            "_version=x&_elapsed=nan&_rendered=1e400&" + WHOLE,
            "_version=" + _digits(5_000) + "&" + WHOLE,
            "_elapsed=" + _digits(5_000) + "&" + WHOLE,
            "_rendered=-" + _digits(5_000) + "&" + WHOLE,
            "_next=javascript:alert(1)&" + WHOLE,
            "_next=%0d%0aset-cookie:a&" + WHOLE,
            "_page=http://[&" + WHOLE,
            "_page=http://a:99999999/&" + WHOLE,
            "_key=%00%ff&" + WHOLE,
            "_key=" + "k" * 50_000 + "&" + WHOLE,
            "altcha=%00&_proof=e30&" + WHOLE,
            "_gotcha=1&website=1&" + WHOLE,
            "name=Ann&email=" + "a" * 50_000 + "@b&message=x",
            "name=Ann&email=@@@@@@&topic=" + "x" * 5_000,
            "name=%F0%9F%98%80%CC%81&email=%e2%80%ae%40b.example&message=%e2%80%8b",
        )
    ),
    *(
        (JSON, body if isinstance(body, bytes) else body.encode())
        for body in (
            "",
            "null",
            "0",
            '"text"',
            "[]",
            "{}",
            "{",
            "}",
            "[" * 100_000,
            _nested(100),
            _nested(30_000),
            '{"name": ' + "[" * 60_000 + "]" * 60_000 + "}",
            '{"name": ' + _digits(5_000) + "}",
            '{"name": 1e400, "email": -0, "message": 18446744073709551616}',
            '{"name": NaN, "email": Infinity}',
            '{"name": "\\ud800", "email": "a@b.example", "message": "\\udfff\\ud800"}',
            '{"name": "\\u0000", "email": "a@b.example"}',
            b'{"name": "\x00", "email": "a@b.example"}',
            b'{"name": "\xff\xfe", "email": "a@b.example"}',
            b'\xff\xfe{\x00"\x00a\x00"\x00:\x001\x00}\x00',
            b'\xef\xbb\xbf{"name": "Ann", "email": "a@b.example"}',
            '{"\\ud800": "x", "name": "Ann", "email": "a@b.example"}',
            '{"name": "A", "name": "B", "email": "a@b.example"}',
            '{"name": ["A", null, 1], "email": "a@b.example"}',
            '{"name": ["A", ["B"]], "email": "a@b.example"}',
            '{"name": {"toString": "x"}, "email": "a@b.example"}',
            '{"__proto__": {"a": 1}, "constructor": "x", "name": "A", "email": "a@b.example"}',
            '{"name": true, "email": false, "message": null}',
            '{"name": "\\',
            '{"name": "\\u12',
            "{'name': 'Ann'}",
            '{"name": "A",}',
            json.dumps({f"field{n}": "x" for n in range(10_000)}),
            json.dumps({"name": ["x"] * 10_000, "email": "a@b.example"}),
            json.dumps({"": "", "name": "A", "email": "a@b.example"}),
            json.dumps({"x" * 5_000: "y"}),
            json.dumps({"name": "x" * 200_000}),
            json.dumps({"_version": 1, "_elapsed": 1e308, "_rendered": True, "_key": None, "altcha": []}),
            json.dumps({"_key": [], "_next": {}, "_page": 1}),
        )
    ),
    *(
        (MULTIPART, body.encode("latin-1"))
        for body in (
            "",
            "--",
            f"--{BOUNDARY}",
            f"--{BOUNDARY}--",
            f"--{BOUNDARY}--\r\n",
            f"--{BOUNDARY}\r\n",
            f"--{BOUNDARY}\r\n\r\n\r\n--{BOUNDARY}--\r\n",
            f"--{BOUNDARY}\nContent-Disposition: form-data; name=a\n\nb\n--{BOUNDARY}--\n",
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn',
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n--{BOUNDARY}',
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="na\x00me"\r\n\r\n\x00\r\n--{BOUNDARY}--\r\n',
            _part("Content-Disposition: form-data"),
            _part('Content-Disposition: attachment; filename="x"'),
            _part('Content-Disposition: form-data; name="f"; filename="../../x"'),
            _part('Content-Disposition: form-data; name="f"; filename="\xff\x00"'),
            _part('Content-Disposition: form-data; name="f"; filename=""', ""),
            _part("Content-Disposition: form-data; name=\"f\"; filename*=utf-7''%ff"),
            _part('Content-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset=no-such', "\xff"),
            _part('Content-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64', "!!!"),
            _part("Content-Type: multipart/mixed; boundary=yy", "--yy\r\n\r\nx\r\n--yy--"),
            _part('Content-Disposition: form-data; name="f"; filename="x.svg"\r\nContent-Type: \xff', "<svg" * 9_000),
            _part('Content-Disposition: form-data; name="f"; filename="x.png"', "\x89PNG\r\n\x1a\n" + "x" * 70_000),
            f"--{BOUNDARY}\r\n{'X: y' * 5_000}\r\n\r\nx\r\n--{BOUNDARY}--\r\n",
            f"--{BOUNDARY}\r\n" + "X: y\r\n" * 2_000 + f"\r\nx\r\n--{BOUNDARY}--\r\n",
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{"n" * 10_000}"\r\n\r\nx\r\n--{BOUNDARY}--\r\n',
            "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\nx\r\n' for n in range(3_000)),
            f"--{BOUNDARY}\r\n" * 5_000,
            "\r\n" * 50_000,
            "preamble " * 1_000 + "\r\n" + _part('Content-Disposition: form-data; name="name"') + "epilogue",
        )
    ),
    *(
        (f"content-type: {kind}", WHOLE.encode())
        for kind in (
            "",
            ";",
            "text/plain",
            "application/octet-stream",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            'multipart/form-data; boundary="',
            "multipart/form-data; boundary=" + "b" * 5_000,
            "multipart/form-data; boundary=\xff",
            "application/json; charset=utf-16",
            "application/json; charset=\x00",
            "application/x-www-form-urlencoded; charset=utf-7",
            "application/x-www-form-urlencoded; charset=rot13",
            "application/x-www-form-urlencoded; charset=" + "x" * 5_000,
            "application/x-www-form-urlencoded; charset=unicode_escape",
            "APPLICATION/JSON",
            "application/json, application/json",
            "application/x-www-form-urlencoded; " * 500,
        )
    ),
    ("", WHOLE.encode()),
    (URLENCODED, b"\x1f\x8b\x08\x00" + bytes(100)),
    (JSON, b"\x1f\x8b\x08\x00" + bytes(100)),
]
# Whole requests that are none.
NOISE = (
    b"",
    b"\r\n",
    b"\x00" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a" * 100_000,
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"GET /health/ HTTP/1.1\r\nhost: x\r\n\r\n" * 50,
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
)


def request(method: str, path: str, headers: Sequence[str] = (), body: bytes | None = None) -> bytes:
    """One request. `body` None: without a content-length, unless the headers have one."""
    head = [f"{method} {path} HTTP/1.1", "host: x", "connection: close", *headers]
    if body is not None:
        head.append(f"content-length: {len(body)}")
    # As latin-1, so that each character is the byte it stands for; beyond that as UTF-8.
    return b"\r\n".join(_raw(line) for line in [*head, "", ""]) + (body or b"")


def _raw(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode()


def requests(key: str) -> Iterator[bytes]:
    """All that is odd before the body, on every route, and the bodies; for a form that there is."""
    for path in ROUTES:
        yield from (request(method, path.format(key=key)) for method in METHODS)
        yield request("POST", path.format(key=key), [URLENCODED], WHOLE.encode())
    for path in ROUTES[::3]:
        yield from (request("POST", path.format(key=key), [URLENCODED, header], b"x=1") for header in HEADERS)
    for path in PATHS:
        yield from (request(method, path.replace("{key}", key)) for method in ("GET", "POST", "OPTIONS"))
    for header in HEADERS:
        yield request("POST", f"/f/{key}", [URLENCODED, header]) + WHOLE.encode()
        yield request("GET", f"/f/{key}", [header])
    yield from bodies(key)
    yield from (request("POST", f"/f/{STRANGER}", [kind], body) for kind, body in BODIES)
    yield from NOISE


def bodies(key: str) -> Iterator[bytes]:
    """The bodies, each whole, broken off and in chunks."""
    for kind, body in BODIES:
        for accept in ("application/json", "text/html"):
            head = [f"accept: {accept}", *([kind] if kind else [])]
            yield request("POST", f"/f/{key}", head, body)
        yield request("POST", f"/f/{key}", [*head, f"content-length: {len(body) + 1}"]) + body
        yield request("POST", f"/f/{key}", [*head, "transfer-encoding: chunked"]) + b"5\r\nab" + body


# What breaks parsers.
_PIECES = (
    b"\x00", b"\xff", b"\r\n", b"\n", b"\r", b":", b"%", b"%00", b"\xed\xa0\x80", b"\\ud800", b'"', b"{", b"[", b"&",
    b"=", b"--xYx", b"--xYx--", b"; charset=utf-16", b"9" * 400, b" ", b"\t", b"content-length: 0\r\n", b"chunked",
    b"\x80" * 50,
)  # fmt: skip


def mutated(seed: int, known: Sequence[bytes]) -> bytes:
    """One of the known requests with a few changes; the same seed makes the same."""
    dice = random.Random(seed)  # noqa: S311
    sent = bytearray(dice.choice(known)[:20_000])
    for _ in range(dice.randint(1, 6)):
        at = dice.randint(0, min(len(sent), dice.choice((60, 400, 20_000))))
        match dice.randrange(5):
            case 0:
                sent[at:at] = dice.choice(_PIECES)
            case 1:
                del sent[at : at + dice.randint(1, 20)]
            case 2:
                sent[at : at + 1] = bytes([dice.randrange(256)])
            case 3:
                other = dice.choice(known)
                start = dice.randint(0, len(other))
                sent[at:at] = other[start : start + dice.randint(1, 200)]
            case _:
                sent[at:at] = sent[at : at + dice.randint(1, 50)] * dice.randint(1, 5)
    return bytes(sent)
