from pathlib import Path

from django.db import migrations

from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql" / "doors_v2.sql"


class Migration(migrations.Migration):
    dependencies = [("intake", "0004_form_secrets"), ("procrastinate", "0041_post_retry_failed_job")]

    operations = [
        doors.install(
            SQL,
            "intake_form_v2",
            "intake_accept_v2",
            "intake_sent_v2",
            "intake_set_aside_v1",
            "intake_report_v1",
            "intake_ledger_v1",
            "intake_forget_addresses_v1",
        )
    ]
