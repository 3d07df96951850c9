"""The short-lived values of core/kv.py: sealed, and none for longer than a week."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0002_failed_jobs")]

    operations = [
        migrations.RunSQL(
            "CREATE TABLE core_kv (key text PRIMARY KEY, value text NOT NULL, expires_at timestamptz NOT NULL,"
            " written_at timestamptz NOT NULL DEFAULT now(),"
            " CONSTRAINT core_kv_at_most_a_week CHECK (expires_at <= written_at + interval '7 days'));"
            "CREATE INDEX core_kv_expires ON core_kv (expires_at)",
            "DROP TABLE core_kv",
        )
    ]
