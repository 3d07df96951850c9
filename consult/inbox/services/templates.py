"""Reply templates."""

from uuid import UUID

from django.db import IntegrityError, transaction

from consult.accounts import services as accounts
from consult.core import tenancy
from consult.inbox import models, rules

MOST_LETTERS, LONGEST_BODY, MOST_TEMPLATES = 60, 20_000, 200


class NoSuchTemplate(Exception):
    """The agency has no template of this id."""


class TemplateTaken(Exception):
    """There is a template of this name."""


class TooManyTemplates(Exception):
    """There are MOST_TEMPLATES already."""


class UnknownPlaceholder(Exception):
    """Something between braces that stands for nothing: `names` are what was written."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def create_template(*, agency_id: int, name: str, body: str, by: UUID | None) -> UUID:
    """Keep a reply that is written often. Raise ValueError, UnknownPlaceholder, TemplateTaken, TooManyTemplates."""
    name, body = _checked(name, body)
    with tenancy.agency(agency_id):
        if models.Template.objects.filter(agency_id=agency_id).count() >= MOST_TEMPLATES:
            raise TooManyTemplates
        template = models.Template(agency_id=agency_id, name=name, body=body)
        _save(template)
        accounts.record("inbox.create_template", agency_id=agency_id, by=by, subject_id=template.id)
    return template.id


def change_template(*, agency_id: int, template_id: UUID, name: str, body: str, by: UUID | None) -> None:
    """Raise NoSuchTemplate, ValueError, UnknownPlaceholder, TemplateTaken."""
    name, body = _checked(name, body)
    with tenancy.agency(agency_id):
        template = _locked(agency_id, template_id)
        template.name, template.body = name, body
        _save(template)
        accounts.record("inbox.change_template", agency_id=agency_id, by=by, subject_id=template.id)


def delete_template(*, agency_id: int, template_id: UUID, by: UUID | None) -> str:
    """Return its name. Raise NoSuchTemplate."""
    with tenancy.agency(agency_id):
        template = _locked(agency_id, template_id)
        accounts.record("inbox.delete_template", agency_id=agency_id, by=by, subject_id=template.id)
        template.delete()
    return template.name


def _checked(name: str, body: str) -> tuple[str, str]:
    name, body = " ".join(name.split()), body.replace("\r\n", "\n").strip()
    if not name or len(name) > MOST_LETTERS or not body or len(body) > LONGEST_BODY:
        raise ValueError("a template has a name of at most 60 letters, and a text")
    if unknown := rules.unknown_placeholders(body):
        raise UnknownPlaceholder(unknown)
    return name, body


def _locked(agency_id: int, template_id: UUID) -> models.Template:
    found = models.Template.objects.select_for_update().filter(agency_id=agency_id, id=template_id).first()
    if found is None:
        raise NoSuchTemplate(template_id)
    return found


def _save(template: models.Template) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError:
        raise TemplateTaken(template.name) from None
