"""An agency's settings and its logo."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consult.accounts import forms, queries, rules, services
from consult.core import files


@require_http_methods(["GET", "POST"])
def agency_settings(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "settings.manage")
    initial = queries.settings_of(here.agency_id)
    form = forms.Agency(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        changes = form.changes()
        try:
            services.update_agency(agency_id=here.agency_id, changes=changes, by=here.member_id)
        except services.NameTaken:
            form.add_error("slug", _("This name is taken. Choose another one."))
        except services.BadSetting as error:
            raise BadRequest(_("This value cannot be saved.")) from error
        else:
            messages.success(request, _("The settings are saved.") if changes else _("Nothing was changed."))
            return redirect("accounts:agency_settings", changes.get("slug", here.slug))
    return _page(request, form, initial["logo"], 422 if form.errors else 200)


def _page(request: HttpRequest, form: forms.Agency, logo: str, status: int, logo_error: str = "") -> HttpResponse:
    context = {"form": form, "logo": logo, "logo_error": logo_error}
    return render(request, "accounts/agency_settings.html", context, status=status)


@require_POST
def set_logo(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "settings.manage")
    file = request.FILES.get("logo")
    try:
        # Not more in memory than a logo may have.
        content = file.read(rules.LOGO_BYTES + 1) if file else b""
        services.set_logo(agency_id=here.agency_id, content=content, by=here.member_id)
    except services.BadLogo:
        initial = queries.settings_of(here.agency_id)
        words = _("A PNG, JPEG or WebP picture of at most 512 KB, please. It is looked at by content, not by its name.")
        return _page(request, forms.Agency(initial=initial), initial["logo"], 422, words)
    messages.success(request, _("The logo is saved."))
    return redirect("accounts:agency_settings", here.slug)


@require_POST
def remove_logo(request: HttpRequest) -> HttpResponse:
    here = queries.permit(request, "settings.manage")
    services.remove_logo(agency_id=here.agency_id, by=here.member_id)
    messages.success(request, _("The logo is removed."))
    return redirect("accounts:agency_settings", here.slug)


@require_GET
def logo(request: HttpRequest) -> HttpResponse:
    """The agency's logo, to its members. Its address changes with it (?v=), so browsers may keep it."""
    location = queries.here(request).logo
    if not location:
        raise Http404
    content = b"".join(files.read(location))
    # What is not a picture of the three kinds is not shown, whoever may have put it there.
    media_type = rules.logo_type(content)
    if not media_type:
        raise Http404
    return HttpResponse(
        content,
        content_type=media_type,
        headers={
            "Cache-Control": "private, max-age=604800",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        },
    )
