from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_contacts_and_deals")]

    operations = [
        migrations.AddIndex(
            "deal",
            models.Index(
                fields=["agency", "created_at"], name="crm_deal_figures", include=["id", "stage_id", "status"]
            ),
        ),
    ]
