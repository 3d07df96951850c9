"""What both of Django's peers stand on: settings for production, the two tables, and one insert through the ORM."""

import hashlib
import json
import os
import secrets
import urllib.parse
import uuid
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest

_URL = urllib.parse.urlsplit(os.environ["DATABASE_URL"])

settings.configure(
    DEBUG=False,
    SECRET_KEY=secrets.token_hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=os.environ["PEER_URLS"],
    USE_TZ=True,
    USE_I18N=False,
    LOGGING_CONFIG=None,
    MIDDLEWARE=[],
    INSTALLED_APPS=[],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _URL.hostname,
            "PORT": _URL.port,
            "NAME": _URL.path[1:],
            "USER": _URL.username,
            "PASSWORD": _URL.password,
            # One connection for each thread, kept; statements are prepared at their fifth use.
            "CONN_MAX_AGE": None,
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 5},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from django.db import connection, models  # noqa: E402  settings come first
from django.utils import timezone  # noqa: E402


class Submission(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    agency_id = models.BigIntegerField()
    created_at = models.DateTimeField()
    form_id = models.UUIDField()
    form_version = models.PositiveIntegerField()
    receipt = models.CharField(max_length=12)
    received_at = models.DateTimeField()
    fields = models.JSONField()
    page_url = models.TextField()
    referrer = models.TextField()
    origin = models.TextField()
    remote_addr = models.TextField()
    user_agent = models.TextField()
    content_type = models.TextField()
    signals = models.JSONField()
    digest = models.BinaryField(max_length=16)
    spooled = models.BooleanField(default=False)

    class Meta:
        app_label = "peer"
        db_table = "intake_submission"
        managed = False

    def __str__(self) -> str:
        return self.receipt


FIND_FORM = """
    SELECT f.agency_id, f.id, f.version, v.honeypot
      FROM intake_form f
      JOIN intake_formversion v ON (v.agency_id, v.form_id, v.version) = (f.agency_id, f.id, f.version)
     WHERE f.key = %s
"""
_forms: dict[str, tuple[int, uuid.UUID, int, str]] = {}


def find_form(key: str) -> tuple[int, uuid.UUID, int, str] | None:
    form = _forms.get(key)
    if form is None:
        with connection.cursor() as cursor:
            cursor.execute(FIND_FORM, [key])
            form = cursor.fetchone()
        if form is not None:
            _forms[key] = form
    return form


def store(request: HttpRequest, form: tuple[int, uuid.UUID, int, str], sent: dict[str, Any]) -> Submission:
    """One insert, committed when this returns."""
    agency_id, form_id, version, honeypot = form
    trap = sent.pop(honeypot, "")
    fields = list(sent.items())
    now = timezone.now()
    meta = request.META
    referrer = meta.get("HTTP_REFERER", "")
    return Submission.objects.create(
        agency_id=agency_id,
        created_at=now,
        form_id=form_id,
        form_version=version,
        receipt=secrets.token_hex(6),
        received_at=now,
        fields=fields,
        page_url=referrer,
        referrer=referrer,
        origin=meta.get("HTTP_ORIGIN", ""),
        remote_addr=meta.get("REMOTE_ADDR", ""),
        user_agent=meta.get("HTTP_USER_AGENT", ""),
        content_type=meta.get("CONTENT_TYPE", ""),
        signals=["honeypot"] if trap else [],
        digest=hashlib.md5(json.dumps(fields).encode(), usedforsecurity=False).digest(),
    )
