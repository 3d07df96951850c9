"""`manage.py seed_demo`: the demo agency with the coffee shop's form, once."""

import secrets
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand

from consult.accounts import queries as accounts_queries
from consult.accounts import services as accounts
from consult.core import tenancy
from consult.intake import queries as intake_queries
from consult.intake import services as intake

AGENCY = "demo"
OWNER = "owner@demo.example"
PEOPLE = (("bob@demo.example", "Bob Member", "member"), ("vera@demo.example", "Vera Viewer", "viewer"))
FORM_KEY = "frm_TheDailyGrindDemoForm1"
FIELDS = (
    {"name": "name", "label": "Name", "type": "text", "required": True},
    {"name": "email", "label": "E-mail", "type": "email", "required": True},
    {"name": "phone", "label": "Phone", "type": "tel", "required": False},
    {"name": "message", "label": "Message", "type": "textarea", "required": True},
)


class Command(BaseCommand):
    help = "Create the demo agency, its people and the coffee shop's form, unless they are there."

    def handle(self, *args: Any, **options: Any) -> None:
        known = {slug: id for id, slug, _name in accounts_queries.agencies()}
        agency_id = known.get(AGENCY) or self._people()
        with tenancy.agency(agency_id):
            # One transaction: a seed that was cut off begins again with the agency alone.
            if not intake_queries.sites(agency_id):
                self._coffee_shop(agency_id)
            self._follow_the_site(agency_id)

    def _people(self) -> int:
        owner = accounts_queries.user_by_email(OWNER)
        owner_id = owner.pk if owner else self._person(OWNER, "Olivia Owner", superuser=True)
        agency_id = accounts.create_agency(slug=AGENCY, name="Bright Pixel", owner_id=owner_id)
        for email, name, role in PEOPLE:
            user = accounts_queries.user_by_email(email)
            user_id = user.pk if user else self._person(email, name)
            accounts.add_member(agency_id=agency_id, user_id=user_id, role=role)
        return agency_id

    def _person(self, email: str, name: str, *, superuser: bool = False) -> int:
        # Nobody knows this password: the demo's people come by one-time link.
        return accounts.create_user(email=email, name=name, password=secrets.token_urlsafe(32), superuser=superuser)

    def _follow_the_site(self, agency_id: int) -> None:
        """The demo site may be served on another port than last time: its form has to know the new address."""
        page = next(filter(None, (intake_queries.form_page(agency_id, id) for id in self._forms(agency_id))), None)
        if page is None or settings.CONSULT_SITE_URL in ("", *page["allowed_origins"]):
            return
        origins, targets = _addresses(settings.CONSULT_SITE_URL)
        kept = ("name", "fields", "notify_addresses")
        intake.update_form(
            agency_id=agency_id,
            form_id=page["id"],
            allowed_origins=origins,
            redirect_targets=targets,
            **{name: page[name] for name in kept},
        )

    def _forms(self, agency_id: int) -> list[UUID]:
        sites = intake_queries.sites(agency_id)
        return [form["id"] for site in sites for form in site["forms"] if form["key"] == FORM_KEY]

    def _coffee_shop(self, agency_id: int) -> None:
        url = settings.CONSULT_SITE_URL or "http://127.0.0.1:4321"
        origins, targets = _addresses(url)
        site_id = intake.create_site(
            agency_id=agency_id, name="The Daily Grind", url=url, client_name="The Daily Grind Coffee Ltd"
        )
        intake.create_form(
            agency_id=agency_id,
            site_id=site_id,
            name="Contact",
            key=FORM_KEY,
            fields=FIELDS,
            allowed_origins=origins,
            redirect_targets=targets,
        )


def _addresses(site: str) -> tuple[list[str], list[str]]:
    return [site, site.replace("127.0.0.1", "localhost")], [f"{site}/thanks/"]
