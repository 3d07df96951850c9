"""Pages for people when something is wrong: in their language, with their text, and another way to reach the site."""

import json
import re

import pytest

from edge import forms, pages, payload, problems, words

CV = forms.Field("cv", "Your CV", type="file")
FORM = forms.Form(
    key="frm_" + "a" * 22,
    version=4,
    language="de",
    site=forms.Site("Kaffee & Co", "https://kaffee.example", "hallo@kaffee.example"),
    fields=(forms.Field("name", "Name", required=True), forms.Field("text", "Text", type="textarea")),
    honeypot="hp_topic",
)
SENT = payload.Payload(
    (("name", "Ann"), ("text", "Guten <Tag>")),
    {"_key": "k1", "_rendered": "17", "_version": "2", "altcha": "solved", "_charset_": "koi8-r"},
    (),
)
AWAY = problems.Problem("unavailable", words.text("unavailable"), retry_after=7)


def _page(problem: problems.Problem, form: forms.Form = FORM, sent: payload.Payload | None = SENT) -> str:
    return pages.error(problem, "req-1", form, sent, f"/f/{form.key}").body.decode()


def _with_contact(contact: str) -> forms.Form:
    return forms.Form(FORM.key, 4, site=forms.Site("K", "", contact))


def test_page_speaks_the_forms_language() -> None:
    answer = pages.error(AWAY, "req-1", FORM, SENT, "/f/x")
    page = answer.body.decode()
    assert '<html lang="de" dir="ltr">' in page
    assert dict(answer.headers)["content-language"] == "de"
    for text in ("Gerade können wir nichts speichern", "Noch einmal senden", "Zurück zu Kaffee &amp; Co", "Bitte leer"):
        assert text in page
    assert not re.search(r">[^<]*\b(Send|Your|Please|Fields)\b", page)


@pytest.mark.parametrize("language", sorted(words.KNOWN))
def test_every_problem_can_be_told_in_every_language(language: str) -> None:
    form = forms.Form(FORM.key, 1, language=language)
    for code in problems.KINDS:
        page = _page(problems.Problem(code, words.text("unavailable")), form)
        assert f"<h1>{words.KNOWN[language].title[code]}</h1>" in page


def test_without_a_form_the_browsers_language_is_spoken() -> None:
    problem = problems.Problem("not_found", words.text("no_page"))
    assert "Il n’y a rien ici" in pages.error(problem, "r", language="fr").body.decode()


def test_right_to_left(monkeypatch: pytest.MonkeyPatch) -> None:
    english = words.ENGLISH
    he = words.Words(english.page, english.field, english.title, english.detail, "he")
    monkeypatch.setitem(words.KNOWN, "he", he)
    assert '<html lang="he" dir="rtl">' in pages.hosted(forms.Form(FORM.key, 1, language="he")).body.decode()


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("hallo@kaffee.example", '<a href="mailto:hallo@kaffee.example">hallo@kaffee.example</a>'),
        ("+49 (30) 123-45", '<a href="tel:+493012345">+49 (30) 123-45</a>'),
        ("https://kaffee.example/chat", '<a href="https://kaffee.example/chat">https://kaffee.example/chat</a>'),
        ("Ring twice <b>", "<strong>Ring twice &lt;b&gt;</strong>"),
        ("javascript:alert(1)", "<strong>javascript:alert(1)</strong>"),
        ("a@b.example?cc=c@d.example", "<strong>a@b.example?cc=c@d.example</strong>"),
    ],
)
def test_another_way_to_reach_the_site(contact: str, shown: str) -> None:
    assert shown in _page(AWAY, _with_contact(contact))


def test_no_other_way_is_offered_where_there_is_none_or_none_is_needed() -> None:
    assert "fallback" not in _page(AWAY, _with_contact(" "))
    assert "hallo@" not in _page(problems.Problem("invalid_fields", words.text("invalid_fields")))


def test_text_is_kept_with_what_stays_true_of_it() -> None:
    page = _page(AWAY)
    assert "Guten &lt;Tag&gt;</textarea>" in page
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert hidden == {"_key": "k1", "_rendered": "17", "_version": "4"}, "the page shows version 4 now"


def test_files_have_to_be_chosen_again() -> None:
    form = forms.Form(FORM.key, 1, fields=(CV,), files=forms.Files(2, 9, 9, ("image/*", ".pdf")))
    page = _page(AWAY, form, payload.Payload((("cv", "me.pdf"), ("text", "x")), {}, ()))
    assert "Files have to be chosen again: me.pdf" in page
    assert 'enctype="multipart/form-data"' in page
    assert '<input type="file" multiple accept="image/*,.pdf" id="field-cv" name="cv">' in page
    without = _page(AWAY, form, payload.Payload((("cv", ""), ("text", "x")), {}, ()))
    assert "chosen again" not in without


def test_choice_that_is_not_offered_is_not_offered_again() -> None:
    form = forms.Form(FORM.key, 1, fields=(forms.Field("day", "Day", "select", options=("Friday",)),))
    sent = payload.Payload((("day", "Monday"),), {}, ())
    wrong = problems.Problem("invalid_fields", words.text("invalid_fields"), errors=forms.faults(form, sent))
    page = _page(wrong, form, sent)
    assert '<option value="Monday"' not in page
    assert '<option value="" selected>' in page
    assert "Day: “Monday” is not among the choices." in page
    assert '<option value="Monday" selected>' in _page(AWAY, form, sent), "when nothing was wrong with it, it stays"


def test_kept_nevertheless_is_not_offered_to_be_sent_again() -> None:
    problem = problems.Problem("key_reused", words.text("key_reused"), receipt="K7QF-2M9X-4TDA")
    page = _page(problem)
    assert "K7QF-2M9X-4TDA" in page
    assert "<form" not in page
    assert json.loads(problems.document(problem, "r"))["receipt"] == "K7QF-2M9X-4TDA"


def test_document_tells_people_in_their_language_and_scripts_in_english() -> None:
    told = json.loads(problems.document(AWAY, "req-1", "de", "hallo@kaffee.example"))
    assert told["title"] == "We cannot store anything at this moment"
    assert told["detail"].startswith("Das liegt an uns")
    assert told["error"] == told["detail"]
    assert told["fallback"] == "hallo@kaffee.example"
    assert (told["code"], told["status"], told["retry_after"], told["ok"]) == ("unavailable", 503, 7, False)
    faults = (problems.FieldError("required", "name", "Name: fehlt"),)
    wrong = problems.Problem("invalid_fields", words.text("invalid_fields"), errors=faults)
    told = json.loads(problems.document(wrong, "r", "de", "x"))
    assert told["errors"] == [{"code": "required", "field": "name", "message": "Name: fehlt"}]
    assert "error" not in told
    assert "fallback" not in told
