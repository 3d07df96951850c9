from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0008_erasure")]

    operations = [
        migrations.AddField("alarm", "forms", models.JSONField(db_default=[], default=list)),
    ]
