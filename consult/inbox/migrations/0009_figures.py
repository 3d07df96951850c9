from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inbox", "0008_erasure")]

    operations = [
        # All that the reports ask of an enquiry: they read the index alone.
        migrations.AddIndex(
            "enquiry",
            models.Index(
                fields=["agency", "received_at"],
                name="inbox_enquiry_figures",
                include=["form_id", "status", "first_answer_at"],
            ),
        ),
    ]
