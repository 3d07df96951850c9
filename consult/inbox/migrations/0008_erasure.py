from pathlib import Path

from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "erase_v1.sql"
# As state alone: the constraints would be dropped with the keys that lean on them.
RIGHTS = migrations.SeparateDatabaseAndState(
    [
        migrations.RunSQL(
            "GRANT DELETE ON inbox_word TO consult_doors", "REVOKE DELETE ON inbox_word FROM consult_doors"
        ),
        migrations.RunSQL(
            "CREATE POLICY inbox_delivery_doors ON inbox_delivery TO consult_doors USING (true) WITH CHECK (true);"
            "GRANT SELECT, UPDATE ON inbox_delivery TO consult_doors",
            "REVOKE SELECT, UPDATE ON inbox_delivery FROM consult_doors;"
            "DROP POLICY inbox_delivery_doors ON inbox_delivery",
        ),
    ],
    [
        migrations.RemoveConstraint(model_name="word", name="inbox_word_isolated"),
        migrations.AddConstraint(
            model_name="word",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert"), column="agency_id", doors=("select", "delete"), name="inbox_word_isolated"
            ),
        ),
        migrations.RemoveConstraint(model_name="delivery", name="inbox_delivery_isolated"),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert"), column="agency_id", doors=("select", "update"), name="inbox_delivery_isolated"
            ),
        ),
    ],
)


class Migration(migrations.Migration):
    dependencies = [("inbox", "0007_mailboxes")]

    operations = [
        migrations.AddField(model_name="enquiry", name="erased_at", field=models.DateTimeField(null=True)),
        RIGHTS,
        doors.install(SQL, "inbox_erase_deliveries_v1", "inbox_forget_words_v1"),
    ]
