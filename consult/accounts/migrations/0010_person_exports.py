from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_notifications")]

    operations = [
        migrations.AddField(
            model_name="export",
            name="kind",
            field=models.CharField(
                choices=[("agency", "agency"), ("person", "person")], default="agency", max_length=10
            ),
        ),
        migrations.AddField(model_name="export", name="about", field=models.TextField(blank=True, default="")),
        migrations.AlterField(model_name="export", name="asked_by_id", field=models.UUIDField(null=True)),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=("agency", "person")), name="accounts_export_kind"
            ),
        ),
    ]
