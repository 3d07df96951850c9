"""JSON routes of the inbox, by noun."""

from consult.inbox.api.enquiries import enquiries
from consult.inbox.api.jobs import jobs
from consult.inbox.api.mailboxes import mailbox
from consult.inbox.api.messages import attachments, mails, messages
from consult.inbox.api.templates import templates

__all__ = ["attachments", "enquiries", "jobs", "mailbox", "mails", "messages", "templates"]
