"""What a person sees: the hosted form, the thank-you page, and every error with the text that was typed."""

import hashlib
import importlib.resources
import re
import time

from edge import forms, http, payload, problems, receipts, words
from edge.markup import Safe, element, join

STYLESHEET = importlib.resources.files("edge").joinpath("edge.css").read_bytes()
STYLESHEET_PATH = "/f/_/edge.css"
_STYLESHEET_URL = f"{STYLESHEET_PATH}?v={hashlib.sha256(STYLESHEET).hexdigest()[:12]}"

_AUTOCOMPLETE = {
    "name": "name",
    "email": "email",
    "tel": "tel",
    "phone": "tel",
    "telephone": "tel",
    "company": "organization",
    "organisation": "organization",
    "organization": "organization",
}


def stylesheet() -> http.Response:
    return http.Response(
        200,
        (
            ("content-type", "text/css; charset=utf-8"),
            ("cache-control", "public, max-age=31536000, immutable"),
        ),
        STYLESHEET,
    )


def hosted(form: forms.Form, now: float | None = None) -> http.Response:
    """GET /f/<key>: the form for whoever has no site yet. `now` is unix seconds."""
    said = words.of(form.language)
    # Whoever came here stays here: the form's thank-you pages belong to a site that may not be there.
    controls = {
        "_next": form.thanks,
        "_version": str(form.version),
        "_rendered": str(int(time.time() if now is None else now)),
    }
    title = form.name or said.page.contact
    return _page(200, title, join(_heading(title, form), _form(form, (), controls, (), said)), form, said)


def thanks(form: forms.Form, receipt: str) -> http.Response:
    """`receipt` is without dashes."""
    said = words.of(form.language)
    site = form.site.name
    body = join(
        element("p", {"class": "mark", "aria-hidden": "true"}, "✓"),
        element("h1", {}, said.page.thanks),
        element("p", {}, said.page.stored_site.format(site=site) if site else said.page.stored),
        _receipt(receipts.shown(receipt), said),
        _way_back(form, said),
    )
    return _page(200, said.page.thanks, body, form, said)


def error(
    problem: problems.Problem,
    request_id: str,
    form: forms.Form | None = None,
    sent: payload.Payload | None = None,
    action: str = "",
    *,
    whole: bool = True,
    language: str = words.DEFAULT,
) -> http.Response:
    """Says what was wrong; with `sent`, keeps the text in a form that can be sent again to `action`.

    `whole` is whether `sent` is all that was typed. `language` counts where there is no form to say it.
    """
    said = words.of(form.language if form else language)
    parts = [_alert(problem, said)]
    if problem.receipt:
        parts.append(_receipt(problem.receipt, said))
    if form is not None and problems.offers_fallback(problem):
        parts.append(_fallback(form.site, said))
    if sent is not None and not problem.receipt:
        parts.append(element("p", {}, said.page.kept_whole if whole else said.page.kept_first))
        if names := _file_names(sent, form):
            parts.append(element("p", {}, said.page.files_again.format(names=", ".join(names))))
        text = tuple(pair for pair in sent.fields if pair[0] not in {file.field for file in sent.files})
        parts.append(_form(form, text, _again(sent, form), problem.errors, said, action))
    elif problem.code in _NOT_READ or (action and problem.code == "unknown_form"):
        parts.append(element("p", {}, said.page.kept_browser))
    number = element("code", {}, request_id)
    parts.append(element("p", {"class": "quiet"}, said.page.help_number + " ", number))
    if form is not None:
        parts.append(_way_back(form, said))
    title = said.title[problem.code]
    return _page(problem.kind.status, title, join(*parts), form, said, problem.headers, problem.code)


# Without what was typed: the browser has it.
_NOT_READ = ("too_large", "too_slow", "malformed", "wrong_type", "length_required")


def _alert(problem: problems.Problem, said: words.Words) -> Safe:
    told = [element("h1", {}, said.title[problem.code]), element("p", {}, said.say(problem.detail))]
    if problem.errors:
        links = (
            element("li", {}, element("a", {"href": f"#{_anchor(fault.field)}"}, fault.message))
            for fault in problem.errors
        )
        told.append(element("ul", {}, *links))
    return element("div", {"class": "alert", "role": "alert"}, *told)


def _again(sent: payload.Payload, form: forms.Form | None) -> dict[str, str]:
    """The controls that stay true when the text is sent again from this page, which shows `form`."""
    # _charset_ was true of the page that sent the text; a proof of work counts once, and its absence against nobody.
    gone = ("_charset_", "_proof", "altcha")
    kept = {name: value for name, value in sent.controls.items() if name not in gone}
    return kept | ({"_version": str(form.version)} if form else {})


def _file_names(sent: payload.Payload, form: forms.Form | None) -> list[str]:
    """Of the files that were chosen: no page can choose them again."""
    kinds = {field.name: field.type for field in form.fields} if form else {}
    told = [value for name, value in sent.fields if value and kinds.get(name) == "file"]
    return list(dict.fromkeys([*told, *(file.name for file in sent.files)]))


def _receipt(receipt: str, said: words.Words) -> Safe:
    shown = element("p", {"class": "receipt"}, element("span", {}, said.page.receipt), element("code", {}, receipt))
    return join(shown, element("p", {"class": "quiet"}, said.page.receipt_hint))


_PHONE = re.compile(r"\+?[\d\s()/.\-]{5,30}")
_MAIL = re.compile(r"[^@\s<>\"?&]+@[^@\s<>\"?&]+\.[^@\s<>\"?&]+")


def _fallback(site: forms.Site, said: words.Words) -> Safe:
    contact = site.fallback_contact.strip()
    if not contact:
        return Safe()
    link = ""
    if _MAIL.fullmatch(contact):
        link = f"mailto:{contact}"
    elif _PHONE.fullmatch(contact):
        link = "tel:" + re.sub(r"[^+\d]", "", contact)
    elif forms.origin_of(contact):
        link = contact
    lead = said.page.fallback_site.format(site=site.name) if site.name else said.page.fallback
    shown = element("a", {"href": link}, contact) if link else contact
    return element("p", {"class": "fallback"}, element("span", {}, lead), element("strong", {}, shown))


def _page(
    status: int,
    title: str,
    body: Safe,
    form: forms.Form | None,
    said: words.Words,
    headers: tuple[tuple[str, str], ...] = (),
    code: str | None = None,
) -> http.Response:
    head = element(
        "head",
        {},
        element("meta", {"charset": "utf-8"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "robots", "content": "noindex"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("title", {}, f"{title} – {form.site.name}" if form and form.site.name else title),
        element("link", {"rel": "icon", "href": "data:,"}),
        element("link", {"rel": "stylesheet", "href": _STYLESHEET_URL}),
    )
    main = element("body", {}, element("main", {}, body))
    page = "<!doctype html>\n" + element("html", {"lang": said.code, "dir": said.direction}, head, main) + "\n"
    fixed = (
        ("content-type", "text/html; charset=utf-8"),
        ("content-language", said.code),
        ("cache-control", "no-store"),
        ("content-security-policy", _policy(form)),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("cross-origin-opener-policy", "same-origin"),
    )
    return http.Response(status, fixed + headers, page.encode("utf-8", "replace"), code)


def _policy(form: forms.Form | None) -> str:
    # Browsers apply form-action to the redirect after the post as well, so the targets must be named.
    targets = {forms.origin_of(form.redirect(target)) for target in form.redirect_targets} if form else set()
    actions = " ".join(["'self'", *sorted(target for target in targets if target)])
    return (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {actions}"
    )


def _heading(title: str, form: forms.Form) -> Safe:
    site = element("p", {"class": "quiet"}, form.site.name) if form.site.name else Safe()
    return element("header", {}, site, element("h1", {}, title))


def _way_back(form: forms.Form, said: words.Words) -> Safe:
    if not forms.origin_of(form.site.url):
        return Safe()
    name = form.site.name
    return element(
        "p",
        {},
        element("a", {"href": form.site.url}, said.page.back_site.format(site=name) if name else said.page.back),
    )


def _anchor(name: str) -> str:
    return "field-" + "".join(letter if letter.isalnum() else f"-{ord(letter):x}-" for letter in name)


type _Sent = tuple[tuple[str, str], ...]


def _form(
    form: forms.Form | None,
    sent: _Sent,
    controls: dict[str, str],
    faults: tuple[problems.FieldError, ...],
    said: words.Words,
    action: str = "",
) -> Safe:
    defined = form.fields if form else ()
    honeypot = form.honeypot if form else ""
    known = {field.name for field in defined}
    messages = {fault.field: fault.message for fault in faults}
    rows = [
        _field(field, [value for name, value in sent if name == field.name], messages.get(field.name, ""), said, form)
        for field in defined
    ]
    for name, value in sent:
        if name.startswith("_") and name not in known and name != honeypot:
            rows.append(element("input", {"type": "hidden", "name": name, "value": value}))
        elif name not in known and name != honeypot:
            rows.append(_field(forms.Field(name=name, type="textarea"), [value], "", said))
    rows += (element("input", {"type": "hidden", "name": name, "value": value}) for name, value in controls.items())
    if honeypot:
        rows.append(_honeypot(honeypot, next((value for name, value in sent if name == honeypot), ""), said))
    again = sent or faults or action
    rows.append(element("button", {"type": "submit"}, said.page.send_again if again else said.page.send))
    needed = any(field.required for field in defined)
    note = element("p", {"class": "quiet"}, said.page.needed) if needed else Safe()
    address = action or (f"/f/{form.key}" if form else "")
    about: dict[str, str | bool] = {
        "method": "post",
        "action": address,
        "accept-charset": "utf-8",
        "enctype": "multipart/form-data" if form and form.takes_files else False,
    }
    return element("form", about, note, *rows)


def _honeypot(name: str, value: str, said: words.Words) -> Safe:
    """A field that people neither see nor reach; what fills it in is no person."""
    label = element("label", {"for": "field-left-empty"}, said.page.leave_empty)
    trap = element(
        "input",
        {"id": "field-left-empty", "name": name, "value": value, "tabindex": "-1", "autocomplete": "off"},
    )
    return element("div", {"class": "away", "aria-hidden": "true"}, label, trap)


def _field(
    field: forms.Field, values: list[str], message: str, said: words.Words, form: forms.Form | None = None
) -> Safe:
    anchor = _anchor(field.name)
    shared: dict[str, str | bool] = {
        "id": anchor,
        "name": field.name,
        "required": field.required,
        "aria-invalid": "true" if message else False,
        "aria-describedby": f"{anchor}-error" if message else False,
    }
    fault = element("p", {"id": f"{anchor}-error", "class": "fault"}, message) if message else Safe()
    star = element("span", {"class": "needed", "aria-hidden": "true"}, " *") if field.required else Safe()
    if field.type == "checkbox" and field.options:
        return _boxes(field, values, star, fault)
    label = element("label", {"for": anchor}, field.title, star)
    if field.type == "checkbox":
        ticked = any(value.strip() for value in values)
        box = element("input", {"type": "checkbox", "value": "yes", "checked": ticked, **shared})
        return element("div", {"class": "row check"}, box, label, fault)
    first = values[0] if values else ""
    if field.type == "select":
        control = _select(field, first, bool(message), shared, said)
    elif field.type == "file":
        control = _file(form, shared)
    elif field.type == "textarea":
        lines = "6" if len(first) > 80 or "\n" in first or field.label else "2"
        control = element("textarea", {"rows": lines, "maxlength": _limit(field), **shared}, first)
    else:
        control = _entry(field, first, shared)
    return element("div", {"class": "row"}, label, control, fault)


def _limit(field: forms.Field) -> str | bool:
    return str(field.max_length) if field.max_length else False


def _entry(field: forms.Field, value: str, shared: dict[str, str | bool]) -> Safe:
    special: str | bool = field.type if field.type in ("email", "tel") else False
    return element(
        "input",
        {
            "type": special or "text",
            "value": value,
            "maxlength": _limit(field),
            "autocomplete": _AUTOCOMPLETE.get(field.name.lower(), special),
            **shared,
        },
    )


def _file(form: forms.Form | None, shared: dict[str, str | bool]) -> Safe:
    types = ",".join(form.files.types) if form else ""
    many = form is not None and form.files.count > 1
    return element("input", {"type": "file", "multiple": many, "accept": types or False, **shared})


def _select(field: forms.Field, value: str, faulty: bool, shared: dict[str, str | bool], said: words.Words) -> Safe:
    # What is not offered stays chosen, so that nothing is lost, unless that is what was wrong.
    others = [value] if value and value not in field.options and not faulty else []
    chosen = value if value in field.options or others else ""
    empty = element("option", {"value": "", "selected": not chosen}, said.page.choose)
    options = (
        element("option", {"value": option, "selected": option == chosen}, option)
        for option in [*field.options, *others]
    )
    return element("select", shared, empty, *options)


def _boxes(field: forms.Field, values: list[str], star: Safe, fault: Safe) -> Safe:
    """A group: one name, a value for each box that is ticked. Which of them are needed HTML cannot say."""
    anchor = _anchor(field.name)
    rows = []
    for number, option in enumerate(field.options):
        # The group's own anchor is its first box: a link to it gives the focus to something that takes it.
        own = f"{anchor}-{number}" if number else anchor
        box: dict[str, str | bool] = {
            "type": "checkbox",
            "id": own,
            "name": field.name,
            "value": option,
            "checked": option in values,
            "aria-invalid": "true" if fault else False,
        }
        rows.append(element("div", {"class": "check"}, element("input", box), element("label", {"for": own}, option)))
    about: dict[str, str | bool] = {"class": "row", "aria-describedby": f"{anchor}-error" if fault else False}
    return element("fieldset", about, element("legend", {}, field.title, star), *rows, fault)
