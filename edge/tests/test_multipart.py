"""However a body is cut into chunks, its parts are the same; what is broken gives back what was read of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import bounds, multipart, payload
from edge.tests import uploading

TYPE = "multipart/form-data; boundary=xYx"
HEAD = "Content-Disposition: form-data; "


def body(*parts: tuple[str, bytes], end: bytes = b"--xYx--\r\n") -> bytes:
    """Parts of (what follows `form-data; `, content)."""
    return b"".join(f"--xYx\r\n{HEAD}{named}\r\n\r\n".encode() + text + b"\r\n" for named, text in parts) + end


def read(chunks: list[bytes]) -> list[tuple[bytes, bytes | None, bytes]]:
    reader = multipart.Reader(TYPE)
    parts: list[multipart.Part] = []
    for chunk in chunks:
        for event in reader.feed(chunk):
            if isinstance(event, multipart.Part):
                parts.append(event)
            elif event is not None:
                parts[-1].pieces.append(event)
    reader.end()
    return [(part.name, part.filename, part.content) for part in parts]


nearly = st.lists(st.sampled_from([b"\r\n--xYx", b"\r", b"\n", b"--xYx", b"a", b"\x00\xff"]), max_size=6).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(nearly.filter(lambda text: b"--xYx" not in text), min_size=1, max_size=4), st.data())
def test_the_cuts_do_not_matter(contents: list[bytes], data: st.DataObject) -> None:
    whole = body(*((f'name="f{number}"; filename="a"', content) for number, content in enumerate(contents)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    expected = [(f"f{number}".encode(), b"a", content) for number, content in enumerate(contents)]
    assert read(chunks) == read([whole]) == read([whole[i : i + 1] for i in range(len(whole))]) == expected


@pytest.mark.parametrize(
    ("named", "name", "filename"),
    [
        ('name="a"', "a", None),
        ('name="a"; filename=""', "a", ""),
        ('name="a %22b%22"; filename="c%22.pdf"', 'a "b"', 'c".pdf'),
        (r'name="a"; filename="say \"hi\".pdf"', "a", 'say "hi".pdf'),
        (r'name="a"; filename="C:\docs\cv.pdf"', "a", "cv.pdf"),
        ("name=a; filename=b.txt", "a", "b.txt"),
        ("name=\"a\"; filename*=UTF-8''%E2%82%AC.pdf", "a", "€.pdf"),
        ('name="ä"; filename="ü.pdf"', "ä", "ü.pdf"),
        ('NAME="a"', "a", None),
    ],
)
def test_names_as_clients_write_them(named: str, name: str, filename: str | None) -> None:
    ((name_read, filename_read, _content),) = read([body((named, b"1"))])
    assert name_read.decode() == name
    assert (filename_read.decode() if filename_read is not None else None) == filename


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (body(('name="a"', b"1"), ('name="b"', b"2"), end=b""), (("a", "1"), ("b", "2"))),
        (
            body(('name="a"', b"1"), end=b"") + f'--xYx\r\n{HEAD}name="b"\r\n\r\nhalf'.encode(),
            (("a", "1"), ("b", "half")),
        ),
        (body(('name="a"', b"1"), end=b"") + b"--xYx\r\nno header\r\n\r\n", (("a", "1"),)),
        (body(('name="a"', b"1"), end=b"--xYxx"), (("a", "1"),)),
        (body(('name="a"', b"1"), end=b"") + b"--xYx\r\nX: " + b"y" * 9_000 + b"\r\n\r\n", (("a", "1"),)),
    ],
)
def test_broken_gives_back_what_was_read(sent: bytes, kept: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(payload.Unreadable) as found:
        uploading.parsed(sent, TYPE)
    assert found.value.code == "malformed"
    assert found.value.first is not None
    assert found.value.first.fields == kept


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=", TYPE + "€"])
def test_no_usable_boundary(content_type: str) -> None:
    with pytest.raises(payload.Unreadable, match=r"told apart|broke off"):
        uploading.parsed(body(('name="a"', b"1")), content_type)


def test_a_hundred_small_parts() -> None:
    sent = body(*((f'name="f{number}"', b"%d" % number) for number in range(100)))
    assert uploading.parsed(sent, TYPE).fields == tuple((f"f{number}", str(number)) for number in range(100))
    with pytest.raises(payload.Unreadable, match="99 fields"):
        uploading.parsed(sent, TYPE, bounds.Bounds(fields=99))
