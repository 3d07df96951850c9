"""Where a change comes from: bound at the doors (request, job), read by what writes the audit."""

import dataclasses
import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

# The audit is never changed, so what it says of a place cannot be cut short later, as other addresses are. A network
# tells the office from elsewhere, and names no household.
BITS_OF_4, BITS_OF_6 = 24, 48


@dataclasses.dataclass(frozen=True)
class Origin:
    """`place` is a network (203.0.113.0/24), `job <name>`, `admin <network>` or `command`."""

    place: str = "command"
    # The API token or the program's sign-in that a request came with.
    token_id: UUID | None = None


# Whatever is neither a request nor a job was started by hand.
COMMAND = Origin()
_current: ContextVar[Origin] = ContextVar("consult_origin", default=COMMAND)


def current() -> Origin:
    """Return where the running code was called from."""
    return _current.get()


@contextmanager
def bound(place: str) -> Iterator[None]:
    """Say where what happens in the block comes from."""
    token = _current.set(Origin(place[:60]))
    try:
        yield
    finally:
        _current.reset(token)


def believe(token_id: UUID) -> None:
    """Say which token the rest of this request is done with; its end forgets it (see `bound`)."""
    _current.set(dataclasses.replace(_current.get(), token_id=token_id))


def enter_admin() -> None:
    """Say that the rest of this request is done in the admin, by somebody who may belong to no agency."""
    origin = _current.get()
    if not origin.place.startswith("admin"):
        _current.set(dataclasses.replace(origin, place=f"admin {origin.place}".strip()))


def network(address: str) -> str:
    """Return the network that an address lies in, empty for what is no address (a peer on a socket has none)."""
    return _within(address, BITS_OF_4, BITS_OF_6)


def sender(address: str) -> str:
    """Return whom an address stands for where tries are counted: who has one IPv6 address has a whole /64 of them."""
    return _within(address, 32, 64)


def _within(address: str, bits_of_4: int, bits_of_6: int) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, bits_of_4 if parsed.version == 4 else bits_of_6), strict=False))
