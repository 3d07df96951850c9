"""What makes a table belong to agencies, as Django constraints, so that migrations carry it."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import uuid_utils.compat
from django.apps import apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

Rights = Literal["select", "insert", "update", "delete"]
ALL: tuple[Rights, ...] = ("select", "insert", "update", "delete")


def predicate(column: str) -> str:
    """Return the policy's condition.

    The one-argument form of current_setting raises when no agency is set, instead of showing nothing;
    the sub-select is evaluated once per statement. A cluster of Citus wants it without `SELECT`.
    """
    return f"{column} = (SELECT current_setting('consult.agency')::bigint)"


class _Sql(models.BaseConstraint):
    """A constraint that is some SQL after CREATE TABLE, and its reverse."""

    def _create(self, table: str) -> str:
        raise NotImplementedError

    def _remove(self, table: str) -> str:
        raise NotImplementedError

    def constraint_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        if model is not None and schema_editor is not None:
            schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))
        return ""

    def create_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        if model is None:
            raise TypeError("needs a model")
        return self._create(model._meta.db_table)

    def remove_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        if model is None:
            raise TypeError("needs a model")
        return self._remove(model._meta.db_table)

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """The database enforces this; there is nothing to look at in Python."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sql) and self.deconstruct() == other.deconstruct()

    __hash__ = models.BaseConstraint.__hash__


GLOBAL = {"accounts_user"}
RESTRICT = "NO ACTION DEFERRABLE INITIALLY DEFERRED"


def _reference(table: str, name: str, columns: str, target: str, target_columns: str, action: str) -> str:
    """Return the SQL of a foreign key that really looks at the rows already there.

    Adding one reads both tables as their owner; under FORCE it would be refused, or see no row and call them good.
    """
    tables = sorted({table, target} - GLOBAL)
    return ";\n".join(
        [
            *(f"ALTER TABLE {each} NO FORCE ROW LEVEL SECURITY" for each in tables),
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) "
            f"REFERENCES {target} ({target_columns}) ON DELETE {action}",
            *(f"ALTER TABLE {each} FORCE ROW LEVEL SECURITY" for each in tables),
        ]
    )


class Isolated(_Sql):
    """Forced row-level security by agency, the roles' rights, and the key that composite references need.

    `app`: what office and worker may do. `doors`: what the SECURITY DEFINER functions may do, over all agencies.
    """

    def __init__(
        self,
        *,
        name: str,
        app: tuple[Rights, ...] = ALL,
        doors: tuple[Rights, ...] = (),
        column: str = "agency_id",
    ) -> None:
        super().__init__(name=name)
        self.app, self.doors, self.column = tuple(app), tuple(doors), column

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "app": self.app, "doors": self.doors, "column": self.column}

    def _create(self, table: str) -> str:
        rule = predicate(self.column)
        lines = []
        if self.column == "agency_id":
            lines += [
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_agency_id_id UNIQUE (agency_id, id)",
                # Only deleting an agency takes other rows with it.
                _reference(table, f"{table}_agency_fk", "agency_id", "accounts_agency", "id", "CASCADE"),
            ]
        lines += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            # It names no role: for one that named consult_app, the owner's own fills would touch no row, silently.
            f"CREATE POLICY {table}_agency ON {table} USING ({rule}) WITH CHECK ({rule})",
            f"CREATE POLICY {table}_backup ON {table} FOR SELECT TO consult_backup USING (true)",
            f"GRANT SELECT ON {table} TO consult_backup",
            f"GRANT {', '.join(self.app)} ON {table} TO consult_app, consult_worker",
        ]
        if self.doors:
            lines += [
                f"CREATE POLICY {table}_doors ON {table} TO consult_doors USING (true) WITH CHECK (true)",
                f"GRANT {', '.join(self.doors)} ON {table} TO consult_doors",
            ]
        return ";\n".join(lines)

    def _remove(self, table: str) -> str:
        lines = [
            f"DROP POLICY IF EXISTS {table}_agency ON {table}",
            f"DROP POLICY IF EXISTS {table}_backup ON {table}",
            f"DROP POLICY IF EXISTS {table}_doors ON {table}",
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_agency_fk",
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_agency_id_id",
            f"REVOKE ALL ON {table} FROM consult_app, consult_worker, consult_doors, consult_backup",
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]
        return ";\n".join(lines)


class SameAgency(_Sql):
    """A composite foreign key (agency_id, …): row-level security alone does not stop a reference across agencies.

    `columns` are this table's, beside agency_id; `target` is a table; `target_columns` beside its agency_id.
    """

    def __init__(
        self,
        *,
        name: str,
        columns: tuple[str, ...],
        target: str,
        target_columns: tuple[str, ...] = ("id",),
        on_delete: Literal["restrict", "cascade", "set null"] = "restrict",
    ) -> None:
        super().__init__(name=name)
        self.columns, self.target, self.target_columns = tuple(columns), target, tuple(target_columns)
        self.on_delete = on_delete

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs |= {"columns": self.columns, "target": self.target}
        return path, args, {**kwargs, "target_columns": self.target_columns, "on_delete": self.on_delete}

    def _create(self, table: str) -> str:
        action = RESTRICT if self.on_delete == "restrict" else self.on_delete.upper()
        if self.on_delete == "set null":
            action += f" ({', '.join(self.columns)})"
        columns = ", ".join(("agency_id", *self.columns))
        return _reference(
            table, self.name, columns, self.target, ", ".join(("agency_id", *self.target_columns)), action
        )

    def _remove(self, table: str) -> str:
        return f"ALTER TABLE {table} DROP CONSTRAINT {self.name}"


class ToGlobal(_Sql):
    """A foreign key from an isolated table to one without agencies (Django's own would be added under FORCE)."""

    def __init__(self, *, name: str, column: str, target: str) -> None:
        super().__init__(name=name)
        self.column, self.target = column, target

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "column": self.column, "target": self.target}

    def _create(self, table: str) -> str:
        return _reference(table, self.name, self.column, self.target, "id", RESTRICT)

    def _remove(self, table: str) -> str:
        return f"ALTER TABLE {table} DROP CONSTRAINT {self.name}"


class AgencyRecord(models.Model):
    """A row that belongs to one agency. Its Meta carries `Isolated` and a `SameAgency` for each reference."""

    # Columns that no export shows: what could sign something in, or open it.
    SECRETS: ClassVar[tuple[str, ...]] = ()
    # Columns that name a file in CONSULT_FILES_URL (core/files.py), which goes where the row goes.
    FILES: ClassVar[tuple[str, ...]] = ()

    id = models.UUIDField(primary_key=True, default=uuid_utils.compat.uuid7, editable=False)
    # (agency_id, id) is unique: that index leads with the agency already.
    agency = models.ForeignKey(
        "accounts.Agency",
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
        editable=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of agencies' rows, as its model declares it."""

    name: str
    model: type[models.Model]
    # The column that says whose a row is.
    agency: str
    secrets: frozenset[str]
    files: tuple[str, ...]
    # Tables that its rows refer to.
    targets: frozenset[str]


def isolated_tables() -> list[Table]:
    """Return every isolated table, each before the tables that its rows refer to.

    Read in this order, page after page while others write, a row never refers to one that is younger than the look
    at that one's table.
    """
    found = {table.name: table for table in map(_table, apps.get_models(include_auto_created=True)) if table}
    ordered: list[Table] = []
    waiting = dict(sorted(found.items()))
    while waiting:
        referred = {target for table in waiting.values() for target in table.targets - {table.name}}
        # Should they ever refer to each other in a circle, one has to be first.
        name = next((name for name in waiting if name not in referred), next(iter(waiting)))
        ordered.append(waiting.pop(name))
    return ordered


def _table(model: type[models.Model]) -> Table | None:
    constraints = model._meta.constraints
    isolated = next((each for each in constraints if isinstance(each, Isolated)), None)
    if isolated is None:
        return None
    targets = {each.target for each in constraints if isinstance(each, SameAgency)}
    return Table(
        model._meta.db_table,
        model,
        isolated.column,
        frozenset(getattr(model, "SECRETS", ())),
        tuple(getattr(model, "FILES", ())),
        frozenset(targets | ({"accounts_agency"} if isolated.column == "agency_id" else set())),
    )
