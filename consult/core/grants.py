"""Tables without an agency: each stands here with its reason and with what the office's roles may do in it."""

from typing import Any

from django.db import connection

from consult.core.isolation import ALL, Rights

READ: tuple[Rights, ...] = ("select",)

# table: (rights of office and worker, why it has no agency)
GLOBAL_TABLES: dict[str, tuple[tuple[Rights, ...], str]] = {
    "accounts_user": (ALL, "A person may belong to several agencies."),
    "accounts_user_groups": (ALL, "Django's; unused, since roles are per agency."),
    "accounts_user_user_permissions": (ALL, "Django's; unused, since roles are per agency."),
    "accounts_signinlink": (
        ("select", "insert", "update"),
        "Used before a person, and so an agency, is known.",
    ),
    "accounts_signingkey": (
        ALL,
        "The installation's own keys; private parts are encrypted.",
    ),
    "account_emailaddress": (ALL, "allauth's: a person's addresses."),
    "account_emailconfirmation": (ALL, "allauth's: a person's addresses."),
    "mfa_authenticator": (ALL, "allauth's: a person's second factors and passkeys."),
    "socialaccount_socialaccount": (ALL, "allauth's: who a person is on GitHub."),
    "socialaccount_socialapp": ((), "allauth's; unused: the GitHub app comes from the environment."),
    "socialaccount_socialtoken": (
        ("select", "delete"),
        "allauth's; always empty: tokens are kept sealed by core/kv.py. Django looks here when an account is deleted.",
    ),
    "usersessions_usersession": (ALL, "allauth's: a person's sign-ins, by browser."),
    "auth_group": (READ, "Django's; unused, since roles are per agency."),
    "auth_group_permissions": (READ, "Django's; unused, since roles are per agency."),
    "auth_permission": (READ, "Django's list of model permissions."),
    "core_cache": (ALL, "Short-lived values; keys name their agency where they have one."),
    "core_kv": (ALL, "Short-lived secrets, each sealed for its key: of a person, not of an agency."),
    "django_admin_log": (READ, "Django's; the admin changes nothing itself, services write the audit."),
    "django_content_type": (READ, "Django's list of models."),
    "django_migrations": (READ, "Read by /ready/."),
    "django_session": (ALL, "A person's sign-ins, before an agency is chosen."),
    "intake_edge": (READ, "The edges themselves: how many rows wait in their spools. Nothing of an agency."),
    "procrastinate_events": (("select", "insert", "delete"), "The queue's history: ids and times."),
    "procrastinate_jobs": (
        ALL,
        "The queue: ids, and addresses that mail goes to; a job enters its agency before it reads anything.",
    ),
    "procrastinate_periodic_defers": (ALL, "The queue's clock."),
    "procrastinate_workers": (ALL, "The queue's workers."),
}
# The doors enqueue jobs in the transaction of what caused them.
DOORS: dict[str, tuple[Rights, ...]] = {
    "procrastinate_jobs": ("select", "insert"),
    "procrastinate_events": ("insert",),
    "accounts_signingkey": ("select",),
    "intake_edge": ("select", "insert", "update"),
}
# Default privileges give nobody a function: the queue's own are named one by one.
QUEUE = """
DO $$ DECLARE f regprocedure; BEGIN
    FOR f IN SELECT oid FROM pg_proc
              WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'procrastinate\\_%' LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO consult_app, consult_worker', f);
    END LOOP;
END $$;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq TO consult_doors;
GRANT EXECUTE ON FUNCTION procrastinate_defer_jobs_v1 TO consult_doors;
"""


def after_migrate(**_: Any) -> None:
    """Give the roles exactly what this list says; tables of libraries come without grants of their own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        present = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO consult_app, consult_worker;"
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO consult_backup"
        )
        for table, (rights, _reason) in GLOBAL_TABLES.items():
            if table in present:
                cursor.execute("\n".join(_statements(table, rights)))
        if "procrastinate_jobs" in present:
            cursor.execute(QUEUE)


def _statements(table: str, rights: tuple[Rights, ...]) -> list[str]:
    lines = [
        f"REVOKE ALL ON {table} FROM consult_app, consult_worker, consult_doors;",
        f"GRANT SELECT ON {table} TO consult_backup;",
    ]
    if rights:
        lines.append(f"GRANT {', '.join(rights)} ON {table} TO consult_app, consult_worker;")
    if table in DOORS:
        lines.append(f"GRANT {', '.join(DOORS[table])} ON {table} TO consult_doors;")
    return lines
