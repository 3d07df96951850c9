"""A multipart body on its way in: fields into memory, files into the storage, neither ever more than it may be."""

import asyncio
import datetime
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Protocol, cast

from edge import bounds, charsets, files, forms, http, multipart, payload, problems, sniff, words
from edge.files import Stored

# A form with files may take as long as somebody with so slow a line needs.
_BYTES_PER_SECOND = 50_000
# What stands around a part's content: its boundary and its headers.
_FRAME_BYTES = 512


class Unavailable(problems.Problem):
    """The files could not be stored. `sent` is the text that came with them."""

    def __init__(self, sent: payload.Payload) -> None:
        super().__init__("unavailable", words.text("unavailable"), retry_after=10)
        self.sent = sent


class _Chunks(Protocol):
    """RSGI's exchange gives the body in chunks too."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Uploads:
    """Reads multipart bodies."""

    def __init__(self, storage: files.Storage, limits: bounds.Bounds, deadlines: http.Deadlines) -> None:
        self._storage = storage
        self._limits = limits
        self._deadlines = deadlines

    async def read(self, request: http.Request, form: forms.Form | None, content_type: str) -> payload.Payload:
        """The fields, and the files if the form takes them: stored and safe against a power cut.

        Either all files are stored, or none and `faults` or an error says why. Whatever ends this early leaves nothing
        behind. Raises Problem (length_required, too_large, too_slow, malformed, wrong_type, unavailable), Unavailable,
        and payload.Unreadable.
        """
        rules = form.files if form is not None else forms.Files()
        limit = self._limits.body_bytes + (_total(rules) if rules.count else 0)
        size = http.declared_size(request, limit)
        seconds = self._limits.body_seconds + (size / _BYTES_PER_SECOND if rules.count else 0)
        body = _Body(form, rules, self._storage, self._limits, content_type)
        try:
            with self._deadlines.within(seconds):
                received = 0
                async for chunk in cast(_Chunks, request.exchange):
                    received += len(chunk)
                    if received > size:
                        break
                    await body.take(chunk)
        except RuntimeError:  # RSGI's way to say that the connection broke while we read
            received = -1
        else:
            if received == size:
                return await body.end()
        finally:
            body.drop()
        raise problems.Problem("malformed", words.text("broken_off"), headers=http.CLOSE)

    async def discard(self, stored: Sequence[Stored]) -> None:
        """Take files away again of which it is certain that no row names them. What fails is left to the sweep."""
        try:
            await files.work(self._storage.remove, [file.location for file in stored])
        except files.Unavailable:
            return


def _total(rules: forms.Files) -> int:
    """Bytes of all files together; a form may leave either figure open."""
    return rules.total or rules.count * rules.bytes


class _Body:
    def __init__(
        self,
        form: forms.Form | None,
        rules: forms.Files,
        storage: files.Storage,
        limits: bounds.Bounds,
        content_type: str,
    ) -> None:
        self._form = form
        self._rules = rules
        self._storage = storage
        self._limits = limits
        self._content_type = content_type
        self._parts: list[multipart.Part] = []
        self._drafts: dict[int, files.Draft] = {}
        self._wrong: dict[int, str] = {}
        self._text_bytes = 0
        self._file_bytes = 0
        self._away = False
        self._failed: payload.Unreadable | None = None
        try:
            self._reader: multipart.Reader | None = multipart.Reader(content_type)
        except multipart.Malformed as found:
            self._fail("malformed", found.detail)

    def _fail(self, code: str, detail: str) -> None:
        """From now on bytes are only counted: an answer before the end of what they send is not seen by browsers."""
        self._reader = None
        self._failed = payload.unreadable_parts(code, detail, self._parts, self._content_type, self._limits)
        self._drop_drafts()

    async def take(self, chunk: bytes) -> None:
        if self._reader is None:
            return
        try:
            for event in self._reader.feed(chunk):
                await self._on(event)
                if self._failed is not None:
                    return
        except multipart.Malformed as found:
            self._fail("malformed", found.detail)

    async def _on(self, event: multipart.Part | bytes | None) -> None:
        if isinstance(event, multipart.Part):
            if len(self._parts) == self._limits.fields:
                self._fail("malformed", words.text("too_many_fields", limit=self._limits.fields))
                return
            self._parts.append(event)
            self._text_bytes += len(event.name) + len(event.filename or b"") + _FRAME_BYTES
        elif event is None:
            await self._on_end_of_part()
        elif self._parts[-1].filename is None or not self._rules.count:
            self._text_bytes += len(event)
            self._parts[-1].pieces.append(event)
        else:
            await self._on_file(event)
        # Each part's frame counts, so that the same body is no more than it may be without files either.
        if self._text_bytes > self._limits.body_bytes + self._limits.fields * _FRAME_BYTES:
            self._parts[-1].pieces.clear()
            self._fail("too_large", words.text("too_large", size=_shown(self._limits.body_bytes)))

    async def _on_file(self, content: bytes) -> None:
        number = len(self._parts) - 1
        draft = self._begin(number)
        self._file_bytes += len(content)
        if draft is None:
            return
        if self._rules.bytes and draft.size + len(content) > self._rules.bytes:
            self._refuse(number, "file_too_large")
        elif self._file_bytes > _total(self._rules):
            self._refuse(number, "files_too_large")
        elif not self._wrong and not self._away:
            await self._storing(draft.write(content))
        else:
            draft.size += len(content)

    def _begin(self, number: int) -> files.Draft | None:
        """The file of the part that is being read; None when it is not taken."""
        if number in self._wrong:
            return None
        if number not in self._drafts:
            # A file input in which nothing was chosen comes without a name and without content: it is no file.
            if len(self._drafts) + len(self._wrong) >= self._rules.count:
                self._refuse(number, "too_many_files")
                return None
            self._drafts[number] = files.Draft(self._storage)
        return self._drafts[number]

    async def _on_end_of_part(self) -> None:
        number, part = len(self._parts) - 1, self._parts[-1]
        if not self._rules.count or part.filename is None or not (part.filename or number in self._drafts):
            return
        draft = self._begin(number)
        if draft is not None and not self._wrong and not self._away:
            await self._storing(draft.end())

    async def _storing(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        except files.Unavailable:
            self._away = True
            self._clear_drafts()

    def _refuse(self, number: int, code: str) -> None:
        self._wrong[number] = code
        self._clear_drafts()

    def _clear_drafts(self) -> None:
        """Their bytes go at once; that they were there still counts."""
        for draft in self._drafts.values():
            draft.drop()

    def _drop_drafts(self) -> None:
        self._clear_drafts()
        self._drafts.clear()

    def drop(self) -> None:
        """Whatever is left. Blocks for no longer than removing a name takes."""
        self._drop_drafts()

    async def end(self) -> payload.Payload:
        """Raises payload.Unreadable, Unavailable."""
        if self._reader is not None:
            try:
                self._reader.end()
            except multipart.Malformed as found:
                self._fail("malformed", found.detail)
        if self._failed is not None:
            raise self._failed
        if not self._drafts and not self._wrong:
            return payload.of_parts(self._parts, self._content_type, self._limits)
        text = self._text()  # before anything gets its place: it may be unreadable
        if self._away:
            raise Unavailable(text)
        try:
            kinds = {} if self._wrong else await files.work(self._kinds)
            self._wrong |= {n: "file_type" for n, kind in kinds.items() if not files.takes(self._rules.types, kind)}
            if self._wrong:
                return payload.Payload(text.fields, text.controls, text.signals, (), self._faults())
            stored = await self._keep(kinds)
        except files.Unavailable:
            raise Unavailable(text) from None
        return payload.Payload(text.fields, text.controls, text.signals, stored)

    def _text(self) -> payload.Payload:
        """Without the files: they have to be chosen again when this is shown, and are listed apart when it is kept."""
        plain = [part for number, part in enumerate(self._parts) if not self._is_file(number)]
        return payload.of_parts(plain, self._content_type, self._limits)

    def _is_file(self, number: int) -> bool:
        return number in self._drafts or number in self._wrong

    def _kinds(self) -> dict[int, str]:
        return {number: sniff.media_type(draft.file) for number, draft in self._drafts.items() if draft.file}

    def _words_of(self, number: int) -> tuple[str, str]:
        """The names of the field and of the file."""
        codec = payload.codec_of_parts(self._parts, self._content_type)
        part = self._parts[number]
        field, name = (payload.storable(charsets.decoded(raw, codec)[0]) for raw in (part.name, part.filename or b""))
        return field, files.clean_name(name)

    async def _keep(self, kinds: dict[int, str]) -> tuple[Stored, ...]:
        """Raises files.Unavailable."""
        now = datetime.datetime.now(datetime.UTC)
        agency_id = self._form.agency_id if self._form is not None else 0
        stored: list[Stored] = []
        for number, draft in self._drafts.items():
            id = uuid.uuid4()
            field, name = self._words_of(number)
            location = files.location_of(agency_id, id, now)
            stored.append(Stored(str(id), field, name, kinds[number], draft.size, draft.sha256, location))
        drafts = list(self._drafts.values())
        pairs = [(draft.file, file.location) for draft, file in zip(drafts, stored, strict=True) if draft.file]
        try:
            await files.work(self._storage.keep, pairs)
        except asyncio.CancelledError:
            # Whoever waits has gone: nobody will name them.
            await files.work(self._storage.remove, [location for _file, location in pairs])
            raise
        for draft in drafts:
            draft.kept()
        return tuple(stored)

    def _faults(self) -> tuple[problems.FieldError, ...]:
        """One for each field and kind of fault, in the order sent."""
        said = words.of(self._form.language if self._form is not None else words.DEFAULT)
        titles = {field.name: field.title for field in self._form.fields} if self._form is not None else {}
        found: dict[tuple[str, str], problems.FieldError] = {}
        for number, code in sorted(self._wrong.items()):
            field, name = self._words_of(number)
            title = titles.get(field) or name
            size = _shown(_total(self._rules) if code == "files_too_large" else self._rules.bytes)
            message = said.fault(code, field=title, limit=self._rules.count, size=size)
            code = code.replace("files_", "file_")
            found.setdefault((field, code), problems.FieldError(code, field, message))
        return tuple(found.values())


def _shown(size: int) -> str:
    """A size for people; forms count in the same units."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:.3g} MB"
    return f"{size / 1000:.3g} KB" if size >= 1000 else f"{size} B"
