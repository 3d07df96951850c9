"""Enquiries in the admin: read-only, closed through the same service as in the inbox."""

import datetime as dt

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from consult.accounts import queries as accounts
from consult.core.admin import Records
from consult.inbox import models, services


@admin.register(models.Enquiry)
class Enquiries(Records):
    actions = ("close_enquiries",)

    @admin.action(description="Close the selected enquiries", permissions=["view"])
    def close_enquiries(self, request: HttpRequest, queryset: QuerySet[models.Enquiry]) -> None:
        for enquiry in queryset:
            by = accounts.member_of(enquiry.agency_id, request.user.pk)
            services.close_enquiry(
                agency_id=enquiry.agency_id, number=enquiry.number, by=by, now=dt.datetime.now(dt.UTC)
            )
        messages.success(request, "The enquiries are closed.")


admin.site.register(models.Note, Records)
admin.site.register(models.Labelling, Records)
admin.site.register(models.Counter, Records)
admin.site.register(models.Word, Records)
admin.site.register(models.SavedView, Records)
