"""JSON routes of intake, by noun."""

from consult.intake.api.attention import router as attention
from consult.intake.api.blocks import router as blocks
from consult.intake.api.files import router as files
from consult.intake.api.forms import router as forms
from consult.intake.api.sites import router as sites
from consult.intake.api.submissions import router as submissions

__all__ = ["attention", "blocks", "files", "forms", "sites", "submissions"]
