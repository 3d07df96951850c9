import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
import consult.intake.rules


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_doors"),
        ("intake", "0002_doors"),
    ]

    operations = [
        migrations.CreateModel(
            name="Edge",
            fields=[
                ("source", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("host", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("spooled", models.BigIntegerField()),
                ("oldest_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="File",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("field", models.TextField()),
                ("name", models.TextField()),
                ("media_type", models.CharField(max_length=255)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("location", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="SetAside",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("form_id", models.UUIDField(null=True)),
                ("form_key", models.CharField(max_length=40)),
                ("receipt", models.CharField(max_length=12)),
                ("received_at", models.DateTimeField()),
                ("reason", models.TextField()),
                ("content", models.BinaryField()),
                ("spooled", models.BooleanField(db_default=False)),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("day", models.DateField()),
                ("source", models.CharField(max_length=80)),
                ("accepted", models.BigIntegerField()),
                ("spooled", models.BigIntegerField(db_default=0)),
            ],
            options={
                "verbose_name_plural": "tallies",
            },
        ),
        migrations.AddField(
            model_name="form",
            name="address_limit",
            field=models.CharField(default="20/minute", max_length=30),
        ),
        migrations.AddField(
            model_name="form",
            name="auto_reply",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="form",
            name="auto_reply_text",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="form",
            name="daily_cap",
            field=models.PositiveIntegerField(default=10000),
        ),
        migrations.AddField(
            model_name="form",
            name="form_limit",
            field=models.CharField(default="600/minute", max_length=30),
        ),
        migrations.AddField(
            model_name="form",
            name="hold_score",
            field=models.PositiveSmallIntegerField(default=50),
        ),
        migrations.AddField(
            model_name="form",
            name="keep_address_days",
            field=models.PositiveSmallIntegerField(default=30),
        ),
        migrations.AddField(
            model_name="form",
            name="language",
            field=models.CharField(default="en", max_length=10),
        ),
        migrations.AddField(
            model_name="form",
            name="over_limit",
            field=models.CharField(choices=[("hold", "hold"), ("refuse", "refuse")], default="hold", max_length=6),
        ),
        migrations.AddField(
            model_name="form",
            name="proof_of_work",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="form",
            name="secret",
            field=models.CharField(default=consult.intake.rules.new_secret, max_length=43),
        ),
        migrations.AddField(
            model_name="formversion",
            name="files",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="site",
            name="fallback_contact",
            field=models.CharField(blank=True, default="", max_length=320),
        ),
        migrations.AddField(
            model_name="submission",
            name="digest",
            field=models.BinaryField(db_default=b"", max_length=16),
        ),
        migrations.AddField(
            model_name="submission",
            name="spooled",
            field=models.BooleanField(db_default=False),
        ),
        # Dropping and adding it again would drop the key that enquiries refer to: only a right is new.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "GRANT UPDATE ON intake_submission TO consult_doors",
                    "REVOKE UPDATE ON intake_submission FROM consult_doors",
                )
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name="submission", name="intake_submission_isolated"),
                migrations.AddConstraint(
                    model_name="submission",
                    constraint=consult.core.isolation.Isolated(
                        name="intake_submission_isolated", app=("select",), doors=("select", "insert", "update")
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="file",
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
            model_name="file",
            name="submission",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="intake.submission",
            ),
        ),
        migrations.AddField(
            model_name="setaside",
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
            model_name="tally",
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
            model_name="tally",
            name="form",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="intake.form",
            ),
        ),
        migrations.AddIndex(
            model_name="file",
            index=models.Index(fields=["agency", "submission"], name="intake_file_by_submission"),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=consult.core.isolation.Isolated(
                app=("select",), column="agency_id", doors=("select", "insert"), name="intake_file_isolated"
            ),
        ),
        migrations.AddConstraint(
            model_name="file",
            constraint=consult.core.isolation.SameAgency(
                columns=("submission_id",),
                name="intake_file_submission",
                on_delete="restrict",
                target="intake_submission",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="setaside",
            index=models.Index(fields=["agency", "form_id", "received_at"], name="intake_setaside_by_form"),
        ),
        migrations.AddConstraint(
            model_name="setaside",
            constraint=consult.core.isolation.Isolated(
                app=("select", "update"),
                column="agency_id",
                doors=("select", "insert"),
                name="intake_setaside_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="setaside",
            constraint=consult.core.isolation.SameAgency(
                columns=("form_id",),
                name="intake_setaside_form",
                on_delete="set null",
                target="intake_form",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=consult.core.isolation.Isolated(
                app=("select",), column="agency_id", doors=("select", "insert", "update"), name="intake_tally_isolated"
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(fields=("agency", "form", "day", "source"), name="intake_tally_once"),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=consult.core.isolation.SameAgency(
                columns=("form_id",),
                name="intake_tally_form",
                on_delete="restrict",
                target="intake_form",
                target_columns=("id",),
            ),
        ),
    ]
