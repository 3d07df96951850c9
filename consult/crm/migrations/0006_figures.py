from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0005_retired_stages")]

    operations = [
        migrations.AddIndex(
            "deal",
            models.Index(
                fields=["agency", "created_at"], name="crm_deal_figures", include=["id", "stage_id", "status"]
            ),
        ),
    ]
