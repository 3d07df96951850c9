import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_doors"),
        ("intake", "0005_doors_v2"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("checked_at", models.DateTimeField()),
                ("differences", models.JSONField(default=list)),
                ("confirmed", models.PositiveIntegerField(default=0)),
                ("waiting", models.PositiveBigIntegerField(default=0)),
                ("told_at", models.DateTimeField(null=True)),
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
        migrations.AddConstraint(
            model_name="alarm",
            constraint=consult.core.isolation.Isolated(column="agency_id", name="intake_alarm_isolated"),
        ),
        migrations.AddConstraint(
            model_name="alarm",
            constraint=models.UniqueConstraint(fields=("agency",), name="intake_alarm_once"),
        ),
        migrations.AddIndex(
            model_name="setaside",
            index=models.Index(
                condition=models.Q(("resolved_at__isnull", True)),
                fields=["agency", "received_at"],
                name="intake_setaside_unresolved",
            ),
        ),
        # What was stored before anybody counted: without it the conservation count would be wrong from the start.
        migrations.RunSQL(
            """
            ALTER TABLE intake_tally NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE intake_submission NO FORCE ROW LEVEL SECURITY;
            INSERT INTO intake_tally (id, agency_id, created_at, form_id, day, source, accepted)
            SELECT gen_random_uuid(), agency_id, now(), form_id, (received_at AT TIME ZONE 'UTC')::date, 'before',
                   count(*)
              FROM intake_submission GROUP BY agency_id, form_id, (received_at AT TIME ZONE 'UTC')::date;
            ALTER TABLE intake_tally FORCE ROW LEVEL SECURITY;
            ALTER TABLE intake_submission FORCE ROW LEVEL SECURITY;
            """,
            migrations.RunSQL.noop,
        ),
    ]
