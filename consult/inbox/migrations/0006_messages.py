import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_people_addresses"),
        ("inbox", "0005_links"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=200)),
                ("media_type", models.CharField(max_length=120)),
                ("size", models.PositiveBigIntegerField()),
                ("location", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Mail",
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
                        choices=[("waiting", "waiting"), ("done", "done"), ("aside", "aside"), ("dropped", "dropped")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=20)),
                ("digest", models.CharField(max_length=64)),
                ("size", models.PositiveBigIntegerField()),
                ("location", models.CharField(max_length=200)),
                ("from_address", models.CharField(blank=True, default="", max_length=320)),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("message_id", models.UUIDField(null=True)),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("direction", models.CharField(choices=[("out", "out"), ("in", "in")], max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("sending", "sending"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("undone", "undone"),
                            ("bounced", "bounced"),
                            ("received", "received"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("answer", "answer"), ("auto", "auto"), ("bounce", "bounce")],
                        default="answer",
                        max_length=6,
                    ),
                ),
                ("member_id", models.UUIDField(null=True)),
                ("subject", models.CharField(blank=True, default="", max_length=200)),
                ("text", models.TextField(blank=True, default="")),
                ("html", models.TextField(blank=True, default="")),
                ("shortened", models.BooleanField(default=False)),
                ("message_id", models.CharField(max_length=250)),
                ("in_reply_to", models.CharField(blank=True, default="", max_length=250)),
                ("thread", models.TextField(blank=True, default="")),
                ("from_name", models.CharField(blank=True, default="", max_length=200)),
                ("from_address", models.CharField(blank=True, default="", max_length=320)),
                ("to_address", models.CharField(blank=True, default="", max_length=320)),
                ("version", models.PositiveIntegerField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("detail", models.JSONField(default=dict)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=60)),
                ("body", models.TextField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="delivery",
            name="inbox_delivery_kind",
        ),
        migrations.AlterField(
            model_name="delivery",
            name="kind",
            field=models.CharField(
                choices=[
                    ("stored", "stored"),
                    ("scored", "scored"),
                    ("held", "held"),
                    ("notified", "notified"),
                    ("replied", "replied"),
                    ("failed", "failed"),
                    ("retried", "retried"),
                    ("opened", "opened"),
                    ("restored", "restored"),
                    ("confirmed_spam", "confirmed_spam"),
                    ("sent", "sent"),
                    ("bounced", "bounced"),
                    ("received", "received"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        (
                            "stored",
                            "scored",
                            "held",
                            "notified",
                            "replied",
                            "failed",
                            "retried",
                            "opened",
                            "restored",
                            "confirmed_spam",
                            "sent",
                            "bounced",
                            "received",
                        ),
                    )
                ),
                name="inbox_delivery_kind",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
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
        migrations.AddField(
            model_name="mail",
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
        migrations.AddField(
            model_name="message",
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
        migrations.AddField(
            model_name="message",
            name="enquiry",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inbox.enquiry",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inbox.message",
            ),
        ),
        migrations.AddField(
            model_name="template",
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
        migrations.AddConstraint(
            model_name="mail",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"), column="agency_id", doors=(), name="inbox_mail_isolated"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_message_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_attachment_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_template_isolated",
            ),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(fields=["agency", "message_id"], name="inbox_mail_by_message"),
        ),
        migrations.AddIndex(
            model_name="mail",
            index=models.Index(
                condition=models.Q(("resolved_at__isnull", True), ("state", "aside")),
                fields=["agency", "-id"],
                name="inbox_mail_aside",
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=consult.core.isolation.SameAgency(
                columns=("message_id",),
                name="inbox_mail_message",
                on_delete="set null",
                target="inbox_message",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("waiting", "done", "aside", "dropped"))), name="inbox_mail_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="mail",
            constraint=models.UniqueConstraint(fields=("agency", "digest"), name="inbox_mail_once"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["agency", "enquiry", "created_at"], name="inbox_message_by_enquiry"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["agency", "member_id"], name="inbox_message_by_member"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=consult.core.isolation.SameAgency(
                columns=("enquiry_id",),
                name="inbox_message_enquiry",
                on_delete="restrict",
                target="inbox_enquiry",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=consult.core.isolation.SameAgency(
                columns=("member_id",),
                name="inbox_message_member",
                on_delete="set null",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("direction__in", ("out", "in"))), name="inbox_message_direction"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ("answer", "auto", "bounce"))), name="inbox_message_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("direction", "in"), ("state", "received")),
                    models.Q(
                        ("direction", "out"),
                        ("state__in", ("queued", "sending", "sent", "failed", "undone", "bounced", "received")),
                        models.Q(("state", "received"), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="inbox_message_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("agency", "direction", "message_id"), name="inbox_message_once"),
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(fields=["agency", "message", "id"], name="inbox_attachment_by_message"),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=consult.core.isolation.SameAgency(
                columns=("message_id",),
                name="inbox_attachment_message",
                on_delete="restrict",
                target="inbox_message",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.UniqueConstraint(fields=("agency", "name"), name="inbox_template_name"),
        ),
    ]
