import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("intake", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Enquiry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveBigIntegerField()),
                ("submission_id", models.UUIDField(null=True)),
                ("form_id", models.UUIDField(null=True)),
                (
                    "status",
                    models.CharField(choices=[("open", "open"), ("closed", "closed")], default="open", max_length=10),
                ),
                ("assignee_id", models.UUIDField(null=True)),
                ("sender_name", models.CharField(max_length=200)),
                ("sender_email", models.CharField(max_length=320)),
                ("subject", models.CharField(max_length=200)),
                ("excerpt", models.CharField(max_length=280)),
                ("signals", models.JSONField(default=list)),
                ("received_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
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
                "verbose_name_plural": "enquiries",
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("author_id", models.UUIDField(null=True)),
                ("body", models.TextField()),
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
                (
                    "enquiry",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="inbox.enquiry",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("last_number", models.PositiveBigIntegerField(default=0)),
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
                        name="inbox_counter_isolated",
                    ),
                    models.UniqueConstraint(fields=("agency",), name="inbox_counter_once"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "status", "-received_at", "-number"], name="inbox_enquiry_by_status"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "assignee_id", "status"], name="inbox_enquiry_by_assignee"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "form_id"], name="inbox_enquiry_by_form"),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_enquiry_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.UniqueConstraint(fields=("agency", "number"), name="inbox_enquiry_number"),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.UniqueConstraint(fields=("agency", "submission_id"), name="inbox_enquiry_submission"),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("open", "closed"))), name="inbox_enquiry_status"
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("submission_id",),
                name="inbox_enquiry_of",
                on_delete="set null",
                target="intake_submission",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("form_id",),
                name="inbox_enquiry_form",
                on_delete="set null",
                target="intake_form",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("assignee_id",),
                name="inbox_enquiry_assignee",
                on_delete="set null",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["agency", "enquiry", "created_at"], name="inbox_note_by_enquiry"),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(fields=["agency", "author_id"], name="inbox_note_by_author"),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_note_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=consult.core.isolation.SameAgency(
                columns=("enquiry_id",),
                name="inbox_note_enquiry",
                on_delete="restrict",
                target="inbox_enquiry",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="note",
            constraint=consult.core.isolation.SameAgency(
                columns=("author_id",),
                name="inbox_note_author",
                on_delete="set null",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
    ]
