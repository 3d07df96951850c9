from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0007_type_in")]

    operations = [
        migrations.AddField("alarm", "forms", models.JSONField(db_default=[], default=list)),
    ]
