from pathlib import Path

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "mailboxes_v1.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_people_addresses"),
        ("inbox", "0006_messages"),
    ]

    operations = [
        migrations.AddField(
            model_name="attachment",
            name="content_id",
            field=models.CharField(blank=True, default="", max_length=250),
        ),
        migrations.CreateModel(
            name="Hook",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("generation", models.PositiveIntegerField()),
                ("renewed_at", models.DateTimeField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="inbox_hook_isolated",
                    ),
                    models.UniqueConstraint(fields=("agency",), name="inbox_hook_one"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Mailbox",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("address", models.CharField(max_length=320)),
                ("plus", models.BooleanField(default=True)),
                ("host", models.CharField(max_length=253)),
                ("port", models.PositiveIntegerField()),
                (
                    "security",
                    models.CharField(
                        choices=[("tls", "tls"), ("starttls", "starttls"), ("plain", "plain")], max_length=8
                    ),
                ),
                ("user", models.CharField(db_column="user_name", max_length=320)),
                ("password_sealed", models.TextField()),
                ("folder", models.CharField(default="INBOX", max_length=200)),
                ("uid_validity", models.BigIntegerField(null=True)),
                ("last_uid", models.BigIntegerField(default=0)),
                ("left_uids", models.JSONField(default=list)),
                ("since_date", models.DateField(null=True)),
                ("connected_at", models.DateTimeField()),
                ("checked_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, default="", max_length=20)),
                ("fails", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("busy_until", models.DateTimeField(null=True)),
                ("fetched", models.PositiveBigIntegerField(default=0)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=("select",),
                        name="inbox_mailbox_isolated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("security__in", ("tls", "starttls", "plain"))),
                        name="inbox_mailbox_security",
                    ),
                    models.UniqueConstraint(fields=("agency",), name="inbox_mailbox_one"),
                ],
            },
        ),
        doors.install(SQL, "inbox_mailboxes_due_v1"),
    ]
