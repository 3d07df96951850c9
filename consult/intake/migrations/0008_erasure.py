from pathlib import Path

from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "erase_v1.sql"
# As state alone: the constraint would be dropped with the keys that lean on it.
FILES = migrations.SeparateDatabaseAndState(
    [
        migrations.RunSQL(
            "GRANT UPDATE ON intake_file TO consult_doors", "REVOKE UPDATE ON intake_file FROM consult_doors"
        )
    ],
    [
        migrations.RemoveConstraint(model_name="file", name="intake_file_isolated"),
        migrations.AddConstraint(
            model_name="file",
            constraint=consult.core.isolation.Isolated(
                app=("select",), column="agency_id", doors=("select", "insert", "update"), name="intake_file_isolated"
            ),
        ),
    ],
)


class Migration(migrations.Migration):
    dependencies = [("intake", "0007_type_in")]

    operations = [
        migrations.AddField(model_name="form", name="keep_days", field=models.PositiveSmallIntegerField(null=True)),
        migrations.AddField(
            model_name="form", name="keep_held_days", field=models.PositiveSmallIntegerField(null=True)
        ),
        migrations.AddField(model_name="submission", name="erased_at", field=models.DateTimeField(null=True)),
        FILES,
        doors.install(SQL, "intake_erase_submissions_v1"),
    ]
