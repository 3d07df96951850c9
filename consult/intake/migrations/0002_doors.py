from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parents[1] / "sql" / "form_changed_v1.sql"


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial"), ("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        migrations.RunSQL(
            SQL.read_text(encoding="utf-8"),
            "DROP TRIGGER intake_form_changed ON intake_form; DROP TRIGGER intake_site_changed ON intake_site;"
            " DROP FUNCTION intake_form_changed_v1;",
        )
    ]
