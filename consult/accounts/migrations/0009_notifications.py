from pathlib import Path

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_people_addresses"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("member_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("new", "new"), ("assigned", "assigned"), ("mentioned", "mentioned")], max_length=20
                    ),
                ),
                ("feature", models.CharField(max_length=20)),
                ("subject_id", models.UUIDField()),
                ("by_id", models.UUIDField(null=True)),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "mail",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("due", "due"),
                            ("daily", "daily"),
                            ("sending", "sending"),
                            ("sent", "sent"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("mailed_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="member",
            name="digested_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="member",
            name="hears_assigned",
            field=models.CharField(
                choices=[("none", "none"), ("app", "app"), ("mail", "mail"), ("daily", "daily")],
                db_default="app",
                default="app",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="hears_mentioned",
            field=models.CharField(
                choices=[("none", "none"), ("app", "app"), ("mail", "mail"), ("daily", "daily")],
                db_default="mail",
                default="mail",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="hears_new",
            field=models.CharField(
                choices=[("none", "none"), ("app", "app"), ("mail", "mail"), ("daily", "daily")],
                db_default="none",
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hears_assigned__in", ("none", "app", "mail", "daily")),
                    ("hears_mentioned__in", ("none", "app", "mail", "daily")),
                    ("hears_new__in", ("none", "app", "mail", "daily")),
                ),
                name="accounts_member_hears",
            ),
        ),
        migrations.AddField(
            model_name="notification",
            name="agency",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.agency",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["agency", "member_id", "-at"], name="accounts_notification_latest"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("read_at", None)),
                fields=["agency", "member_id", "subject_id"],
                name="accounts_notification_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("mail__in", ("due", "daily", "sending"))),
                fields=["agency", "mail"],
                name="accounts_notification_due",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["agency", "by_id"], name="accounts_notification_of"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="accounts_notification_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=consult.core.isolation.SameAgency(
                columns=("member_id",),
                name="accounts_notification_member",
                on_delete="restrict",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=consult.core.isolation.SameAgency(
                columns=("by_id",),
                name="accounts_notification_by",
                on_delete="set null",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("new", "assigned", "mentioned"))), name="accounts_notification_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(("mail__in", ("", "due", "daily", "sending", "sent"))),
                name="accounts_notification_mail",
            ),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(
                fields=("agency", "member_id", "kind", "subject_id"), name="accounts_notification_once"
            ),
        ),
        doors.install(SQL / "doors_v5.sql", "accounts_memberships_v4", "accounts_digests_v1"),
    ]
