from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_contacts_and_deals")]

    operations = [migrations.AddField(model_name="contact", name="erased_at", field=models.DateTimeField(null=True))]
