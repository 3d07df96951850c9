import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_doors_v2"),
        ("inbox", "0002_held_and_delivered"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=60)),
                ("query", models.CharField(max_length=600)),
                ("member_id", models.UUIDField()),
                ("shared", models.BooleanField()),
            ],
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("word", models.CharField(db_collation="C", max_length=60)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="enquiry",
            name="inbox_enquiry_status",
        ),
        migrations.RemoveIndex(
            model_name="enquiry",
            name="inbox_enquiry_by_assignee",
        ),
        migrations.RemoveIndex(
            model_name="enquiry",
            name="inbox_enquiry_by_form",
        ),
        migrations.AddField(
            model_name="enquiry",
            name="close_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="first_answer_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="sender_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower("sender_email"),
                output_field=models.CharField(max_length=320),
            ),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="snoozed_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="waiting_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="words",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="enquiry",
            name="status",
            field=models.CharField(
                choices=[
                    ("open", "open"),
                    ("waiting", "waiting"),
                    ("snoozed", "snoozed"),
                    ("closed", "closed"),
                    ("held", "held"),
                    ("spam", "spam"),
                ],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "-received_at", "-number"], name="inbox_enquiry_by_time"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                fields=["agency", "assignee_id", "status", "-received_at", "-number"], name="inbox_enquiry_by_person"
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "form_id", "status", "-received_at"], name="inbox_enquiry_of_form"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "sender_key", "-received_at"], name="inbox_enquiry_by_sender"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("status", "snoozed")), fields=["agency", "snoozed_until"], name="inbox_enquiry_due"
            ),
        ),
        # Dropping and adding it again would drop the key that notes refer to: only the doors' right is new.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE POLICY inbox_enquiry_doors ON inbox_enquiry TO consult_doors USING (true) WITH CHECK (true);"
                    "GRANT SELECT ON inbox_enquiry TO consult_doors",
                    "DROP POLICY inbox_enquiry_doors ON inbox_enquiry; REVOKE ALL ON inbox_enquiry FROM consult_doors",
                )
            ],
            state_operations=[
                migrations.RemoveConstraint(model_name="enquiry", name="inbox_enquiry_isolated"),
                migrations.AddConstraint(
                    model_name="enquiry",
                    constraint=consult.core.isolation.Isolated(name="inbox_enquiry_isolated", doors=("select",)),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("open", "waiting", "snoozed", "closed", "held", "spam"))),
                name="inbox_enquiry_status",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "close_reason__in",
                        ("", "answered", "no_answer_needed", "no_answer_came", "duplicate", "not_for_us"),
                    )
                ),
                name="inbox_enquiry_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("snoozed_until__isnull", False), ("status", "snoozed")),
                    models.Q(models.Q(("status", "snoozed"), _negated=True), ("snoozed_until__isnull", True)),
                    _connector="OR",
                ),
                name="inbox_enquiry_snoozed",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "waiting"), ("waiting_since__isnull", False)),
                    models.Q(models.Q(("status", "waiting"), _negated=True), ("waiting_since__isnull", True)),
                    _connector="OR",
                ),
                name="inbox_enquiry_waiting",
            ),
        ),
        migrations.AddField(
            model_name="savedview",
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
            model_name="word",
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
            model_name="savedview",
            index=models.Index(condition=models.Q(("shared", True)), fields=["agency"], name="inbox_savedview_shared"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=(),
                name="inbox_savedview_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=consult.core.isolation.SameAgency(
                columns=("member_id",),
                name="inbox_savedview_member",
                on_delete="restrict",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(fields=("agency", "member_id", "name"), name="inbox_savedview_name"),
        ),
        migrations.AddConstraint(
            model_name="word",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert"), column="agency_id", doors=("select",), name="inbox_word_isolated"
            ),
        ),
        migrations.AddConstraint(
            model_name="word",
            constraint=models.UniqueConstraint(fields=("agency", "word"), name="inbox_word_once"),
        ),
        # The version before knows neither of these.
        migrations.RunSQL(
            "",
            "ALTER TABLE inbox_enquiry NO FORCE ROW LEVEL SECURITY;"
            "UPDATE inbox_enquiry SET status = 'open', waiting_since = NULL, snoozed_until = NULL"
            " WHERE status IN ('waiting', 'snoozed');"
            "ALTER TABLE inbox_enquiry FORCE ROW LEVEL SECURITY",
        ),
    ]
