"""The words that enquiries are found by."""

from collections.abc import Iterable

from consult.inbox import models, rules


def remember(agency_id: int, words: Iterable[str]) -> None:
    """Add words to the agency's list. In one order always: two that add the same wait for each other, not for ever."""
    models.Word.objects.bulk_create(
        (models.Word(agency_id=agency_id, word=word) for word in sorted(set(words))), ignore_conflicts=True
    )


def add(enquiry: models.Enquiry, words: list[str]) -> None:
    """Let a locked enquiry be found by these words as well."""
    enquiry.words = sorted({*enquiry.words, *words})[: rules.MOST_WORDS]
    enquiry.save(update_fields=["words"])
    remember(enquiry.agency_id, words)
