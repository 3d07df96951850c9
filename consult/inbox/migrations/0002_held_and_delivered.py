import django.db.models.deletion
import django.db.models.functions
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_doors"),
        ("inbox", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stored", "stored"),
                            ("scored", "scored"),
                            ("held", "held"),
                            ("notified", "notified"),
                            ("replied", "replied"),
                            ("failed", "failed"),
                            ("retried", "retried"),
                            ("opened", "opened"),
                            ("restored", "restored"),
                            ("confirmed_spam", "confirmed_spam"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.CharField(blank=True, default="", max_length=320)),
                ("detail", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.RemoveConstraint(
            model_name="enquiry",
            name="inbox_enquiry_status",
        ),
        # Those that are there were delivered when they came: the default fills them without a look at any agency's row.
        migrations.AddField(
            model_name="enquiry",
            name="delivered_at",
            field=models.DateTimeField(null=True, db_default=django.db.models.functions.Now()),
        ),
        migrations.AlterField(
            model_name="enquiry",
            name="delivered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="reasons",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="reply_key",
            field=models.CharField(blank=True, db_default="", default="", max_length=320),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="score",
            field=models.PositiveIntegerField(db_default=0),
        ),
        migrations.AlterField(
            model_name="enquiry",
            name="status",
            field=models.CharField(
                choices=[("open", "open"), ("closed", "closed"), ("held", "held"), ("spam", "spam")],
                default="open",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("reply_key", ""), _negated=True),
                fields=["agency", "reply_key", "delivered_at"],
                name="inbox_enquiry_replies",
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ("open", "closed", "held", "spam"))), name="inbox_enquiry_status"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="agency",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.agency",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="enquiry",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="inbox.enquiry",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["agency", "enquiry", "at"], name="inbox_delivery_by_enquiry"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert"), column="agency_id", doors=(), name="inbox_delivery_isolated"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=consult.core.isolation.SameAgency(
                columns=("enquiry_id",),
                name="inbox_delivery_enquiry",
                on_delete="restrict",
                target="inbox_enquiry",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        (
                            "stored",
                            "scored",
                            "held",
                            "notified",
                            "replied",
                            "failed",
                            "retried",
                            "opened",
                            "restored",
                            "confirmed_spam",
                        ),
                    )
                ),
                name="inbox_delivery_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ("stored", "scored", "notified", "replied", "opened"))),
                fields=("agency", "enquiry", "kind", "address"),
                name="inbox_delivery_once",
            ),
        ),
    ]
