"""Rows that are filled in are the rows that the template would have drawn."""

import dataclasses
import datetime as dt
import uuid

from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st

ROW = (
    '{% if row.title %}<a id="{{ row.number }}" href="/x/{{ row.id }}/">{{ row.title }}</a>{% else %}nothing{% endif %}'
    '{% if row.kind == "won" %}!{% endif %}<i>{{ row.at.iso }}</i>{{ row.owner }}'
)
ENGINE = Engine(
    libraries={"drawn": "consult.core.templatetags.drawn"},
    builtins=["django.template.defaulttags"],
    loaders=[("django.template.loaders.locmem.Loader", {"row.html": ROW})],
)
LIST = ENGINE.from_string(
    '{% load drawn %}{% drawn "row.html" "row" rows texts="number id title at" faces="owner" unread="other" %}'
)
TEXT = st.text("aé<&'\ue000\ue0010", max_size=8)
AT = dt.datetime(2026, 3, 5, 14, 7, tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True)
class Row:
    number: int
    id: uuid.UUID
    title: str
    kind: str
    at: dt.datetime
    owner: str
    labels: list[str]
    other: str = "never looked at"


ROWS = st.builds(
    Row,
    st.integers(1, 2**60),
    st.uuids(),
    TEXT,
    st.sampled_from(("open", "won")),
    st.just(AT),
    st.just("Ann"),
    st.just([]),
)


def plain(row: Row) -> str:
    from consult.core.templatetags import drawn

    shown = {**vars(row), "at": {"iso": "2026-03-05T14:07:00+00:00"}, "owner": drawn.face(row.owner)}
    return ENGINE.get_template("row.html").render(Context({"row": shown})).strip()


@given(st.lists(ROWS, max_size=8))
def test_rows_are_as_drawn_one_by_one(rows: list[Row]) -> None:
    assert LIST.render(Context({"rows": rows})) == "".join(plain(row) for row in rows)


def test_what_looks_like_a_place_is_text() -> None:
    row = Row(5, uuid.UUID(int=1), "\ue0001\ue001 830000000000000001 <b>", "open", AT, "Bo Lee", ["x"])
    text = LIST.render(Context({"rows": [row, row]}))
    assert text.count("\ue0001\ue001 830000000000000001 &lt;b&gt;") == 2
    assert text.count('<span aria-hidden="true">BL</span>') == 2


def test_another_shape_is_drawn_anew() -> None:
    row = Row(5, uuid.UUID(int=1), "Site", "open", AT, "Ann", [])
    text = LIST.render(
        Context({"rows": [row, dataclasses.replace(row, kind="won"), dataclasses.replace(row, title="")]})
    )
    assert text.count("!") == 1
    assert text.count("nothing") == 1
