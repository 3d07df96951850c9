"""Connections to PostgreSQL: direct (LISTEN), with a checked role and with deadlines kept by the client."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import asyncpg

from edge import bounds, config, log, sql

type Connection = asyncpg.Connection[asyncpg.Record]

# What asyncpg raises when the server, not our statement, is the matter.
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)


class Unavailable(Exception):
    """The database cannot be asked at this moment."""


class BadRole(Exception):
    """Our role may do more than the edge must ever be able to do."""


async def connect(dsn: str, seconds: float) -> Connection:
    """Raises Unavailable, and BadRole when the role could read or own what it must not."""
    try:
        connection: Connection = await asyncpg.connect(
            dsn,
            timeout=seconds,
            command_timeout=seconds,
            statement_cache_size=20,
            server_settings={"application_name": "consult-edge", "jit": "off"},
        )
    except AWAY as away:
        raise Unavailable(type(away).__name__) from away
    try:
        found = [record["fault"] for record in await connection.fetch(sql.ROLE_FAULTS)]
    except AWAY as away:
        connection.terminate()
        raise Unavailable(type(away).__name__) from away
    except asyncio.CancelledError:
        connection.terminate()
        raise
    if found:
        connection.terminate()
        raise BadRole("The edge's database role " + "; ".join(found))
    return connection


class Link:
    """One connection that listens, asks the small questions, and comes back whenever it breaks.

    `on_open` runs after each (re)connect, when LISTEN is on: notifications before it may have been missed.
    """

    def __init__(
        self,
        settings: config.Config,
        limits: bounds.Bounds,
        listeners: Mapping[str, Callable[[str], None]],
        on_open: Callable[[], None],
        told: log.Log,
    ) -> None:
        self._dsn = settings.database_url
        self._limits = limits
        self._listeners = listeners
        self._on_open = on_open
        self._log = told
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self.tried = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._connection is not None

    async def keep_open(self) -> None:
        """Runs until cancelled. Raises BadRole."""
        pause = self._limits.reconnect_seconds
        told = False
        while True:
            try:
                connection = await self._open()
            except Unavailable as away:
                self.tried.set()
                if not told:
                    self._log.warning("database_away", reason=str(away))
                    told = True
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, 2.0)
                continue
            pause = self._limits.reconnect_seconds
            told = False
            self._log.info("database_connected")
            await self._until_broken(connection)

    async def _open(self) -> Connection:
        connection = await connect(self._dsn, self._limits.lookup_seconds)
        try:
            for channel, listener in self._listeners.items():
                await connection.add_listener(channel, _payload_only(listener))
        except AWAY as away:
            connection.terminate()
            raise Unavailable(type(away).__name__) from away
        return connection

    async def _until_broken(self, connection: Connection) -> None:
        broken = asyncio.Event()
        connection.add_termination_listener(lambda _: broken.set())
        self._connection = connection
        self._on_open()
        self.tried.set()
        try:
            while not broken.is_set():
                # A peer that vanished without a word is noticed by asking, not by waiting.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(15):
                        await broken.wait()
                if not broken.is_set():
                    with contextlib.suppress(Unavailable):
                        await self.fetch("SELECT 1")
        finally:
            self._connection = None
            connection.terminate()

    async def fetch(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Raises Unavailable within `lookup_seconds`."""
        try:
            async with asyncio.timeout(self._limits.lookup_seconds), self._turn:
                if self._connection is None:
                    raise Unavailable("not connected")
                return await self._connection.fetch(statement, *arguments)
        except AWAY as away:
            if self._connection is not None and not isinstance(away, asyncpg.PostgresError):
                self._connection.terminate()
            raise Unavailable(type(away).__name__) from away


def _payload_only(listener: Callable[[str], None]) -> Callable[..., None]:
    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        listener(str(payload))

    return heard
