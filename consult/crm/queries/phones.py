"""In which country a number without a country is read."""

import functools
import importlib.resources

from consult.accounts import queries as accounts


def phone_region(agency_id: int) -> str:
    """Return the country (ISO 3166) of the agency's time zone, or nothing where the zone is no country's (UTC)."""
    return _countries().get(accounts.agency_time_zone(agency_id), "")


@functools.cache
def _countries() -> dict[str, str]:
    """Return each time zone's country, as the time zone database has them (its zone.tab: country, place, zone)."""
    lines = (importlib.resources.files("tzdata.zoneinfo") / "zone.tab").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}
