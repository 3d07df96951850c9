"""The edge as one process: routes, start, stop."""

import asyncio
import contextlib
import os
import re
import resource
import signal
import socket
import sys
import time
from urllib.parse import parse_qs

import uuid_utils.compat
from granian.constants import HTTPModes
from granian.http import HTTP1Settings
from granian.server.embed import Server

from edge import (
    accept,
    bounds,
    config,
    database,
    forms,
    http,
    keys,
    live,
    log,
    pages,
    problems,
    receipts,
    sql,
    store,
)

_FORM_PATH = re.compile(r"/f/([^/]+)(/thanks)?/?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{8,64}")


class Edge:
    """The RSGI application and the parts that it stands on."""

    def __init__(self, settings: config.Config, limits: bounds.Bounds, told: log.Log) -> None:
        self._settings = settings
        self._log = told
        self.active = 0
        self.forms = forms.Forms(self._ask_form, limits, told)
        self.keys = keys.KeyRing(self._ask_keys, limits)
        self.live = live.Live(self.keys, settings.office_url, limits, told)
        self.store = store.Store(settings.database_url, limits, told)
        self.receiver = accept.Receiver(settings, limits, self.forms, self.store)
        listeners = {
            "consult_forms": self.forms.forget,
            "consult_keys": lambda _kid: self.keys.outdated(),
            "consult_live": self.live.heard,
        }
        self.link = database.Link(settings, limits, listeners, self._on_open, told)

    def _on_open(self) -> None:
        self.forms.forget_all()
        self.keys.outdated()
        self.live.missed_some()

    async def _ask_form(self, key: str) -> str | None:
        records = await self.link.fetch(sql.FIND_FORM, key)
        found: str | None = records[0][0]
        return found

    async def _ask_keys(self) -> dict[str, str]:
        return {record["kid"]: record["public_key"] for record in await self.link.fetch(sql.LIST_PUBLIC_KEYS)}

    async def __rsgi__(self, scope: http.Scope, exchange: http.Exchange) -> None:
        started = time.perf_counter()
        request = self._request(scope, exchange)
        self.active += 1
        route, status, size = "-", 500, 0
        try:
            route, answer = await self._answer(request)
            if isinstance(answer, http.Response):
                status, size = answer.status, len(answer.body)
                headers = [*answer.headers, ("x-request-id", request.id), *http.SECURITY_HEADERS]
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
                client=request.client,
            )

    def _request(self, scope: http.Scope, exchange: http.Exchange) -> http.Request:
        request = http.Request(
            id="",
            method=scope.method,
            path=scope.path,
            query=scope.query_string,
            client="",
            headers=scope.headers,
            exchange=exchange,
        )
        wanted = request.header("x-request-id")
        request.id = wanted if _REQUEST_ID.fullmatch(wanted) else str(uuid_utils.compat.uuid7())
        forwarded_for = request.header("x-forwarded-for") if self._settings.trusted_proxies else ""
        request.client = http.client_address(scope.client, forwarded_for, self._settings.trusted_proxies)
        return request

    async def _answer(self, request: http.Request) -> tuple[str, http.Response | tuple[int, int]]:
        """The route's template, and an answer or, when it was streamed, its status and size."""
        route = "-"
        try:
            if request.path in ("/health/", "/health"):
                route = "/health/"
                _only(request, "GET", "HEAD")
                return route, http.json(200, {"status": "ok"})
            if request.path == "/live":
                route = "/live"
                return route, await self._live(request)
            if request.path == pages.STYLESHEET_PATH:
                route = pages.STYLESHEET_PATH
                _only(request, "GET", "HEAD")
                return route, pages.stylesheet()
            if found := _FORM_PATH.fullmatch(request.path):
                route = "/f/{form}/thanks" if found[2] else "/f/{form}"
                return route, await (self._thanks if found[2] else self._form)(request, found[1])
            raise problems.Problem("not_found", "No page has this address.")
        except problems.Problem as problem:
            return route, _refused(request, problem)
        except database.Unavailable:
            return route, _refused(request, accept.away())
        except Exception as error:
            self._log.error("failed", request_id=request.id, route=route, error=_where(error))
            return route, _refused(request, problems.Problem("internal", "It is noted under this number."))

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
            raise problems.Problem("not_found", "This address needs the receipt of a message.")
        return pages.thanks(form, receipt)

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


def _query(request: http.Request, name: str) -> str:
    try:
        return parse_qs(request.query, max_num_fields=20).get(name, [""])[0]
    except ValueError:
        return ""


def _only(request: http.Request, *methods: str) -> None:
    if request.method not in methods:
        allow = ", ".join(methods)
        headers = (("allow", allow), *http.CLOSE)
        raise problems.Problem("method_not_allowed", f"This address takes {allow}.", headers=headers)


def _refused(request: http.Request, problem: problems.Problem) -> http.Response:
    return pages.error(problem, request.id) if request.wants_page() else http.problem(problem, request.id)


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
    app = Edge(settings, limits, told)
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
    server = _server(settings, limits, app)
    serving = asyncio.create_task(server.serve())
    told.info(
        "started",
        address=f"http://{settings.host}:{settings.port}",
        database=config.redacted(settings.database_url),
    )
    await asyncio.wait((link, stopping, serving), return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else _bad_role(link, told) if link.done() else 1
    await _end(app, server, serving, limits, told)
    link.cancel()
    return code


async def _end(app: Edge, server: Server, serving: asyncio.Task[None], limits: bounds.Bounds, told: log.Log) -> None:
    """Answers and stores what has arrived; does not wait for those who never finish."""
    told.info("stopping", active=app.active, streams=app.live.count)
    app.live.close()
    server.stop()  # type: ignore[no-untyped-call]  # granian types only its public API
    started = time.monotonic()
    deadline = started + limits.shutdown_seconds
    while not serving.done() and time.monotonic() < deadline:
        await asyncio.wait((serving,), timeout=0.1)
        # Half-sent content gets a last moment; half-sent headers and idle connections are nobody's submission.
        patience = time.monotonic() < started + limits.half_sent_seconds
        if app.active == (0 if patience else app.receiver.reading) and time.monotonic() > started + 0.3:
            break
    await app.store.close(max(0.5, deadline - time.monotonic()))
    told.info("stopped", unfinished=app.active)


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
    return asyncio.run(_run(settings, limits, told))
