from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("intake", "0003_durable_intake")]

    operations = [
        # AddField gave all forms the same one.
        migrations.RunSQL(
            """
            ALTER TABLE intake_form NO FORCE ROW LEVEL SECURITY;
            UPDATE intake_form
               SET secret = substr(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 1, 43);
            ALTER TABLE intake_form FORCE ROW LEVEL SECURITY;
            """,
            migrations.RunSQL.noop,
        )
    ]
