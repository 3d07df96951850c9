"""Files of messages, stored where all mails lie."""

import dataclasses
from collections.abc import Sequence

from consult.core import files
from consult.core import mail as core_mail
from consult.inbox import models, rules


@dataclasses.dataclass(frozen=True)
class Upload:
    """A file that somebody attaches."""

    name: str
    media_type: str
    content: bytes


def attach(message: models.Message, uploads: Sequence[Upload | rules.Part]) -> None:
    """Store files and name them in a message. Raise files.Away."""
    models.Attachment.objects.bulk_create(store(message, uploads))


def store(message: models.Message, uploads: Sequence[Upload | rules.Part]) -> list[models.Attachment]:
    """Write files to their places; what no row names in the end is swept. Raise files.Away."""
    rows = []
    for upload in uploads:
        location = files.new_location(message.agency_id, "mail")
        with files.writing(location) as file:
            file.write(upload.content)
        rows.append(
            models.Attachment(
                agency_id=message.agency_id,
                message=message,
                name=core_mail.one_line(upload.name, 200) or "file",
                media_type=core_mail.one_line(upload.media_type, 120) or "application/octet-stream",
                size=len(upload.content),
                location=location,
                content_id=upload.content_id if isinstance(upload, rules.Part) else "",
            )
        )
    return rows
