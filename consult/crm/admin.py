"""Whom the agency works for and whom it knows."""

from django.contrib import admin

from consult.core.admin import Records
from consult.crm import models

admin.site.register(
    [
        models.Client,
        models.Company,
        models.Contact,
        models.Deal,
        models.Distinct,
        models.Email,
        models.Event,
        models.Field,
        models.Import,
        models.ImportRow,
        models.Label,
        models.Labelling,
        models.Merge,
        models.Note,
        models.Phone,
        models.Stage,
    ],
    Records,
)
