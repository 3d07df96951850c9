"""What the environment says, read once. All problems come in one message, and never a value with them."""

import ipaddress
import pathlib
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import limits
import msgspec

type Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOG_FORMATS = ("json", "console")


class BadConfig(Exception):
    """The environment cannot be used; `problems` names every variable at fault, without its value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The edge cannot start:\n" + "\n".join(f"  - {problem}" for problem in problems))
        self.problems = problems


class Config(msgspec.Struct, frozen=True):
    """`edge_url` and `office_url` are origins without a trailing slash."""

    database_url: str
    host: str
    port: int
    edge_url: str
    office_url: str
    log_format: str
    trusted_proxies: tuple[Network, ...]
    spool_dir: pathlib.Path
    redis_url: str
    agency_limit: str
    files_url: str
    # Strict-Transport-Security; empty where the edge is reached by plain HTTP.
    hsts: str = ""

    def __repr__(self) -> str:
        return f"Config(database_url={redacted(self.database_url)!r}, host={self.host!r}, port={self.port})"


def redacted(dsn: str) -> str:
    """The address without user, password and options: what may stand in a log."""
    try:
        parts = urlsplit(dsn)
        return f"{parts.scheme}://***@{parts.hostname or ''}:{parts.port or ''}{parts.path}"
    except ValueError:
        return "***"


def load(environ: Mapping[str, str]) -> Config:
    """Raises BadConfig that lists every problem at once."""
    read = _Reader(environ)
    database_url = read.database_url("EDGE_DATABASE_URL")
    host = read.text("CONSULT_EDGE_HOST", "127.0.0.1")
    port = read.port("CONSULT_EDGE_PORT", 8787)
    edge_url = read.origin("CONSULT_EDGE_URL", f"http://{host}:{port}")
    office_url = read.origin("CONSULT_OFFICE_URL", "http://127.0.0.1:8000")
    log_format = read.choice("CONSULT_LOG_FORMAT", LOG_FORMATS, "json")
    trusted_proxies = read.networks("CONSULT_TRUSTED_PROXIES")
    spool_dir = pathlib.Path(read.text("CONSULT_SPOOL_DIR", f"{read.text('CONSULT_DATA_DIR', 'var')}/spool"))
    redis_url = read.redis_url("REDIS_URL")
    agency_limit = read.limit("CONSULT_AGENCY_LIMIT", "3000/minute")
    data_dir = pathlib.Path(read.text("CONSULT_DATA_DIR", "var")).absolute()
    files_url = read.files_url("CONSULT_FILES_URL", data_dir / "files")
    hsts = read.choice("CONSULT_HSTS", tuple(_HSTS), "host")
    if read.problems:
        raise BadConfig(read.problems)
    return Config(
        database_url,
        host,
        port,
        edge_url,
        office_url,
        log_format,
        trusted_proxies,
        spool_dir,
        redis_url,
        agency_limit,
        files_url,
        _HSTS[hsts] if edge_url.startswith("https://") else "",
    )


# For a year, as the office says it.
_HSTS = {
    "host": "max-age=31536000",
    "subdomains": "max-age=31536000; includeSubDomains",
    "preload": "max-age=31536000; includeSubDomains; preload",
}


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        value = self.environ.get(name, "")
        path = self.environ.get(f"{name}_FILE", "")
        if value and path:
            self.problems.append(f"{name} and {name}_FILE are both set; keep one")
        elif path:
            try:
                value = pathlib.Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError):
                self.problems.append(f"{name}_FILE names a file that cannot be read")
        return value.strip() or default

    def database_url(self, name: str) -> str:
        dsn = self.text(name, "")
        if not dsn:
            if not any(problem.startswith(name) for problem in self.problems):
                self.problems.append(f"{name} is missing (postgresql://consult_edge:…@host:port/database)")
        elif not re.match(r"postgres(ql)?://", dsn):
            self.problems.append(f"{name} is not a PostgreSQL address (postgresql://…)")
        return dsn

    def port(self, name: str, default: int) -> int:
        text = self.text(name, str(default))
        if text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 65_535:
            return int(text)
        self.problems.append(f"{name} is not a port (1 to 65535)")
        return default

    def origin(self, name: str, default: str) -> str:
        text = self.text(name, default).rstrip("/")
        try:
            known = bool(urlsplit(text).hostname) and urlsplit(text).port != 0
        except ValueError:
            known = False
        if not known or not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", text):
            self.problems.append(f"{name} is not an origin (https://name, without a path)")
        return text.lower()

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        text = self.text(name, default)
        if text not in choices:
            self.problems.append(f"{name} is none of: {', '.join(choices)}")
        return text

    def redis_url(self, name: str) -> str:
        url = self.text(name, "")
        if url and not re.match(r"rediss?://", url):
            self.problems.append(f"{name} is not a Redis address (redis://…)")
        return url

    def limit(self, name: str, default: str) -> str:
        text = self.text(name, default)
        try:
            limits.parse(text)
        except ValueError:
            self.problems.append(f"{name} is no limit (3000/minute, 10 per second, …)")
        return text

    def files_url(self, name: str, default: pathlib.Path) -> str:
        url = self.text(name, default.as_uri())
        if not re.fullmatch(r"file:///[^?#]+|s3://[a-z0-9][a-z0-9.-]+(/[^?#]*)?(\?[^#]*)?", url):
            self.problems.append(f"{name} is neither file:///folder nor s3://bucket/prefix?endpoint=…&region=…")
        return url

    def networks(self, name: str) -> tuple[Network, ...]:
        found: list[Network] = []
        for part in self.text(name, "").split(","):
            if part.strip():
                try:
                    found.append(ipaddress.ip_network(part.strip(), strict=False))
                except ValueError:
                    self.problems.append(f"{name} holds something that is no network (10.0.0.0/8, …)")
                    break
        # The widest that anybody has inside: 10.0.0.0/8 and fc00::/7.
        if any(network.prefixlen < (8 if network.version == 4 else 7) for network in found):
            self.problems.append(f"{name} holds a network so wide that everybody would be believed")
        return tuple(found)
