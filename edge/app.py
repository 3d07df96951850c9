"""The edge as one process: routes, start, stop."""

import asyncio
import contextlib
import datetime
import gc
import os
import re
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import uvloop
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from edge import (
    accept,
    bounds,
    config,
    database,
    drainer,
    files,
    forms,
    http,
    identity,
    keeper,
    keys,
    live,
    log,
    metrics,
    pages,
    problems,
    receipts,
    spool,
    sql,
    store,
    uploads,
    words,
)
from edge import limits as rates


class Edge:
    """The RSGI application and the parts that it stands on."""

    def __init__(
        self,
        settings: config.Config,
        limits: bounds.Bounds,
        told: log.Log,
        shelter: spool.Spool,
        storage: files.Storage,
    ) -> None:
        self._settings = settings
        self._bounds = limits
        self._log = told
        hsts = (("strict-transport-security", settings.hsts),) if settings.hsts else ()
        self._security_headers = (*http.SECURITY_HEADERS, *hsts)
        self.active = 0
        self.stopping = False
        self.lag_seconds = 0.0
        self._remembering: set[asyncio.Task[None]] = set()
        self.forms = forms.Forms(self._ask_form, limits, told)
        self.forms.remember = self._remember
        self.keys = keys.KeyRing(self._ask_keys, limits)
        self.live = live.Live(self.keys, settings.office_url, limits, told)
        self.spool = shelter
        self.store = store.Store(settings.database_url, shelter.source, limits, told, metrics.committed)
        kept = keeper.Keeper(self.store, shelter)
        self.limits = rates.Limits(settings.redis_url, settings.agency_limit, told)
        deadlines = http.Deadlines()
        incoming = uploads.Uploads(storage, limits, deadlines)
        self.receiver = accept.Receiver(settings, limits, self.forms, kept, self.limits, incoming, deadlines)
        self._metrics_page = metrics.expose(self._gauges)
        listeners = {
            "consult_forms": self.forms.forget,
            "consult_keys": lambda _kid: self.keys.outdated(),
            "consult_live": self.live.heard,
        }
        self.link = database.Link(settings, limits, listeners, self._on_open, told)

    def _remember(self, key: str, version: int, definition: str, present: bool) -> None:
        task = asyncio.create_task(self.spool.remember_form(key, version, definition, present=present))
        # The loop itself holds no task: one that nobody holds may be collected before it is done.
        self._remembering.add(task)
        task.add_done_callback(self._remembering.discard)

    async def recall_forms(self) -> None:
        """What the spool remembers of forms counts while the database cannot be asked. Raises spool.Failed."""
        for known in await self.spool.known_forms():
            self.forms.recall(known.key, known.version, known.definition, present=known.present)

    def _on_open(self) -> None:
        self.forms.forget_all()
        self.keys.outdated()
        self.live.missed_some()

    async def _ask_form(self, key: str, version: int | None) -> str | None:
        records = await self.link.fetch(sql.FIND_FORM, key, version)
        found: str | None = records[0][0]
        return found

    async def _ask_keys(self) -> dict[str, str]:
        return {record["kid"]: record["public_key"] for record in await self.link.fetch(sql.LIST_PUBLIC_KEYS)}

    async def __rsgi__(self, scope: http.Scope, exchange: http.Exchange) -> None:
        started = time.perf_counter()
        request = http.Request(scope, exchange, self._settings.trusted_proxies)
        self.active += 1
        route, status, size, code = "-", 500, 0, None
        try:
            route, answer = await self._answer(request)
            if isinstance(answer, http.Response):
                status, size, code = answer.status, len(answer.body), answer.code
                headers = [*answer.headers, ("x-request-id", request.id), *self._security_headers]
                if not any(name == http.NO_PAGE[0] for name, _value in answer.headers):
                    headers.append(http.NO_PAGE)
                exchange.response_bytes(status, headers, answer.body)
            else:
                status, size = answer
        finally:
            self.active -= 1
            self._log.info(
                "request",
                request_id=request.id,
                method=request.method[:16],
                route=route,
                status=status,
                duration_ms=round((time.perf_counter() - started) * 1000, 2),
                bytes=size,
                # Which network, not who: a log is kept for longer than addresses are.
                client=http.network_of(request.client, 24, 48),
                code=code,
            )

    async def _answer(self, request: http.Request) -> tuple[str, http.Response | tuple[int, int]]:
        """The route's template, and an answer or, when it was streamed, its status and size."""
        route = "-"
        try:
            if found := _FORM_PATH.fullmatch(request.path):
                route = f"/f/{{form}}{found[2] or ''}"
                return route, await _FORM_ROUTES[found[2]](self, request, found[1])
            if request.path == "/live":
                route = "/live"
                return route, await self._live(request)
            if plain := _PLAIN.get(request.path):
                route = plain[0]
                _only(request, "GET", "HEAD")
                return route, plain[1](self)
            raise problems.Problem("not_found", words.text("no_page"))
        except problems.Problem as problem:
            return route, _refused(request, problem)
        except database.Unavailable:
            return route, _refused(request, accept.away())
        except Exception as error:
            self._log.error("failed", request_id=request.id, route=route, error=_where(error))
            return route, _refused(request, problems.Problem("internal", words.text("internal")))

    async def _form(self, request: http.Request, key: str) -> http.Response:
        if request.method == "POST":
            return await self.receiver.accept(request, key)
        if request.method == "OPTIONS":
            return await self.receiver.preflight(request, key)
        _only(request, "GET", "HEAD", "POST", "OPTIONS")
        return pages.hosted(await self._known(key))

    async def _thanks(self, request: http.Request, key: str) -> http.Response:
        _only(request, "GET", "HEAD")
        form = await self._known(key)
        receipt = receipts.read(_query(request, "receipt"))
        if receipt is None:
            raise problems.Problem("not_found", words.text("no_receipt"))
        return pages.thanks(form, receipt)

    async def _challenge(self, request: http.Request, key: str) -> http.Response:
        if request.method == "OPTIONS":
            return await self.receiver.preflight(request, key)
        _only(request, "GET", "HEAD", "OPTIONS")
        return await self.receiver.challenge(request, key)

    def _health(self) -> http.Response:
        return http.json(200, {"status": "ok"})

    def _ready(self) -> http.Response:
        """Whether a submission would be kept now; `degraded`: yes, but somebody should look."""
        spooled, full = self.spool.count, self.spool.full
        away = not self.link.connected or self.store.is_away
        if self.stopping or full >= 1 or (away and self.spool.refuses):
            return http.json(503, {"status": "stopping" if self.stopping else "full", "spooled": spooled})
        good = not away and full < _NEARLY_FULL
        told = {"status": "ok" if good else "degraded", "database": self.link.connected, "spooled": spooled}
        return http.json(200, told)

    def _metrics(self) -> http.Response:
        headers = (("content-type", metrics.CONTENT_TYPE), ("cache-control", "no-store"))
        return http.Response(200, headers, self._metrics_page())

    def _gauges(self) -> dict[str, tuple[str, float]]:
        oldest = self.spool.oldest_at
        return {
            "requests_active": ("Requests that wait for their answer.", self.active),
            "queue_rows": ("Submissions that wait for the next batch.", self.store.waiting),
            "spool_rows": ("Submissions that wait for the database to be back.", self.spool.count),
            "spool_full_ratio": ("How much of the spool's limit is used.", self.spool.full),
            "spool_oldest_seconds": (
                "Since when the oldest of them waits.",
                time.time() - oldest.timestamp() if oldest else 0,
            ),
            "spool_bad_rows": ("Submissions in the spool that nobody can take: they need a person.", self.spool.bad),
            "database_connected": ("Whether the database can be reached.", self.link.connected),
            "streams": ("Live streams.", self.live.count),
            "loop_lag_seconds": ("How late the event loop last was.", self.lag_seconds),
        }

    async def watch_lag(self) -> None:
        """Runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(1)
            self.lag_seconds = max(0.0, loop.time() - before - 1)

    async def _known(self, key: str) -> forms.Form:
        form = await self.forms.find(key)
        if form is None:
            raise accept.unknown_form()
        return form

    async def _live(self, request: http.Request) -> http.Response | tuple[int, int]:
        cors = self.live.cors(request)
        try:
            if request.method == "OPTIONS":
                return http.Response(204, (*cors, ("access-control-allow-methods", "GET")))
            _only(request, "GET", "OPTIONS")
            return await self.live.serve(request, _query(request, "token"))
        except problems.Problem as problem:
            return http.problem(problem, request.id).with_headers(*cors)
        except database.Unavailable:
            return http.problem(accept.away(), request.id).with_headers(*cors)


_NEARLY_FULL = 0.8
_FORM_PATH = re.compile(r"/f/([^/]+)(/thanks|/challenge)?/?")
_FORM_ROUTES = {None: Edge._form, "/thanks": Edge._thanks, "/challenge": Edge._challenge}
# Addresses without anything to find out: the route and what answers it.
_PLAIN: dict[str, tuple[str, Callable[[Edge], http.Response]]] = {
    "/health/": ("/health/", Edge._health),
    "/health": ("/health/", Edge._health),
    "/ready/": ("/ready/", Edge._ready),
    "/ready": ("/ready/", Edge._ready),
    "/metrics": ("/metrics", Edge._metrics),
    pages.STYLESHEET_PATH: (pages.STYLESHEET_PATH, lambda _edge: pages.stylesheet()),
}


def _query(request: http.Request, name: str) -> str:
    try:
        return parse_qs(request.query, max_num_fields=20).get(name, [""])[0]
    except ValueError:
        return ""


def _only(request: http.Request, *methods: str) -> None:
    if request.method not in methods:
        allow = ", ".join(methods)
        headers = (("allow", allow), *http.CLOSE)
        raise problems.Problem("method_not_allowed", words.text("method_not_allowed", methods=allow), headers=headers)


def _refused(request: http.Request, problem: problems.Problem) -> http.Response:
    language = words.preferred(request.header("accept-language"))
    if request.wants_page():
        return pages.error(problem, request.id, language=language)
    return http.problem(problem, request.id, language)


def _where(error: BaseException) -> str:
    """Kind and place of an error; never its text, which may quote what a visitor wrote."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    return f"{type(error).__name__} at {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}"


def _server(settings: config.Config, limits: bounds.Bounds, app: Edge) -> Server:
    # Embedded in our own loop, not `Granian(workers=1)`: that one keeps a parent process which only waits for
    # the worker (7 MB more, and a second place for signals to go), and on SIGTERM it waits for streams that never
    # end. Here the order of the end is ours: streams, server, store.
    return Server(
        app,
        address=settings.host,
        port=settings.port,
        backlog=1024,
        backpressure=limits.connections,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(limits.header_seconds * 1000), max_buffer_size=65_536),
        websockets=False,
        log_enabled=False,
    )


async def _run(settings: config.Config, limits: bounds.Bounds, told: log.Log) -> int:
    try:
        storage = files.open(settings.files_url)
        shelter = await spool.Spool.open(settings.spool_dir, limits, told)
    except (files.Unusable, spool.Unusable) as unusable:
        told.error("refused_to_start", reason=str(unusable))
        return 1
    app = Edge(settings, limits, told, shelter, storage)
    await app.recall_forms()
    now = datetime.datetime.now(datetime.UTC)
    drain = drainer.Drainer(settings.database_url, settings.spool_dir, shelter, identity.rekeyed, now, limits, told)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    link = asyncio.create_task(app.link.keep_open())
    stopping = asyncio.create_task(stop.wait())
    # The first attempt, so that a role that may too much is told before anybody is answered.
    tried = asyncio.create_task(app.link.tried.wait())
    await asyncio.wait((link, stopping, tried), return_when=asyncio.FIRST_COMPLETED)
    if link.done():
        return _bad_role(link, told)
    app.store.start()
    drain.start()
    watch = asyncio.create_task(app.watch_lag())
    server = _server(settings, limits, app)
    serving = asyncio.create_task(server.serve())
    told.info(
        "started",
        address=f"http://{settings.host}:{settings.port}",
        database=config.redacted(settings.database_url),
        spooled=shelter.count,
    )
    # What is there now lives as long as the process: the collector need not look at it again. What a request leaves
    # behind is freed without it.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    await asyncio.wait((link, stopping, serving), return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else _bad_role(link, told) if link.done() else 1
    await _end(app, server, serving, limits, told)
    link.cancel()
    watch.cancel()
    await drain.close()
    await app.limits.close()
    await shelter.close()
    told.info("stopped", unfinished=app.active, spooled=shelter.count)
    told.flush()
    return code


async def _end(app: Edge, server: Server, serving: asyncio.Task[None], limits: bounds.Bounds, told: log.Log) -> None:
    """Answers and stores what has arrived; does not wait for those who never finish."""
    told.info("stopping", active=app.active, streams=app.live.count)
    app.stopping = True
    app.live.close()
    server.stop()  # type: ignore[no-untyped-call]  # granian types only its public API
    started = time.monotonic()
    deadline = started + limits.shutdown_seconds
    while not serving.done() and time.monotonic() < deadline:
        await asyncio.wait((serving,), timeout=0.1)
        # Half-sent content gets a last moment; half-sent headers and idle connections are nobody's submission.
        if time.monotonic() > started + limits.half_sent_seconds:
            app.receiver.end_reading()
        if app.active == 0 and time.monotonic() > started + 0.3:
            break
    # Who still waits for the database then is sent to the spool, and has a moment to get there.
    await app.store.close(max(0.5, deadline - time.monotonic()))
    settled = time.monotonic() + limits.spool_seconds
    while app.active > app.receiver.reading and time.monotonic() < settled:
        await asyncio.sleep(0.02)


def _bad_role(link: asyncio.Task[None], told: log.Log) -> int:
    error = link.exception()
    told.error("refused_to_start", reason=str(error) if isinstance(error, database.BadRole) else repr(error))
    return 1


def _taken(settings: config.Config) -> bool:
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host.strip("[]"), settings.port))
        except OSError:
            return True
    return False


def serve(settings: config.Config | None = None, limits: bounds.Bounds = bounds.DEFAULT) -> int:
    """Runs until SIGTERM or SIGINT; gives the exit code. Must be called in the main thread (signals)."""
    if settings is None:
        try:
            settings = config.load(os.environ)
        except config.BadConfig as bad:
            sys.stderr.write(f"{bad}\n")
            return 2
    told = log.Log(settings.log_format)
    if _taken(settings):
        told.error("refused_to_start", reason=f"cannot listen on {settings.host}:{settings.port}: taken or not ours")
        return 1
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, limits.connections * 2), hard))
    return uvloop.run(_run(settings, limits, told))
