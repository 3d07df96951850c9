"""What a person sees: the hosted form, the thank-you page, and every error with the text that was typed."""

import hashlib
import importlib.resources

from edge import forms, http, payload, problems, receipts
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


def hosted(form: forms.Form) -> http.Response:
    """GET /f/<key>: the form for whoever has no site yet."""
    body = join(
        _heading(form.name or "Contact", form),
        # Whoever came here stays here: the form's thank-you pages belong to a site that may not be there.
        _form(form, (), {"_next": form.thanks}, ()),
    )
    return _page(200, form.name or "Contact", body, form)


def thanks(form: forms.Form, receipt: str) -> http.Response:
    """`receipt` is without dashes."""
    body = join(
        element("p", {"class": "mark", "aria-hidden": "true"}, "✓"),
        element("h1", {}, "Thank you"),
        element("p", {}, f"Your message to {form.site.name or 'us'} has arrived and is stored."),
        element(
            "p",
            {"class": "receipt"},
            element("span", {}, "Your receipt"),
            element("code", {}, receipts.shown(receipt)),
        ),
        element("p", {"class": "quiet"}, "Keep it: with these twelve characters your message can be found again."),
        _way_back(form),
    )
    return _page(200, "Thank you", body, form)


_KEPT_WHOLE = "Nothing you typed is lost: it is all here, ready to be sent again."
_KEPT_FIRST = (
    "Nothing was sent yet. Here is only the beginning of what you typed, ready to be sent. "
    "Your browser still has the rest: go back one page to find it."
)


def error(
    problem: problems.Problem,
    request_id: str,
    form: forms.Form | None = None,
    sent: payload.Payload | None = None,
    action: str = "",
    *,
    whole: bool = True,
) -> http.Response:
    """Says what was wrong; with `sent`, keeps the text in a form that can be sent again to `action`.

    `whole` is whether `sent` is all that was typed.
    """
    told = [element("h1", {}, problem.kind.title), element("p", {}, problem.detail)]
    if problem.errors:
        links = (
            element("li", {}, element("a", {"href": f"#{_anchor(fault.field)}"}, fault.message))
            for fault in problem.errors
        )
        told.append(element("ul", {}, *links))
    parts = [element("div", {"class": "alert", "role": "alert"}, *told)]
    if sent is not None:
        parts.append(element("p", {}, _KEPT_WHOLE if whole else _KEPT_FIRST))
        parts.append(_form(form, sent.fields, sent.controls, problem.errors, action))
    elif problem.code in ("too_large", "too_slow", "malformed", "wrong_type", "length_required"):
        parts.append(element("p", {}, "Your browser still has your text: go back one page to find it."))
    parts.append(
        element(
            "p",
            {"class": "quiet"},
            "If you ask for help, give this number: ",
            element("code", {}, request_id),
        )
    )
    if form is not None:
        parts.append(_way_back(form))
    return _page(problem.kind.status, problem.kind.title, join(*parts), form, problem.headers)


def _page(
    status: int,
    title: str,
    body: Safe,
    form: forms.Form | None,
    headers: tuple[tuple[str, str], ...] = (),
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
    page = "<!doctype html>\n" + element("html", {"lang": "en"}, head, main) + "\n"
    fixed = (
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("content-security-policy", _policy(form)),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        ("cross-origin-opener-policy", "same-origin"),
    )
    return http.Response(status, fixed + headers, page.encode("utf-8", "replace"))


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


def _way_back(form: forms.Form) -> Safe:
    if not forms.origin_of(form.site.url):
        return Safe()
    return element("p", {}, element("a", {"href": form.site.url}, f"Back to {form.site.name or 'the site'}"))


def _anchor(name: str) -> str:
    return "field-" + "".join(letter if letter.isalnum() else f"-{ord(letter):x}-" for letter in name)


type _Sent = tuple[tuple[str, str], ...]


def _form(
    form: forms.Form | None,
    sent: _Sent,
    controls: dict[str, str],
    faults: tuple[problems.FieldError, ...],
    action: str = "",
) -> Safe:
    defined = form.fields if form else ()
    honeypot = form.honeypot if form else ""
    known = {field.name for field in defined}
    messages = {fault.field: fault.message for fault in faults}
    rows = [
        _field(field, [value for name, value in sent if name == field.name], messages.get(field.name, ""))
        for field in defined
    ]
    for name, value in sent:
        if name.startswith("_") and name != honeypot:
            rows.append(element("input", {"type": "hidden", "name": name, "value": value}))
        elif name not in known and name != honeypot:
            rows.append(_field(forms.Field(name=name, type="textarea"), [value], ""))
    for name, value in controls.items():
        if name == "_charset_":  # was true of the page that sent the text; this one is UTF-8
            continue
        rows.append(element("input", {"type": "hidden", "name": name, "value": value}))
    if honeypot:
        rows.append(_honeypot(honeypot, next((value for name, value in sent if name == honeypot), "")))
    rows.append(element("button", {"type": "submit"}, "Send again" if sent or faults else "Send"))
    needed = any(field.required for field in defined)
    note = element("p", {"class": "quiet"}, "Fields marked * are needed.") if needed else Safe()
    address = action or (f"/f/{form.key}" if form else "")
    return element("form", {"method": "post", "action": address, "accept-charset": "utf-8"}, note, *rows)


def _honeypot(name: str, value: str) -> Safe:
    """A field that people neither see nor reach; what fills it in is no person."""
    label = element("label", {"for": "field-left-empty"}, "Leave this empty")
    trap = element(
        "input",
        {"id": "field-left-empty", "name": name, "value": value, "tabindex": "-1", "autocomplete": "off"},
    )
    return element("div", {"class": "away", "aria-hidden": "true"}, label, trap)


def _field(field: forms.Field, values: list[str], message: str) -> Safe:
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
    label = element("label", {"for": anchor}, field.title, star)
    if field.type == "checkbox" and not field.options:
        box = element("input", {"type": "checkbox", "value": "yes", "checked": bool("".join(values)), **shared})
        return element("div", {"class": "row check"}, box, label, fault)
    if field.type == "checkbox":
        return _boxes(field, values, anchor, fault)
    if field.type == "select":
        return element("div", {"class": "row"}, label, _select(field, values, shared), fault)
    first = values[0] if values else ""
    limit: str | bool = str(field.max_length) if field.max_length else False
    if field.type == "textarea":
        lines = "6" if len(first) > 80 or "\n" in first or field.label else "2"
        area = element("textarea", {"rows": lines, "maxlength": limit, **shared}, first)
        return element("div", {"class": "row"}, label, area, fault)
    entry = element(
        "input",
        {
            "type": field.type if field.type in ("email", "tel") else "text",
            "value": first,
            "maxlength": limit,
            "autocomplete": _AUTOCOMPLETE.get(
                field.name.lower(), field.type if field.type in ("email", "tel") else False
            ),
            **shared,
        },
    )
    return element("div", {"class": "row"}, label, entry, fault)


def _select(field: forms.Field, values: list[str], shared: dict[str, str | bool]) -> Safe:
    chosen = values[0] if values else ""
    others = [chosen] if chosen and chosen not in field.options else []
    empty = element("option", {"value": "", "selected": not chosen}, "Choose …")
    options = (
        element("option", {"value": option, "selected": option == chosen}, option)
        for option in [*field.options, *others]
    )
    return element("select", shared, empty, *options)


def _boxes(field: forms.Field, values: list[str], anchor: str, fault: Safe) -> Safe:
    rows = []
    for number, option in enumerate(field.options):
        own = f"{anchor}-{number}"
        box: dict[str, str | bool] = {"type": "checkbox", "id": own, "name": field.name, "value": option}
        rows.append(
            element(
                "div",
                {"class": "check"},
                element("input", box | {"checked": option in values}),
                element("label", {"for": own}, option),
            )
        )
    star = " *" if field.required else ""
    return element("fieldset", {"class": "row", "id": anchor}, element("legend", {}, field.title + star), *rows, fault)
