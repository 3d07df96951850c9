"""What `consult up` keeps running: a forked program or the embedded PostgreSQL, behind one face."""

import http.client
import signal
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from consult.machine import child as children
from consult.machine import postgres_cluster


class Service:
    """`needs` names a service without which this one cannot live. Lower ranks are stopped first."""

    def __init__(self, name: str, *, rank: int, needs: str = "") -> None:
        self.name = name
        self.rank = rank
        self.needs = needs
        self.up = False
        self.deaths: deque[float] = deque(maxlen=20)
        self.restart_at: float | None = None

    @property
    def pid(self) -> int | None:
        raise NotImplementedError

    def begin(self) -> None:
        """Starts it, without waiting."""
        raise NotImplementedError

    def ended(self) -> int | None:
        """Its exit status, None while it runs."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it answers."""
        raise NotImplementedError

    def ask(self) -> None:
        """Asks it to end."""
        raise NotImplementedError

    def clear(self, seconds: float = 0) -> None:
        """Makes sure that nothing of it runs any more; `seconds` it may still take by itself."""
        raise NotImplementedError

    def tail(self) -> str:
        """The last lines of its log."""
        raise NotImplementedError


class Program(Service):
    """`target` runs in a forked child. With `health`, an address, it is ready when that answers 200."""

    def __init__(
        self,
        name: str,
        target: Callable[[], object],
        log: Path,
        *,
        begin: children.Begin,
        rank: int = 0,
        needs: str = "",
        health: str = "",
    ) -> None:
        super().__init__(name, rank=rank, needs=needs)
        self.target = target
        self.log = log
        self.health = health
        self.child: children.Child | None = None
        self._begin = begin
        self.on_record: Callable[[], None] = lambda: None

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child else None

    def begin(self) -> None:
        self.child = children.fork(self.target, self.log, self._begin)
        self.on_record()
        self.child.release()

    def ended(self) -> int | None:
        return self.child.poll() if self.child else 0

    def ready(self) -> bool:
        return self.ended() is None and (not self.health or answers(self.health))

    def ask(self) -> None:
        if self.child:
            self.child.signal(signal.SIGTERM)

    def clear(self, seconds: float = 0) -> None:
        if self.child:
            self.child.clear()
            self.child = None

    def tail(self) -> str:
        return children.tail(self.log)


class Postgres(Service):
    """The embedded server."""

    def __init__(self, cluster: postgres_cluster.Cluster) -> None:
        super().__init__("postgres", rank=9)
        self.cluster = cluster

    @property
    def pid(self) -> int | None:
        return self.cluster.running_pid()

    def begin(self) -> None:
        self.cluster.launch()

    def ended(self) -> int | None:
        return self.cluster.ended()

    def ready(self) -> bool:
        return self.cluster.ready()

    def ask(self) -> None:
        if self.cluster.process and self.cluster.ended() is None:
            self.cluster.process.send_signal(signal.SIGINT)

    def clear(self, seconds: float = 0) -> None:
        self.cluster.stop(fast_seconds=seconds, immediate_seconds=0.5)

    def tail(self) -> str:
        return children.tail(self.cluster.log)


def answers(address: str, seconds: float = 0.5) -> bool:
    """Whether a GET of this address answers 200 within `seconds`."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
