"""Whether forms behave as they did."""

import datetime as dt

from consult.core import tenancy
from consult.inbox import reports
from consult.intake import services as intake


def check_forms(*, agency_id: int, now: dt.datetime) -> None:
    """Look whether a form has gone silent, or whether suddenly much of it is held (intake.check_forms)."""
    with tenancy.agency(agency_id):
        intake.check_forms(agency_id=agency_id, held=reports.held_by_form(agency_id, now), now=now)
