"""An import's work, batch by batch: looked at without any effect, or done. A dead worker's job goes on where it was."""

import contextlib
import datetime as dt
from collections.abc import Callable, Generator
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consult.accounts import services as accounts
from consult.core import delimited, files, live, tenancy
from consult.crm import models, rules
from consult.crm.queries.labels import Place
from consult.crm.services import import_companies, import_contacts
from consult.crm.services.import_contacts import Batch
from consult.crm.services.import_rows import Reader, Row, email_keys

BATCH = 200
MOST_ROWS = 250_000
# Of what is wrong, and of who may be the same, so many are named; all are counted.
MOST_ISSUES, MOST_SIMILAR = 1_000, 100
# Until then an import can be taken back.
UNDO_LIFE = dt.timedelta(days=30)


class _TakenOver(Exception):
    """Another worker has gone on with it, or somebody has ended it."""


def check_rows(*, agency_id: int, import_id: UUID) -> None:
    """Look at every row and say what an import would do; a second run begins again."""
    of = _begin(agency_id, import_id, "checking")
    if of is None:
        return
    with tenancy.agency(agency_id):
        models.ImportRow.objects.filter(agency_id=agency_id, import_id=import_id).delete()
        models.Import.objects.filter(agency_id=agency_id, id=import_id).update(position=0, counts={})
    _Walk(of, "checking", _Check(of)).go()


def run_import(*, agency_id: int, import_id: UUID) -> None:
    """Do what the rows say; a second run goes on behind the last row that was done."""
    of = _begin(agency_id, import_id, "running")
    if of is not None:
        _Walk(of, "running", _run).go()


def _begin(agency_id: int, import_id: UUID, state: str) -> models.Import | None:
    with tenancy.agency(agency_id):
        return models.Import.objects.filter(agency_id=agency_id, id=import_id, state=state).first()


class _Walk:
    """One way through the file. `step` does a batch of rows in the transaction that also says how far it is."""

    def __init__(self, of: models.Import, state: str, step: Callable[[Batch, list[Row]], None]) -> None:
        self.of, self.state, self.step = of, state, step
        self.position, self.rows = (of.position if state == "running" else 0), 0

    def go(self) -> None:
        try:
            with contextlib.closing(self._batches()) as batches:
                for batch in batches:
                    self._do(batch)
            self._end()
        except _TakenOver:
            return
        except delimited.Unreadable as error:
            self._fail(error.kind if error.kind in rules.IMPORT_ERRORS else "unexpected", error.row)
        except files.Missing:
            self._fail("missing")
        except Exception as error:
            self._fail("storage" if isinstance(error, files.Away) else "unexpected")
            raise

    def _batches(self) -> Generator[list[Row]]:
        with tenancy.agency(self.of.agency_id):
            place: Place = "contact" if self.of.place == "contact" else "company"
            reader = Reader(self.of.agency_id, place, columns=self.of.columns, mapping=self.of.mapping)
        form = delimited.Form(self.of.encoding, self.of.delimiter, self.of.has_header)
        batch: list[Row] = []
        with contextlib.closing(reader.rows(files.read(self.of.location), form)) as rows:
            for row in rows:
                self.rows += 1
                if self.rows > MOST_ROWS:
                    raise delimited.Unreadable("too_many_rows", row.line)
                if row.line > self.position:
                    batch.append(row)
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _do(self, rows: list[Row]) -> None:
        with tenancy.agency(self.of.agency_id):
            of = self._locked()
            batch = Batch(of, timezone.now(), counts=dict(of.counts))
            failed = [row for row in rows if row.issues]
            noted = batch.counts.get("failed", 0)
            for _row in failed:
                batch.count("failed")
            for row in failed[: max(0, MOST_ISSUES - noted)]:
                batch.note(row, "failed", issues=row.issues)
            self.step(batch, [row for row in rows if not row.issues])
            models.ImportRow.objects.bulk_create(batch.done)
            of.counts, of.position, of.moved_at = batch.counts, rows[-1].line, batch.now
            of.total = max(of.total, self.rows)
            of.save(update_fields=["counts", "position", "moved_at", "total"])
        self.position = of.position

    def _locked(self) -> models.Import:
        """Return the import, locked, if it is where this walk left it. Raise _TakenOver."""
        found = models.Import.objects.select_for_update().filter(agency_id=self.of.agency_id, id=self.of.id)
        of = found.first()
        if of is None or of.state != self.state or of.position != self.position:
            raise _TakenOver
        return of

    def _end(self) -> None:
        with tenancy.agency(self.of.agency_id):
            of = self._locked()
            if not self.rows:
                raise delimited.Unreadable("empty")
            now = timezone.now()
            of.total, of.moved_at, of.error = self.rows, now, ""
            of.state = "checked" if self.state == "checking" else "done"
            if of.state == "done":
                of.finished_at, of.forgotten_at = now, now + UNDO_LIFE
                transaction.on_commit(lambda location=of.location: drop(location))  # type: ignore[misc]
                of.location = ""
                accounts.record("crm.finish_import", agency_id=of.agency_id, subject_id=of.id, data=dict(of.counts))
            of.save()
            live.nudge(kind="import", id=of.id)

    def _fail(self, error: str, row: int = 0) -> None:
        """Say what went wrong. What was done before stays done: the run goes on from there, or is taken back."""
        with tenancy.agency(self.of.agency_id):
            found = models.Import.objects.filter(agency_id=self.of.agency_id, id=self.of.id, state=self.state)
            found.update(state="failed", error=error, error_row=row, moved_at=timezone.now())
            live.nudge(kind="import", id=self.of.id)


def drop(location: str) -> None:
    """Remove a file that no row names any more; where that fails it is swept."""
    try:
        files.remove(location)
    except files.Away:
        return


def _run(batch: Batch, rows: list[Row]) -> None:
    if batch.of.place == "contact":
        import_contacts.run(batch, rows)
    else:
        import_companies.run(batch, rows)


class _Check:
    """What would be done. It remembers what the file has said so far by hashes alone."""

    def __init__(self, of: models.Import) -> None:
        self.of, self.seen = of, set[int]()

    def __call__(self, batch: Batch, rows: list[Row]) -> None:
        agency_id, contacts = batch.of.agency_id, batch.of.place == "contact"
        there = import_contacts.known(agency_id, rows) if contacts else import_companies.known(agency_id, rows)
        fresh: list[Row] = []
        for row in rows:
            keys = email_keys(row) if contacts else [import_companies.key(row)]
            again = any(hash(key) in self.seen for key in keys)
            self.seen.update(map(hash, keys))
            if again:
                batch.count("repeated")
            if again or any(key in there for key in keys):
                batch.count("known" if batch.of.on_known == "update" else "skipped")
            else:
                batch.count("new")
                fresh.append(row)
        self._similar(batch, fresh)

    def _similar(self, batch: Batch, rows: list[Row]) -> None:
        look = import_contacts.similar if batch.of.place == "contact" else import_companies.similar
        for line, (id, by) in look(batch.of.agency_id, rows).items():
            batch.count("similar")
            if batch.counts["similar"] <= MOST_SIMILAR:
                batch.note(Row(line), "similar", changes={"by": by}, **{f"{batch.of.place}_id": id})
