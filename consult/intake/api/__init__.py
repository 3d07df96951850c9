"""JSON routes of intake, by noun."""

from consult.intake.api.forms import router as forms
from consult.intake.api.sites import router as sites
from consult.intake.api.submissions import router as submissions

__all__ = ["forms", "sites", "submissions"]
