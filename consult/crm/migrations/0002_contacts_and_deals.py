import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_settings_and_tokens"),
        ("crm", "0001_initial"),
        # Where people, companies and deals came from: the only table above this feature's that a row of it names.
        ("intake", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Company",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=200)),
                ("normal_name", models.CharField(max_length=400)),
                ("name_key", models.CharField(max_length=400)),
                ("website", models.CharField(blank=True, default="", max_length=500)),
                ("domain", models.CharField(blank=True, default="", max_length=255)),
                ("phone", models.CharField(blank=True, default="", max_length=50)),
                ("address", models.TextField(blank=True, default="")),
                ("client_id", models.UUIDField(null=True)),
                ("origin_submission_id", models.UUIDField(null=True)),
                ("custom", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "companies",
                "indexes": [
                    models.Index(fields=["agency", "normal_name", "id"], name="crm_company_by_name"),
                    models.Index(fields=["agency", "name_key"], name="crm_company_by_key"),
                    models.Index(
                        condition=models.Q(("domain", ""), _negated=True),
                        fields=["agency", "domain"],
                        name="crm_company_by_domain",
                    ),
                    models.Index(fields=["agency", "client_id"], name="crm_company_by_client"),
                    models.Index(fields=["agency", "origin_submission_id"], name="crm_company_by_origin"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_company_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("client_id",),
                        name="crm_company_client",
                        on_delete="set null",
                        target="crm_client",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("origin_submission_id",),
                        name="crm_company_origin",
                        on_delete="set null",
                        target="intake_submission",
                        target_columns=("id",),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=200)),
                ("normal_name", models.CharField(max_length=400)),
                ("search", models.TextField(default="")),
                ("job_title", models.CharField(blank=True, default="", max_length=200)),
                ("company_id", models.UUIDField(null=True)),
                ("client_id", models.UUIDField(null=True)),
                ("merged_into_id", models.UUIDField(null=True)),
                ("origin_submission_id", models.UUIDField(null=True)),
                ("custom", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("merged_into_id", None)),
                        fields=["agency", "normal_name", "id"],
                        name="crm_contact_by_name",
                    ),
                    models.Index(fields=["agency", "company_id"], name="crm_contact_by_company"),
                    models.Index(fields=["agency", "client_id"], name="crm_contact_by_client"),
                    models.Index(
                        condition=models.Q(("merged_into_id", None), _negated=True),
                        fields=["agency", "merged_into_id"],
                        name="crm_contact_aliases",
                    ),
                    models.Index(fields=["agency", "origin_submission_id"], name="crm_contact_by_origin"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_contact_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("company_id",),
                        name="crm_contact_company",
                        on_delete="set null",
                        target="crm_company",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("client_id",),
                        name="crm_contact_client",
                        on_delete="set null",
                        target="crm_client",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("merged_into_id",),
                        name="crm_contact_merged",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("origin_submission_id",),
                        name="crm_contact_origin",
                        on_delete="set null",
                        target="intake_submission",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("merged_into_id", None),
                            models.Q(("merged_into_id", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="crm_contact_not_itself",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Email",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("contact_id", models.UUIDField()),
                ("address", models.CharField(max_length=320)),
                ("normal", models.CharField(max_length=320)),
                ("is_primary", models.BooleanField(default=False)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["agency", "normal", "contact_id"], name="crm_email_by_address")],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_email_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_email_contact",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    models.UniqueConstraint(fields=("agency", "contact_id", "address"), name="crm_email_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("agency", "contact_id"),
                        name="crm_email_primary",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Phone",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("contact_id", models.UUIDField()),
                ("number", models.CharField(max_length=50)),
                ("normal", models.CharField(max_length=50)),
                ("is_primary", models.BooleanField(default=False)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["agency", "normal", "contact_id"], name="crm_phone_by_number")],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_phone_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_phone_contact",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    models.UniqueConstraint(fields=("agency", "contact_id", "number"), name="crm_phone_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("agency", "contact_id"),
                        name="crm_phone_primary",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Stage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=50)),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_stage_isolated",
                    ),
                    models.UniqueConstraint(fields=("agency", "position"), name="crm_stage_position"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Deal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("title", models.CharField(max_length=200)),
                ("stage_id", models.UUIDField()),
                ("stage_entered_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "open"), ("won", "won"), ("lost", "lost")], default="open", max_length=10
                    ),
                ),
                ("value_minor", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, default="", max_length=3)),
                ("contact_id", models.UUIDField(null=True)),
                ("company_id", models.UUIDField(null=True)),
                ("owner_id", models.UUIDField(null=True)),
                ("expected_on", models.DateField(null=True)),
                ("lost_reason", models.CharField(blank=True, default="", max_length=500)),
                ("closed_at", models.DateTimeField(null=True)),
                ("origin_submission_id", models.UUIDField(null=True)),
                ("custom", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "status", "stage_id", "-stage_entered_at"], name="crm_deal_board"),
                    models.Index(fields=["agency", "status", "-created_at", "-id"], name="crm_deal_list"),
                    models.Index(fields=["agency", "stage_id"], name="crm_deal_by_stage"),
                    models.Index(fields=["agency", "contact_id"], name="crm_deal_by_contact"),
                    models.Index(fields=["agency", "company_id"], name="crm_deal_by_company"),
                    models.Index(fields=["agency", "owner_id"], name="crm_deal_by_owner"),
                    models.Index(fields=["agency", "origin_submission_id"], name="crm_deal_by_origin"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_deal_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("stage_id",),
                        name="crm_deal_stage",
                        on_delete="restrict",
                        target="crm_stage",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_deal_contact",
                        on_delete="set null",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("company_id",),
                        name="crm_deal_company",
                        on_delete="set null",
                        target="crm_company",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("owner_id",),
                        name="crm_deal_owner",
                        on_delete="set null",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("origin_submission_id",),
                        name="crm_deal_origin",
                        on_delete="set null",
                        target="intake_submission",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ("open", "won", "lost"))), name="crm_deal_status"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("currency", ""), ("value_minor", None)),
                            models.Q(("currency__regex", "^[A-Z]{3}$"), ("value_minor__gte", 0)),
                            _connector="OR",
                        ),
                        name="crm_deal_value",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "lost"), _negated=True),
                            models.Q(("lost_reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="crm_deal_lost_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("status", "open")),
                            models.Q(models.Q(("status", "open"), _negated=True), ("closed_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="crm_deal_closed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=50)),
                ("normal_name", models.CharField(max_length=100)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_label_isolated",
                    ),
                    models.UniqueConstraint(fields=("agency", "normal_name"), name="crm_label_name"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Labelling",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("label_id", models.UUIDField()),
                ("contact_id", models.UUIDField(null=True)),
                ("company_id", models.UUIDField(null=True)),
                ("deal_id", models.UUIDField(null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["agency", "label_id"], name="crm_labelling_by_label")],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_labelling_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("label_id",),
                        name="crm_labelling_label",
                        on_delete="restrict",
                        target="crm_label",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_labelling_contact",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("company_id",),
                        name="crm_labelling_company",
                        on_delete="restrict",
                        target="crm_company",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("deal_id",),
                        name="crm_labelling_deal",
                        on_delete="restrict",
                        target="crm_deal",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("company_id", None), ("contact_id__isnull", False), ("deal_id", None)),
                            models.Q(("company_id__isnull", False), ("contact_id", None), ("deal_id", None)),
                            models.Q(("company_id", None), ("contact_id", None), ("deal_id__isnull", False)),
                            _connector="OR",
                        ),
                        name="crm_labelling_bearer",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("contact_id__isnull", False)),
                        fields=("agency", "contact_id", "label_id"),
                        name="crm_labelling_contact_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("company_id__isnull", False)),
                        fields=("agency", "company_id", "label_id"),
                        name="crm_labelling_company_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deal_id__isnull", False)),
                        fields=("agency", "deal_id", "label_id"),
                        name="crm_labelling_deal_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Field",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "place",
                    models.CharField(
                        choices=[("contact", "contact"), ("company", "company"), ("deal", "deal")], max_length=10
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                (
                    "kind",
                    models.CharField(
                        choices=[("text", "text"), ("number", "number"), ("date", "date"), ("choice", "choice")],
                        max_length=10,
                    ),
                ),
                ("options", models.JSONField(default=list)),
                ("position", models.PositiveSmallIntegerField()),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_field_isolated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("place__in", ("contact", "company", "deal"))), name="crm_field_place"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ("text", "number", "date", "choice"))), name="crm_field_kind"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("retired_at", None)),
                        fields=("agency", "place", "name"),
                        name="crm_field_name",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("kept_id", models.UUIDField()),
                ("alias_id", models.UUIDField()),
                ("by_id", models.UUIDField(null=True)),
                ("changes", models.JSONField(default=dict)),
                ("merged_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "kept_id", "-merged_at"], name="crm_merge_by_kept"),
                    models.Index(fields=["agency", "by_id"], name="crm_merge_by_member"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_merge_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("kept_id",),
                        name="crm_merge_kept",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("alias_id",),
                        name="crm_merge_alias",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("by_id",),
                        name="crm_merge_by",
                        on_delete="set null",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)), fields=("agency", "alias_id"), name="crm_merge_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Distinct",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("one_id", models.UUIDField()),
                ("other_id", models.UUIDField()),
                ("by_id", models.UUIDField(null=True)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "other_id"], name="crm_distinct_by_other"),
                    models.Index(fields=["agency", "by_id"], name="crm_distinct_by_member"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_distinct_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("one_id",),
                        name="crm_distinct_one",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("other_id",),
                        name="crm_distinct_other",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("by_id",),
                        name="crm_distinct_by",
                        on_delete="set null",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    models.UniqueConstraint(fields=("agency", "one_id", "other_id"), name="crm_distinct_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("kind", models.CharField(max_length=50)),
                ("at", models.DateTimeField()),
                ("by_id", models.UUIDField(null=True)),
                ("contact_id", models.UUIDField(null=True)),
                ("company_id", models.UUIDField(null=True)),
                ("deal_id", models.UUIDField(null=True)),
                ("subject_id", models.UUIDField(null=True)),
                ("data", models.JSONField(default=dict)),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "contact_id", "-at", "-id"], name="crm_event_by_contact"),
                    models.Index(fields=["agency", "company_id", "-at", "-id"], name="crm_event_by_company"),
                    models.Index(fields=["agency", "deal_id", "-at", "-id"], name="crm_event_by_deal"),
                    models.Index(fields=["agency", "by_id"], name="crm_event_by_member"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert"), column="agency_id", doors=(), name="crm_event_isolated"
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("by_id",),
                        name="crm_event_by",
                        on_delete="set null",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_event_contact",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("company_id",),
                        name="crm_event_company",
                        on_delete="restrict",
                        target="crm_company",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("deal_id",),
                        name="crm_event_deal",
                        on_delete="restrict",
                        target="crm_deal",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("contact_id__isnull", False),
                            ("company_id__isnull", False),
                            ("deal_id__isnull", False),
                            _connector="OR",
                        ),
                        name="crm_event_of_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("contact_id", models.UUIDField(null=True)),
                ("company_id", models.UUIDField(null=True)),
                ("deal_id", models.UUIDField(null=True)),
                ("author_id", models.UUIDField(null=True)),
                ("body", models.TextField()),
                (
                    "agency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.agency",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["agency", "contact_id"], name="crm_note_by_contact"),
                    models.Index(fields=["agency", "company_id"], name="crm_note_by_company"),
                    models.Index(fields=["agency", "deal_id"], name="crm_note_by_deal"),
                    models.Index(fields=["agency", "author_id"], name="crm_note_by_author"),
                ],
                "constraints": [
                    consult.core.isolation.Isolated(
                        app=("select", "insert", "update", "delete"),
                        column="agency_id",
                        doors=(),
                        name="crm_note_isolated",
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("contact_id",),
                        name="crm_note_contact",
                        on_delete="restrict",
                        target="crm_contact",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("company_id",),
                        name="crm_note_company",
                        on_delete="restrict",
                        target="crm_company",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("deal_id",),
                        name="crm_note_deal",
                        on_delete="restrict",
                        target="crm_deal",
                        target_columns=("id",),
                    ),
                    consult.core.isolation.SameAgency(
                        columns=("author_id",),
                        name="crm_note_author",
                        on_delete="set null",
                        target="accounts_member",
                        target_columns=("id",),
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("company_id", None), ("contact_id__isnull", False), ("deal_id", None)),
                            models.Q(("company_id__isnull", False), ("contact_id", None), ("deal_id", None)),
                            models.Q(("company_id", None), ("contact_id", None), ("deal_id__isnull", False)),
                            _connector="OR",
                        ),
                        name="crm_note_bearer",
                    ),
                ],
            },
        ),
    ]
