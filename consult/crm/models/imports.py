"""Imports of contacts and companies from CSV files, and what each row of one did."""

from typing import ClassVar

from django.db import models

from consult.core.isolation import AgencyRecord, Isolated, SameAgency
from consult.crm import rules


class Import(AgencyRecord):
    """One file: uploaded, mapped, checked without any effect, run in batches, and taken back as a whole."""

    # The file itself, until the import has ended or nobody has gone on with it.
    FILES: ClassVar[tuple[str, ...]] = ("location",)

    place = models.CharField(max_length=10, choices=[(each, each) for each in rules.IMPORT_PLACES])
    state = models.CharField(max_length=10, default="new", choices=[(each, each) for each in rules.IMPORT_STATES])
    by_id = models.UUIDField(null=True)
    name = models.CharField(max_length=200)
    location = models.CharField(max_length=200, blank=True, default="")
    size = models.PositiveBigIntegerField()
    # How the file is read: core/delimited.py.
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    has_header = models.BooleanField()
    # The names of the file's columns, and what each means: of rules.COLUMNS, own:<field id>, or empty.
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=list)
    # Of who is known already: update or skip.
    on_known = models.CharField(max_length=10, default="update")
    # The last row of the file that check, run or undo is done with; with it a dead worker's job goes on.
    position = models.PositiveIntegerField(default=0)
    # How many rows there are: lines before the check, rows after it.
    total = models.PositiveIntegerField(default=0)
    # By rules.IMPORT_COUNTS, of the check or of the run; and of taking it back.
    counts = models.JSONField(default=dict)
    undone = models.JSONField(default=dict)
    # A kind (rules.IMPORT_ERRORS), never a text that may hold data; and the row where it happened.
    error = models.CharField(max_length=20, blank=True, default="")
    error_row = models.PositiveIntegerField(default=0)
    # The last sign of life of its job.
    moved_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # Until then it can be taken back; after it, what stood where is forgotten.
    forgotten_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            Isolated(name="crm_import_isolated"),
            SameAgency(name="crm_import_by", columns=("by_id",), target="accounts_member", on_delete="set null"),
            models.CheckConstraint(condition=models.Q(place__in=rules.IMPORT_PLACES), name="crm_import_place"),
            models.CheckConstraint(condition=models.Q(state__in=rules.IMPORT_STATES), name="crm_import_state"),
            models.CheckConstraint(condition=models.Q(on_known__in=rules.ON_KNOWN), name="crm_import_on_known"),
        )
        indexes = (
            models.Index(fields=["agency", "-created_at"], name="crm_import_latest"),
            models.Index(fields=["agency", "by_id"], name="crm_import_by_member"),
        )

    def __str__(self) -> str:
        return f"import {self.state}"


class ImportRow(AgencyRecord):
    """What one row of a file did, or why it did nothing; rows that changed nothing have none."""

    import_id = models.UUIDField()
    # As a spreadsheet counts, from 1.
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=[(each, each) for each in rules.ROW_OUTCOMES])
    contact_id = models.UUIDField(null=True)
    # Of an import of contacts: the company that was made for this row.
    company_id = models.UUIDField(null=True)
    # What was there before, as services/import_runs.py writes and services/import_undo.py reads it.
    changes = models.JSONField(default=dict)
    # [{"column", "code", "value"}]: codes of rules.ROW_ISSUES.
    issues = models.JSONField(default=list)

    class Meta:
        constraints = (
            Isolated(name="crm_importrow_isolated"),
            SameAgency(name="crm_importrow_import", columns=("import_id",), target="crm_import"),
            SameAgency(
                name="crm_importrow_contact", columns=("contact_id",), target="crm_contact", on_delete="set null"
            ),
            SameAgency(
                name="crm_importrow_company", columns=("company_id",), target="crm_company", on_delete="set null"
            ),
            # No row of a file is done twice.
            models.UniqueConstraint(fields=["agency", "import_id", "line"], name="crm_importrow_once"),
            models.CheckConstraint(condition=models.Q(outcome__in=rules.ROW_OUTCOMES), name="crm_importrow_outcome"),
        )
        indexes = (
            models.Index(fields=["agency", "contact_id"], name="crm_importrow_by_contact"),
            models.Index(fields=["agency", "company_id"], name="crm_importrow_by_company"),
        )

    def __str__(self) -> str:
        return f"row {self.line}: {self.outcome}"
