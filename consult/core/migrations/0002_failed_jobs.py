"""The list of an agency's failed jobs, and its count on every page of a manager, read no other job."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_cache_table"),
        ("procrastinate", "0041_post_retry_failed_job"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX core_failed_jobs ON procrastinate_jobs ((args ->> 'agency_id')) WHERE status = 'failed'",
            "DROP INDEX core_failed_jobs",
        )
    ]
