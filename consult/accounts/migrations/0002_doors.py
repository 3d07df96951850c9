from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "doors_v1.sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [doors.install(SQL, "accounts_memberships_v1", "accounts_agencies_v1", "accounts_public_keys_v1")]
