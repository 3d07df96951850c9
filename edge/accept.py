"""Accept a submission: POST /f/<form key>, answered only after its row is committed."""

import datetime
import secrets
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec
import uuid_utils.compat

from edge import bounds, config, database, forms, http, pages, payload, problems, receipts, store

HONEYPOT = "honeypot"
FOREIGN_ORIGIN = "foreign_origin"

_META_CHARS = 2_000


class Receiver:
    """What step 1 to 5 of an enquiry's walk need."""

    def __init__(self, settings: config.Config, limits: bounds.Bounds, known: forms.Forms, shelf: store.Store) -> None:
        self._settings = settings
        self._limits = limits
        self._forms = known
        self._store = shelf
        self.reading = 0

    async def accept(self, request: http.Request, key: str) -> http.Response:
        """What is the sender's or the database's fault becomes an answer here, with their text."""
        form: forms.Form | None = None
        sent: payload.Payload | None = None
        page = request.wants_page(payload.FORM_TYPES)
        try:
            form = await self._form(key)
            sent = await self._read(request)
            if form is None:
                raise away()
            faults = forms.faults(form, sent)
            if faults:
                detail = "Nothing was sent yet. Please correct what is marked and send it again."
                raise problems.Problem("invalid_fields", detail, errors=faults)
            answer = await self._keep(request, form, sent, page=page)
        except problems.Problem as found:
            if page:
                shown = _with_page_url(sent, request) if sent else None
                answer = pages.error(found, request.id, form, shown, f"/f/{key}")
            else:
                answer = http.problem(found, request.id)
        except payload.Unreadable as unreadable:
            told = problems.Problem(unreadable.code, unreadable.detail)
            if page:
                first = self._sendable(unreadable.first, form, request)
                answer = pages.error(told, request.id, form, first, f"/f/{key}", whole=False)
            else:
                answer = http.problem(told, request.id)
        return answer.with_headers(*self.cors(form, request))

    def cors(self, form: forms.Form | None, request: http.Request) -> tuple[tuple[str, str], ...]:
        """Who may read the answer. Without a form it holds nothing of anybody: every page may read it."""
        vary = (("vary", "Origin"),)
        origin = request.header("origin")
        if not origin:
            return vary
        if form is None:
            return (*vary, ("access-control-allow-origin", "*"))
        if not self._own(form, origin):
            return vary
        return (
            *vary,
            ("access-control-allow-origin", origin),
            ("access-control-expose-headers", "Retry-After, X-Request-ID"),
        )

    def _own(self, form: forms.Form, origin: str) -> bool:
        return origin == self._settings.edge_url or form.allows(origin)

    async def preflight(self, request: http.Request, key: str) -> http.Response:
        """A page that is not allowed gets no permission, and its browser sends nothing."""
        try:
            form = await self._form(key)
        except problems.Problem as found:
            return http.problem(found, request.id).with_headers(*self.cors(None, request))
        permissions = (
            ("access-control-allow-methods", "GET, HEAD, POST"),
            ("access-control-allow-headers", "Accept, Content-Type, X-Request-ID"),
            ("access-control-max-age", "600"),
        )
        cors = self.cors(form, request)
        allowed = len(cors) > 1
        return http.Response(204, (*cors, *(permissions if allowed else ())))

    async def _form(self, key: str) -> forms.Form | None:
        """None while the database is away and the form is not known. Raises Problem: unknown_form."""
        try:
            form = await self._forms.find(key)
        except database.Unavailable:
            return None
        if form is None:
            raise unknown_form()
        return form

    async def _read(self, request: http.Request) -> payload.Payload:
        """Raises Problem, payload.Unreadable."""
        if request.content_type not in payload.TYPES:
            detail = f"Send one of: {', '.join(payload.TYPES)}."
            accepted = (("accept-post", ", ".join(payload.TYPES)), *http.CLOSE)
            raise problems.Problem("wrong_type", detail, headers=accepted)
        self.reading += 1
        try:
            body = await http.read_body(request, limit=self._limits.body_bytes, seconds=self._limits.body_seconds)
        finally:
            self.reading -= 1
        return payload.parse(body, request.header("content-type"), self._limits)

    def _sendable(
        self, first: payload.Payload | None, form: forms.Form | None, request: http.Request
    ) -> payload.Payload | None:
        """So few of the fields that, with those which the page adds, they are not too many again."""
        if first is None or not first.fields:
            return None
        added = len(form.fields) + 1 if form else 0
        room = max(0, self._limits.fields - added - len(payload.CONTROLS))
        return _with_page_url(payload.Payload(first.fields[:room], first.controls, first.signals), request)

    async def _keep(
        self, request: http.Request, form: forms.Form, sent: payload.Payload, *, page: bool
    ) -> http.Response:
        row = self._row(request, form, sent)
        try:
            outcome = await self._store.put(row)
        except (store.Full, database.Unavailable):
            raise away() from None
        except store.Refused:
            raise problems.Problem("refused", "Something in this content cannot be stored.") from None
        if outcome == "unknown_form":
            self._forms.forget(form.key)
            raise unknown_form()
        return self._stored(row, form, sent, page=page)

    def _row(self, request: http.Request, form: forms.Form, sent: payload.Payload) -> store.Submission:
        return store.Submission(
            id=uuid_utils.compat.uuid7(),
            form_key=form.key,
            form_version=form.version,
            receipt=receipts.new(),
            received_at=datetime.datetime.now(datetime.UTC),
            fields=msgspec.json.encode(_without_trap(form, sent)).decode(),
            meta=msgspec.json.encode(self._meta(request, form, sent)).decode(),
        )

    def _meta(self, request: http.Request, form: forms.Form, sent: payload.Payload) -> dict[str, object]:
        origin, referrer = request.header("origin"), request.header("referer")
        signals = set(sent.signals)
        if form.honeypot and sent.value(form.honeypot):
            signals.add(HONEYPOT)
        if origin and not self._own(form, origin):
            signals.add(FOREIGN_ORIGIN)
        told = {
            "page_url": _page_url(sent, referrer),
            "referrer": referrer,
            "origin": origin,
            "remote_addr": request.client,
            "user_agent": request.header("user-agent"),
            "request_id": request.id,
            "content_type": request.header("content-type"),
        }
        meta: dict[str, object] = {name: payload.storable(text)[:_META_CHARS] for name, text in told.items() if text}
        meta["signals"] = sorted(signals)
        return meta

    def _stored(self, row: store.Submission, form: forms.Form, sent: payload.Payload, *, page: bool) -> http.Response:
        receipt = receipts.shown(row.receipt)
        own = form.thanks
        # A browser stays at the address that it knows us by, so that the page's own policy lets it go on.
        target = form.redirect(sent.controls.get("_next", "")) or (own if page else self._settings.edge_url + own)
        following = with_receipt(target, receipt)
        if page:
            return http.Response(303, (("location", following), ("cache-control", "no-store")))
        return http.json(201, {"ok": True, "id": str(row.id), "receipt": receipt, "next": following})


def unknown_form() -> problems.Problem:
    detail = "No form has this address. It may have been removed, or the address is incomplete."
    return problems.Problem("unknown_form", detail, headers=http.CLOSE)


def away() -> problems.Problem:
    # Not the same second for everybody who waits.
    seconds = 5 + secrets.randbelow(10)
    detail = "This is our fault and will pass. Please send it again in a moment."
    return problems.Problem("unavailable", detail, retry_after=seconds)


def with_receipt(url: str, receipt: str) -> str:
    """The address with the receipt added to its query, safe to stand in a header."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({"receipt": receipt})) if part)
    return quote(urlunsplit(parts._replace(query=query)), safe="%/:=&?~#+!$,;'@()*[]")


def _without_trap(form: forms.Form, sent: payload.Payload) -> list[tuple[str, str]]:
    """The honeypot's empty value says nothing; a filled one is kept, it is what staff judge by."""
    return [(name, value) for name, value in sent.fields if name != form.honeypot or value.strip()]


def _page_url(sent: payload.Payload, referrer: str) -> str:
    """Only addresses that a person can safely follow later."""
    return next((url for url in (sent.controls.get("_page", ""), referrer) if forms.origin_of(url)), "")


def _with_page_url(sent: payload.Payload, request: http.Request) -> payload.Payload:
    """When the text is sent again it comes from our own page: the page it began on must not be forgotten."""
    page_url = _page_url(sent, request.header("referer"))
    controls = {**sent.controls, "_page": page_url} if page_url else sent.controls
    return payload.Payload(sent.fields, controls, sent.signals)
