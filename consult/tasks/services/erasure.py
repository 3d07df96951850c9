"""Blanking people in tasks: the work stays, what names them goes."""

import re
from collections.abc import Collection
from uuid import UUID

from django.db.models import Model, Q

from consult.core import erased, tenancy
from consult.tasks import models


def forget_names(
    *,
    agency_id: int,
    enquiries: Collection[UUID],
    submissions: Collection[UUID],
    deals: Collection[UUID],
    names: re.Pattern[str] | None,
) -> None:
    """Take what names a person out of the tasks that came from theirs: title, description, history, comments.

    A second time changes nothing. Part of an erasure, which writes the audit.
    """
    if names is None:
        return
    with tenancy.agency(agency_id):
        theirs = Q(enquiry_id__in=enquiries) | Q(origin_submission_id__in=submissions) | Q(deal_id__in=deals)
        tasks = list(models.Task.objects.filter(theirs, agency_id=agency_id).values_list("id", flat=True))
        comments = list(
            models.Comment.objects.filter(agency_id=agency_id, task_id__in=tasks).values_list("id", flat=True)
        )
        _forget(models.Task, agency_id, Q(id__in=tasks), ("title", "description"), names)
        _forget(models.Activity, agency_id, Q(task_id__in=tasks), ("before", "after"), names)
        _forget(models.Comment, agency_id, Q(id__in=comments), ("body",), names)
        _forget(models.Edit, agency_id, Q(comment_id__in=comments), ("body",), names)


def _forget(model: type[Model], agency_id: int, which: Q, columns: tuple[str, ...], names: re.Pattern[str]) -> None:
    for row in model._default_manager.select_for_update().filter(which, agency_id=agency_id).order_by("id"):
        after = {column: erased.without(getattr(row, column), names) for column in columns}
        changed = [column for column in columns if getattr(row, column) != after[column]]
        for column in changed:
            longest = getattr(row._meta.get_field(column), "max_length", None)
            setattr(row, column, after[column][:longest] if longest else after[column])
        if changed:
            row.save(update_fields=changed)
