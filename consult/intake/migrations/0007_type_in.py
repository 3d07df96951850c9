from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "type_in_v1.sql"


class Migration(migrations.Migration):
    dependencies = [("intake", "0006_alarm")]

    operations = [doors.install(SQL, "intake_type_in_v1")]
