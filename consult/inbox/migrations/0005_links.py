from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_doors_v2"),
        ("crm", "0002_contacts_and_deals"),
        ("inbox", "0004_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="enquiry",
            name="company_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="contact_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="deal_id",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "contact_id"], name="inbox_enquiry_by_contact"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "company_id"], name="inbox_enquiry_by_company"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(fields=["agency", "deal_id"], name="inbox_enquiry_by_deal"),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("contact_id",),
                name="inbox_enquiry_contact",
                on_delete="set null",
                target="crm_contact",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("company_id",),
                name="inbox_enquiry_company",
                on_delete="set null",
                target="crm_company",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=consult.core.isolation.SameAgency(
                columns=("deal_id",),
                name="inbox_enquiry_deal",
                on_delete="set null",
                target="crm_deal",
                target_columns=("id",),
            ),
        ),
    ]
