from pathlib import Path

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_tokens_keys_and_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("ready", "ready"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("asked_by_id", models.UUIDField()),
                ("location", models.CharField(max_length=200)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("total", models.PositiveBigIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("error", models.CharField(blank=True, default="", max_length=40)),
                ("moved_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
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
                "indexes": [
                    models.Index(fields=["agency", "-created_at"], name="accounts_export_latest"),
                    models.Index(fields=["agency", "asked_by_id"], name="accounts_export_by_member"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update"),
                        column="agency_id",
                        doors=("select",),
                        name="accounts_export_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("asked_by_id",),
                        name="accounts_export_by",
                        on_delete="restrict",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("waiting", "running", "ready", "failed", "expired"))),
                        name="accounts_export_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("email", models.CharField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("admin", "admin"), ("member", "member"), ("viewer", "viewer")],
                        max_length=10,
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("invited_by_id", models.UUIDField()),
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
                "indexes": [models.Index(fields=["agency", "invited_by_id"], name="accounts_invitation_by_member")],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update"),
                        column="agency_id",
                        doors=("select",),
                        name="accounts_invitation_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("invited_by_id",),
                        name="accounts_invitation_by",
                        on_delete="restrict",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ("owner", "admin", "member", "viewer"))),
                        name="accounts_invitation_role",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        fields=("agency", "email"),
                        name="accounts_invitation_open",
                    ),
                ],
            },
        ),
        doors.install(
            SQL / "doors_v4.sql",
            "accounts_memberships_v3",
            "accounts_invitation_v1",
            "accounts_due_v1",
            "accounts_delete_agency_v1",
        ),
    ]
