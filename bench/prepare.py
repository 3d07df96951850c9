"""`python -m bench.prepare`: migrates the database that the environment names and makes the form of the benchmark.

A process of its own, so that Django's settings are made once, for this database.
"""

import os
import sys

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "consult.settings.dev"
    django.setup()
    from django.core.management import call_command

    from consult.accounts import services as accounts
    from consult.core import database
    from consult.intake import rules
    from consult.intake import services as intake

    database.use("migrate")
    call_command("migrate", interactive=False, verbosity=0)
    database.use("office")
    owner = accounts.create_user(email="owner@example.com", name="Owner", password="correct horse battery staple")  # noqa: S106
    agency_id = accounts.create_agency(slug="bench", name="Bench", owner_id=owner)
    site_id = intake.create_site(agency_id=agency_id, name="Bench", url="https://bench.example")
    intake.create_form(
        agency_id=agency_id, site_id=site_id, name="Contact", fields=rules.CONTACT_FIELDS, key=sys.argv[1]
    )


if __name__ == "__main__":
    main()
