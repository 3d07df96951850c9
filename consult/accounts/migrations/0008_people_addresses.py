"""Whoever is here already was made by a command: their address counts as verified from now on."""

from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "slug_taken_v1.sql"

VERIFY = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT id, email, true, true FROM accounts_user u
 WHERE NOT EXISTS (SELECT FROM account_emailaddress e WHERE e.user_id = u.id);
UPDATE account_emailaddress e SET verified = true, "primary" = true
  FROM accounts_user u WHERE u.id = e.user_id AND lower(u.email) = lower(e.email);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_api_idempotency_keys"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        migrations.RunSQL(VERIFY, migrations.RunSQL.noop),
        doors.install(SQL, "accounts_slug_taken_v1"),
    ]
