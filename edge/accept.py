"""Accept a submission: POST /f/<form key>, answered only after it is kept."""

import datetime
import secrets
import time
from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import msgspec

from edge import (
    bounds,
    challenge,
    config,
    database,
    forms,
    http,
    identity,
    keeper,
    limits,
    metrics,
    pages,
    payload,
    problems,
    receipts,
    recent,
    signals,
    uploads,
    words,
)
from edge.submission import Outcome, Submission

OLDER_PAGE = "older_page"

_META_CHARS = 2_000
_UTC = datetime.UTC
_encode = msgspec.json.Encoder().encode


class Receiver:
    """What step 1 to 5 of an enquiry's walk need."""

    def __init__(
        self,
        settings: config.Config,
        bound: bounds.Bounds,
        known: forms.Forms,
        kept: keeper.Keeper,
        limit: limits.Limits,
        incoming: uploads.Uploads,
        deadlines: http.Deadlines,
    ) -> None:
        self._settings = settings
        self._bounds = bound
        self._forms = known
        self._keeper = kept
        self._limits = limit
        self._uploads = incoming
        self._deadlines = deadlines
        self._proofs = challenge.Proofs()
        self._recent = recent.Recent()
        self._targets: dict[str, tuple[str, str]] = {}

    @property
    def reading(self) -> int:
        """How many bodies are on their way in."""
        return self._deadlines.count

    def end_reading(self) -> None:
        """Who is still sending gets an answer now instead of a receipt."""
        self._deadlines.end(
            problems.Problem("unavailable", words.text("unavailable"), retry_after=5, headers=http.CLOSE)
        )

    async def accept(self, request: http.Request, key: str) -> http.Response:
        """What is the sender's or the database's fault becomes an answer here, with their text."""
        form: forms.Form | None = None
        sent: payload.Payload | None = None
        content_type = request.header("content-type")
        kind = content_type.partition(";")[0].strip().lower()
        page = kind != payload.JSON and request.wants_page(kind, payload.FORM_TYPES)
        try:
            form = await self._form(key)
            sent = await self._read(request, form, kind, content_type)
            if form is None:
                raise away()
            answer = await self._judge(request, form, sent, page=page)
        except problems.Problem as found:
            metrics.refused[found.code] += 1
            if isinstance(found, uploads.Unavailable):
                sent = found.sent
            answer = self._refused(request, found, form, sent, key, page=page)
            if sent is not None and sent.files and not found.receipt:
                await self._uploads.discard(sent.files)
        except payload.Unreadable as unreadable:
            metrics.refused[unreadable.code] += 1
            told = problems.Problem(unreadable.code, unreadable.detail)
            first = self._sendable(unreadable.first, form)
            answer = self._refused(request, told, form, first, key, page=page, whole=False)
        return answer.with_headers(*self.cors(form, request))

    def _refused(
        self,
        request: http.Request,
        found: problems.Problem,
        form: forms.Form | None,
        sent: payload.Payload | None,
        key: str,
        *,
        page: bool,
        whole: bool = True,
    ) -> http.Response:
        language = form.language if form is not None else words.preferred(request.header("accept-language"))
        if not page:
            fallback = form.site.fallback_contact if form is not None else ""
            return http.problem(found, request.id, language, fallback)
        shown = _with_page_url(sent, request) if sent else None
        return pages.error(found, request.id, form, shown, f"/f/{key}", whole=whole, language=language)

    def cors(self, form: forms.Form | None, request: http.Request) -> tuple[tuple[str, str], ...]:
        """Who may read the answer. Without a form it holds nothing of anybody: every page may read it."""
        origin = request.origin
        if not origin:
            return _VARY
        if form is None:
            return (*_VARY, ("access-control-allow-origin", "*"))
        if not self._own(form, origin):
            return _VARY
        return (
            *_VARY,
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
        cors = self.cors(form, request)
        allowed = len(cors) > 1
        return http.Response(204, (*cors, *(_PERMISSIONS if allowed else ())))

    async def challenge(self, request: http.Request, key: str) -> http.Response:
        """GET /f/<key>/challenge: a proof of work to do, for forms that ask for it."""
        form = await self._form(key)
        if form is None:
            raise away()
        if not form.proof_of_work:
            raise problems.Problem("not_found", words.text("no_page"))
        headers = (("content-type", "application/json"), ("cache-control", "no-store"))
        return http.Response(200, headers, challenge.create(form, time.time())).with_headers(*self.cors(form, request))

    async def _form(self, key: str, version: int | None = None) -> forms.Form | None:
        """None while the database is away and the form is not known. Raises Problem: unknown_form."""
        try:
            form = await self._forms.find(key, version)
        except database.Unavailable:
            return None
        if form is None:
            raise unknown_form()
        return form

    async def _read(
        self, request: http.Request, form: forms.Form | None, kind: str, content_type: str
    ) -> payload.Payload:
        """Raises Problem, payload.Unreadable."""
        if kind == payload.MULTIPART:
            return await self._uploads.read(request, form, content_type)
        if kind not in payload.TYPES:
            types = ", ".join(payload.TYPES)
            accepted = (("accept-post", types), *http.CLOSE)
            raise problems.Problem("wrong_type", words.text("wrong_type", types=types), headers=accepted)
        bound = self._bounds
        body = await self._deadlines.read(request, limit=bound.body_bytes, seconds=bound.body_seconds)
        return payload.parse(body, content_type, bound)

    def _sendable(self, first: payload.Payload | None, form: forms.Form | None) -> payload.Payload | None:
        """So few of the fields that, with those which the page adds, they are not too many again."""
        if first is None or not first.fields:
            return None
        added = len(form.fields) + 1 if form else 0
        room = max(0, self._bounds.fields - added - len(payload.CONTROLS))
        return payload.Payload(first.fields[:room], first.controls, first.signals)

    async def _judge(
        self, request: http.Request, form: forms.Form, sent: payload.Payload, *, page: bool
    ) -> http.Response:
        """By the form as it was when the sender's page was made. Raises Problem."""
        judged, version = form, sent.number("_version")
        if version is not None and 0 < version < form.version:
            judged = await self._form(form.key, version) or form
        named = [file.field for file in sent.files]
        faults = (*sent.faults, *forms.faults(judged, sent, version, named))
        if faults:
            raise problems.Problem("invalid_fields", words.text("invalid_fields"), errors=faults)
        content = _Content(request, judged, sent)
        if before := self._recent.receipt(content.id, content.earlier, content.digest):
            metrics.accepted["duplicate"] += 1
            if sent.files:
                await self._uploads.discard(sent.files)
            return self._accepted(content.id, Outcome("duplicate", before), form, sent, page=page)
        found = [*sent.signals, *signals.of(request, form, sent, is_own=self._own, proofs=self._proofs)]
        if forms.older_page(judged, sent, version, named):
            found.append(OLDER_PAGE)
        verdict, seconds = await self._limits.check(form, request.client)
        if verdict == "refused":
            # Only the daily cap lets nobody in for longer than an hour.
            told = words.text("daily_cap") if seconds > 3_600 else words.text("too_many")
            raise problems.Problem("too_many", told, retry_after=seconds)
        if verdict:
            found.append(verdict)
        row = _row(request, judged, sent, content, found)
        try:
            outcome = await self._keeper.keep(row)
        except keeper.Nowhere:
            raise away() from None
        if outcome.kind == "unknown_form":
            self._forms.forget(form.key)
            raise unknown_form()
        metrics.accepted[outcome.kind] += 1
        if outcome.kind == "conflict":
            shown = receipts.shown(outcome.receipt)
            raise problems.Problem("key_reused", words.text("key_reused"), receipt=shown)
        self._recent.remember(row.id, row.digest, outcome.receipt)
        if outcome.kind == "duplicate" and sent.files:
            await self._uploads.discard(sent.files)
        if found:
            metrics.signalled.update(found)
        return self._accepted(row.id, outcome, form, sent, page=page)

    def _accepted(
        self, id: bytes, outcome: Outcome, form: forms.Form, sent: payload.Payload, *, page: bool
    ) -> http.Response:
        receipt = receipts.shown(outcome.receipt)
        # A browser stays at the address that it knows us by, so that the page's own policy lets it go on.
        target = form.redirect(sent.controls.get("_next") or sent.controls.get("_redirect") or "") or (
            form.thanks if page else self._settings.edge_url + form.thanks
        )
        before, after = self._targets.get(target) or self._target(target)
        following = before + receipt + after
        if page:
            return http.Response(303, (("location", following), ("cache-control", "no-store")))
        told: dict[str, object] = {"ok": True, "id": _dashed(id), "receipt": receipt, "next": following}
        status = 201
        if outcome.kind == "duplicate":
            status = 200
            told["duplicate"] = True
            del told["id"]
        elif outcome.kind != "stored":
            status = 202
        return http.Response(status, _JSON, _encode(told))

    def _target(self, target: str) -> tuple[str, str]:
        """The address with a place for the receipt, remembered: taking it to pieces is slow."""
        if len(self._targets) > 5_000:
            self._targets.clear()
        before, _, after = with_receipt(target, _PLACE).partition(_PLACE)
        self._targets[target] = before, after
        return before, after


class _Content:
    """What was sent, and by what a repetition of it is known."""

    __slots__ = ("digest", "earlier", "fields", "id")

    def __init__(self, request: http.Request, form: forms.Form, sent: payload.Payload) -> None:
        self.fields = _encode(_without_traps(form, sent.fields))
        files = b"".join([file.sha256.encode() for file in sent.files]) if sent.files else b""
        self.digest = identity.digest(self.fields + files)
        key = (sent.controls.get("_key", "") or request.header("idempotency-key")).strip()
        self.earlier: bytes | None = None
        if key:
            self.id = identity.of_key(form.key, key)
        else:
            self.id, self.earlier = identity.of_content(form.key, request.client, self.digest)


def _row(
    request: http.Request, form: forms.Form, sent: payload.Payload, content: _Content, found: Sequence[str]
) -> Submission:
    referrer = request.header("referer")
    return Submission(
        content.id,
        content.earlier,
        form.key,
        form.version,
        form.agency_id,
        receipts.of(content.id, content.digest),
        datetime.datetime.now(_UTC),
        content.digest,
        content.fields.decode(),
        _told(_page_url(sent, referrer)) if referrer or sent.controls else "",
        _told(referrer),
        _told(request.origin),
        request.client,
        _told(request.header("user-agent")),
        _told(request.header("content-type")),
        _encode(sorted(set(found))).decode() if found else "[]",
        request.id,
        _encode(sent.files).decode() if sent.files else None,
    )


_PLACE = "RECEIPT-GOES-HERE"
_VARY = (("vary", "Origin"),)
_JSON = (("content-type", "application/json"), ("cache-control", "no-store"))
_PERMISSIONS = (
    ("access-control-allow-methods", "GET, HEAD, POST"),
    (
        "access-control-allow-headers",
        "Accept, Content-Type, Formspree-Client, Formspree-Session-Data, Idempotency-Key, X-Request-ID",
    ),
    ("access-control-max-age", "7200"),
)


def unknown_form() -> problems.Problem:
    return problems.Problem("unknown_form", words.text("unknown_form"), headers=http.CLOSE)


def away() -> problems.Problem:
    # Not the same second for everybody who waits.
    seconds = 5 + secrets.randbelow(10)
    return problems.Problem("unavailable", words.text("unavailable"), retry_after=seconds)


def with_receipt(url: str, receipt: str) -> str:
    """The address with the receipt added to its query, safe to stand in a header."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({"receipt": receipt})) if part)
    return quote(urlunsplit(parts._replace(query=query)), safe="%/:=&?~#+!$,;'@()*[]")


def _told(text: str) -> str:
    """A header as it can be stored."""
    if text.isascii() and "\x00" not in text:
        return text[:_META_CHARS]
    return payload.storable(text)[:_META_CHARS]


def _dashed(id: bytes) -> str:
    text = id.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _without_traps(form: forms.Form, fields: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """A honeypot's empty value says nothing; a filled one is kept, it is what staff judge by."""
    trap = form.honeypot
    return [pair for pair in fields if (pair[0] != trap and pair[0] != "_gotcha") or pair[1].strip()]


def _page_url(sent: payload.Payload, referrer: str) -> str:
    """Only addresses that a person can safely follow later."""
    if sent.controls:
        page_url = sent.controls.get("_page", "")
        if forms.origin_of(page_url):
            return page_url
    return referrer if forms.origin_of(referrer) else ""


def _with_page_url(sent: payload.Payload, request: http.Request) -> payload.Payload:
    """When the text is sent again it comes from our own page: the page it began on must not be forgotten."""
    page_url = _page_url(sent, request.header("referer"))
    controls = {**sent.controls, "_page": page_url} if page_url else sent.controls
    return msgspec.structs.replace(sent, controls=controls)
