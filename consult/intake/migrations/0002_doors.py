from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "doors_v1.sql"


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        doors.install(
            SQL,
            "intake_form_v1",
            "intake_accept_v1",
            undo=(
                "DROP TRIGGER intake_form_changed ON intake_form; DROP TRIGGER intake_site_changed ON intake_site;"
                " DROP FUNCTION intake_form_changed_v1;"
            ),
        )
    ]
