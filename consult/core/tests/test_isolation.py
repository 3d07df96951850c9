"""The constraints that migrations carry: what they say, and that Django can compare and write them."""

import pytest
from django.db import models
from django.db.migrations.serializer import serializer_factory

from consult.core import isolation

EVERY = [
    isolation.Isolated(name="x_isolated"),
    isolation.Isolated(name="x_isolated", app=("select",), doors=("select", "insert"), column="id"),
    isolation.SameAgency(name="x_y", columns=("y_id",), target="y"),
    isolation.SameAgency(
        name="x_y", columns=("y_id", "v"), target="y", target_columns=("id", "v"), on_delete="cascade"
    ),
    isolation.ToGlobal(name="x_user", column="user_id", target="accounts_user"),
]


@pytest.mark.parametrize("constraint", EVERY, ids=lambda each: f"{type(each).__name__}")
def test_they_go_into_migrations_and_come_back(constraint: isolation._Sql) -> None:
    path, arguments, options = constraint.deconstruct()
    again: isolation._Sql = getattr(isolation, path.rpartition(".")[2])(*arguments, **options)
    assert again == constraint
    assert again._create("x") == constraint._create("x")
    assert constraint.clone() == constraint
    assert serializer_factory(constraint).serialize()[1] == {"import consult.core.isolation"}


def test_they_differ_when_they_say_something_else() -> None:
    assert all(one != other for number, one in enumerate(EVERY) for other in EVERY[number + 1 :])
    assert isolation.Isolated(name="a") != isolation.Isolated(name="b")
    assert EVERY[0] != models.CheckConstraint(condition=models.Q(id=1), name="x_isolated")
    assert len({isolation.ToGlobal(name="a", column="b", target="c"), "other"}) == 2


def test_the_policy() -> None:
    sql = EVERY[0]._create("x")
    rule = "agency_id = (SELECT current_setting('consult.agency')::bigint)"
    assert f"CREATE POLICY x_agency ON x USING ({rule}) WITH CHECK ({rule})" in sql
    assert "ALTER TABLE x FORCE ROW LEVEL SECURITY" in sql
    assert "GRANT select, insert, update, delete ON x TO consult_app, consult_worker" in sql
    assert "consult_doors" not in sql
    sql = EVERY[1]._create("x")
    assert "id = (SELECT current_setting" in sql
    assert "GRANT select, insert ON x TO consult_doors" in sql
    assert "x_agency_fk" not in sql


def test_references() -> None:
    sql = EVERY[2]._create("x")
    assert "FOREIGN KEY (agency_id, y_id) REFERENCES y (agency_id, id) ON DELETE NO ACTION DEFERRABLE" in sql
    # Rows that are there are looked at with FORCE off, for as long as it takes.
    lines = sql.split(";\n")
    assert lines[0] == "ALTER TABLE x NO FORCE ROW LEVEL SECURITY"
    assert lines[-1] == "ALTER TABLE y FORCE ROW LEVEL SECURITY"
    assert len(lines) == 5
    emptied = isolation.SameAgency(name="x_y", columns=("y_id",), target="y", on_delete="set null")
    assert "ON DELETE SET NULL (y_id)" in emptied._create("x")
    assert "accounts_user NO FORCE" not in EVERY[4]._create("x")
    assert "FOREIGN KEY (user_id) REFERENCES accounts_user (id)" in EVERY[4]._create("x")


def test_they_need_a_model() -> None:
    for method in (EVERY[0].create_sql, EVERY[0].remove_sql):
        with pytest.raises(TypeError):
            method(None, None)
    with pytest.raises(NotImplementedError):
        isolation._Sql(name="x")._create("x")
    with pytest.raises(NotImplementedError):
        isolation._Sql(name="x")._remove("x")
