import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
import consult.intake.rules


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("crm", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=200)),
                ("url", models.URLField(max_length=500)),
                ("client_id", models.UUIDField(null=True)),
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
        ),
        migrations.CreateModel(
            name="Form",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=200)),
                ("key", models.CharField(default=consult.intake.rules.new_key, max_length=40, unique=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("allowed_origins", models.JSONField(default=list)),
                ("redirect_targets", models.JSONField(default=list)),
                ("notify_addresses", models.JSONField(default=list)),
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
                    "site",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="intake.site",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("form_version", models.PositiveIntegerField()),
                ("receipt", models.CharField(max_length=12)),
                ("received_at", models.DateTimeField()),
                ("fields", models.JSONField()),
                ("page_url", models.TextField()),
                ("referrer", models.TextField()),
                ("origin", models.TextField()),
                ("remote_addr", models.TextField()),
                ("user_agent", models.TextField()),
                ("content_type", models.TextField()),
                ("signals", models.JSONField()),
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
                    "form",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="intake.form",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FormVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("version", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("fields", models.JSONField()),
                ("honeypot", models.CharField(max_length=63)),
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
                    "form",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="intake.form",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert"),
                        column="agency_id",
                        doors=("select",),
                        name="intake_formversion_isolated",
                    ),
                    models.UniqueConstraint(fields=("agency", "form", "version"), name="intake_formversion_once"),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="site",
            index=models.Index(fields=["agency", "client_id"], name="intake_site_by_client"),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="intake_site_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=consult.core.isolation.SameAgency(
                columns=("client_id",),
                name="intake_site_client",
                on_delete="set null",
                target="crm_client",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="form",
            index=models.Index(fields=["agency", "site"], name="intake_form_by_site"),
        ),
        migrations.AddConstraint(
            model_name="form",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="intake_form_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="form",
            constraint=consult.core.isolation.SameAgency(
                columns=("site_id",),
                name="intake_form_site",
                on_delete="restrict",
                target="intake_site",
                target_columns=("id",),
            ),
        ),
        # Apart from CreateModel, so that going back drops it before the key that it refers to.
        migrations.AddConstraint(
            model_name="formversion",
            constraint=consult.core.isolation.SameAgency(
                columns=("form_id",),
                name="intake_formversion_form",
                on_delete="restrict",
                target="intake_form",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="submission",
            index=models.Index(fields=["agency", "form", "-received_at"], name="intake_submission_by_form"),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=consult.core.isolation.Isolated(
                app=("select",),
                column="agency_id",
                doors=("select", "insert"),
                name="intake_submission_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=models.UniqueConstraint(fields=("agency", "receipt"), name="intake_submission_receipt"),
        ),
        migrations.AddConstraint(
            model_name="submission",
            constraint=consult.core.isolation.SameAgency(
                columns=("form_id", "form_version"),
                name="intake_submission_form",
                on_delete="restrict",
                target="intake_formversion",
                target_columns=("form_id", "version"),
            ),
        ),
    ]
