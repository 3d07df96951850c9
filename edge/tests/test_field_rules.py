"""What a form asks for, and what is said about what was sent."""

import pytest

from edge import forms, payload


def _form(*fields: forms.Field, version: int = 3, language: str = "en") -> forms.Form:
    return forms.Form(key="frm_x", version=version, fields=fields, language=language)


def _sent(*fields: tuple[str, str]) -> payload.Payload:
    return payload.Payload(fields, {}, ())


def _codes(form: forms.Form, sent: payload.Payload, version: int | None = None, *files: str) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in forms.faults(form, sent, version, files)]


DAY = forms.Field("day", type="select", options=("Friday", "Saturday  night"))
MEALS = forms.Field("meals", "Meals?", type="checkbox", options=("Lunch", "Dinner"), required=True)
NEW = forms.Field("phone", required=True, required_since=3)
AGREE = forms.Field("agree", type="checkbox", required=True)


@pytest.mark.parametrize("value", ["Friday", " Friday ", "Saturday night", "Saturday  night", "", "  "])
def test_choice_that_is_offered(value: str) -> None:
    assert _codes(_form(DAY), _sent(("day", value))) == []


def test_choice_that_is_not_offered() -> None:
    (fault,) = forms.faults(_form(DAY), _sent(("day", "Monday")))
    assert (fault.code, fault.field) == ("invalid_choice", "day")
    assert "“Monday”" in fault.message
    assert _codes(_form(DAY), _sent(("day", "Friday"), ("day", "friday"))) == [("day", "invalid_choice")]


def test_group_of_boxes() -> None:
    form = _form(MEALS)
    assert _codes(form, _sent(("meals", "Lunch"), ("meals", "Dinner"))) == []
    assert _codes(form, _sent(("meals", "Lunch"), ("meals", "Supper"))) == [("meals", "invalid_choice")]
    assert _codes(form, _sent()) == [("meals", "required")]
    (fault,) = forms.faults(form, _sent())
    assert fault.message.startswith("Meals: "), "the label's own question mark is not followed by a colon"


def test_box_that_scripts_send_unticked() -> None:
    form = _form(AGREE)
    assert _codes(form, _sent(("agree", "yes"))) == []
    for unticked in ("false", "off", "0", ""):
        assert _codes(form, _sent(("agree", unticked))) == [("agree", "required")]


def test_newly_required_field_never_refuses_an_older_page() -> None:
    form = _form(NEW)
    assert _codes(form, _sent(("name", "Ann"))) == []
    assert forms.older_page(form, _sent(("name", "Ann")))
    assert _codes(form, _sent(("phone", ""))) == [("phone", "required")], "the page knows it, nothing was typed"
    assert not forms.older_page(form, _sent(("phone", "1")))


def test_page_that_names_its_version_is_judged_by_it() -> None:
    form = _form(NEW)
    assert _codes(form, _sent(("name", "Ann")), 3) == [("phone", "required")]
    assert not forms.older_page(form, _sent(("name", "Ann")), 3)
    assert _codes(form, _sent(("name", "Ann")), 99) == [], "a version that there is not says nothing"
    assert forms.older_page(form, _sent(("name", "Ann")), 99)


def test_field_required_from_the_beginning_has_to_be_there() -> None:
    assert _codes(_form(forms.Field("name", required=True)), _sent(("other", "x"))) == [("name", "required")]


def test_unticked_box_is_told_from_an_older_page_by_the_version_alone() -> None:
    late = _form(forms.Field("agree", type="checkbox", required=True, required_since=2))
    assert _codes(late, _sent(("name", "Ann"))) == []
    assert forms.older_page(late, _sent(("name", "Ann")))
    assert _codes(late, _sent(("name", "Ann")), 3) == [("agree", "required")]


def test_file() -> None:
    form = _form(forms.Field("cv", "Your CV", type="file", required=True))
    assert _codes(form, _sent(), None, "cv") == []
    assert _codes(form, _sent(("cv", ""))) == [("cv", "required")]
    assert _codes(form, _sent()) == [("cv", "required")]


def test_messages_are_in_the_forms_language() -> None:
    form = _form(forms.Field("mail", "E-Mail", "email"), DAY, forms.Field("t", "Text", max_length=3), language="de")
    sent = _sent(("mail", "ann"), ("day", "Montag"), ("t", "vier"))
    assert [fault.message for fault in forms.faults(form, sent)] == [
        "E-Mail: Die Adresse sollte aussehen wie name@example.com.",
        "day: „Montag“ steht nicht zur Auswahl.",
        "Text: höchstens 3 Zeichen.",
    ]


def test_length_counts_a_line_break_once() -> None:
    form = _form(forms.Field("text", type="textarea", max_length=3))
    assert _codes(form, _sent(("text", "a\r\nb"))) == []
    assert _codes(form, _sent(("text", "ab\r\nc"))) == [("text", "too_long")]


def test_fields_that_the_form_does_not_know_are_nobodys_fault() -> None:
    assert _codes(_form(DAY), _sent(("else", "x" * 10_000), ("", "y"))) == []


def test_secret_stays_out_of_reprs() -> None:
    assert "hush" not in repr(forms.Form(key="k", version=1, secret="hush"))
