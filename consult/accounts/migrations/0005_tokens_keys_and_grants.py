from pathlib import Path

import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import consult.core.isolation
from consult.core import doors

SQL = Path(__file__).resolve().parents[1] / "sql"
DROP_V1 = "SET LOCAL ROLE consult_doors; DROP FUNCTION accounts_public_keys_v1(); RESET ROLE;"
# It knew no state, and would give out revoked keys.
V1 = (SQL / "public_keys_v1.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_doors_v2"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuthorizationCode",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("code_hash", models.CharField(max_length=64, unique=True)),
                ("client_id", models.CharField(max_length=100)),
                ("redirect_uri", models.CharField(max_length=300)),
                ("challenge", models.CharField(max_length=43)),
                ("scopes", models.JSONField(default=list)),
                ("expires_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("client_id", models.CharField(max_length=100)),
                ("scopes", models.JSONField(default=list)),
                ("last_used_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("user_agent", models.CharField(blank=True, default="", max_length=300)),
                ("address", models.CharField(blank=True, default="", max_length=45)),
            ],
        ),
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        # What the keys so far have signed lives for ten minutes, and pages ask for a new token by themselves.
        migrations.DeleteModel(name="SigningKey"),
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("kid", models.CharField(max_length=64, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("next", "next"),
                            ("current", "current"),
                            ("previous", "previous"),
                            ("revoked", "revoked"),
                        ],
                        max_length=10,
                    ),
                ),
                ("public_key", models.TextField()),
                ("private_key_sealed", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField()),
                ("not_before", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("retired_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("next", "current", "previous", "revoked"))),
                name="accounts_signingkey_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("next", "current"))),
                fields=("state",),
                name="accounts_signingkey_one_of_each",
            ),
        ),
        migrations.AddConstraint(
            model_name="signingkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ("next", "current")), ("private_key_sealed", ""), _connector="OR"),
                name="accounts_signingkey_wiped",
            ),
        ),
        migrations.AddField(
            model_name="authorizationcode",
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
            model_name="authorizationcode",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.member",
            ),
        ),
        migrations.AddField(
            model_name="grant",
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
            model_name="grant",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.member",
            ),
        ),
        migrations.AddField(
            model_name="authorizationcode",
            name="grant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.grant",
            ),
        ),
        migrations.AddField(
            model_name="refreshtoken",
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
            model_name="refreshtoken",
            name="grant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="accounts.grant",
            ),
        ),
        migrations.AddIndex(
            model_name="grant",
            index=models.Index(fields=["agency", "member"], name="accounts_grant_by_member"),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="accounts_grant_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=consult.core.isolation.SameAgency(
                columns=("member_id",),
                name="accounts_grant_member",
                on_delete="restrict",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="authorizationcode",
            index=models.Index(fields=["agency", "member"], name="accounts_code_by_member"),
        ),
        migrations.AddIndex(
            model_name="authorizationcode",
            index=models.Index(fields=["agency", "grant"], name="accounts_code_by_grant"),
        ),
        migrations.AddConstraint(
            model_name="authorizationcode",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="accounts_authorizationcode_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="authorizationcode",
            constraint=consult.core.isolation.SameAgency(
                columns=("member_id",),
                name="accounts_authorizationcode_member",
                on_delete="restrict",
                target="accounts_member",
                target_columns=("id",),
            ),
        ),
        migrations.AddConstraint(
            model_name="authorizationcode",
            constraint=consult.core.isolation.SameAgency(
                columns=("grant_id",),
                name="accounts_authorizationcode_grant",
                on_delete="restrict",
                target="accounts_grant",
                target_columns=("id",),
            ),
        ),
        migrations.AddIndex(
            model_name="refreshtoken",
            index=models.Index(fields=["agency", "grant"], name="accounts_refresh_by_grant"),
        ),
        migrations.AddIndex(
            model_name="refreshtoken",
            index=models.Index(fields=["agency", "expires_at"], name="accounts_refresh_expiry"),
        ),
        migrations.AddConstraint(
            model_name="refreshtoken",
            constraint=consult.core.isolation.Isolated(
                app=("select", "insert", "update", "delete"),
                column="agency_id",
                doors=("select",),
                name="accounts_refreshtoken_isolated",
            ),
        ),
        migrations.AddConstraint(
            model_name="refreshtoken",
            constraint=consult.core.isolation.SameAgency(
                columns=("grant_id",),
                name="accounts_refreshtoken_grant",
                on_delete="restrict",
                target="accounts_grant",
                target_columns=("id",),
            ),
        ),
        doors.install(SQL / "doors_v3.sql", "accounts_grant_v1", "accounts_grant_secret_v1", "accounts_public_keys_v2"),
        migrations.RunSQL(DROP_V1, V1),
    ]
