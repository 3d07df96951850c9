from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_settings_and_tokens")]

    operations = [
        migrations.RunSQL((SQL / "agency_cascade_v1.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        doors.install(SQL / "doors_v2.sql", "accounts_memberships_v2", "accounts_token_v1"),
    ]
