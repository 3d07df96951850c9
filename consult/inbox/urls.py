from django.urls import path

from consult.inbox.views import (
    actions,
    bulk,
    convert,
    enquiries,
    hooks,
    jobs,
    lists,
    looking,
    mails,
    replies,
    saved_views,
    templates,
    typed,
)

app_name = "inbox"
urlpatterns = [
    path("inbox/", lists.enquiry_list, name="enquiry_list"),
    path("inbox/change/", bulk.change_enquiries, name="change_enquiries"),
    path("inbox/undo/", bulk.undo_changes, name="undo_changes"),
    path("inbox/new/", typed.type_in_enquiry, name="type_in_enquiry"),
    path("inbox/views/", saved_views.save_view, name="save_view"),
    path("inbox/views/<uuid:view_id>/delete/", saved_views.delete_view, name="delete_view"),
    path("inbox/<int:number>/", enquiries.enquiry_detail, name="enquiry_detail"),
    path("inbox/<int:number>/close/", actions.close_enquiry, name="close_enquiry"),
    path("inbox/<int:number>/reopen/", actions.reopen_enquiry, name="reopen_enquiry"),
    path("inbox/<int:number>/wait/", actions.wait_enquiry, name="wait_enquiry"),
    path("inbox/<int:number>/snooze/", actions.snooze_enquiry, name="snooze_enquiry"),
    path("inbox/<int:number>/restore/", actions.restore_enquiry, name="restore_enquiry"),
    path("inbox/<int:number>/spam/", actions.confirm_spam, name="confirm_spam"),
    path("inbox/<int:number>/assign/", actions.assign_enquiry, name="assign_enquiry"),
    path("inbox/<int:number>/labels/", actions.label_enquiry, name="label_enquiry"),
    path("inbox/<int:number>/looking/", looking.look_at_enquiry, name="look_at_enquiry"),
    path("inbox/<int:number>/convert/", convert.convert_enquiry, name="convert_enquiry"),
    path("inbox/<int:number>/notes/", actions.add_note, name="add_note"),
    path("inbox/<int:number>/reply/", replies.send_reply, name="send_reply"),
    path("inbox/<int:number>/messages/<uuid:message_id>/undo/", replies.undo_reply, name="undo_reply"),
    path("inbox/<int:number>/messages/<uuid:message_id>/retry/", replies.retry_reply, name="retry_reply"),
    path("inbox/<int:number>/messages/<uuid:message_id>/discard/", replies.discard_draft, name="discard_draft"),
    path("inbox/attachments/<uuid:attachment_id>/", mails.attachment, name="attachment"),
    path("inbox/mails/", mails.mail_list, name="mail_list"),
    path("inbox/mails/<uuid:mail_id>/raw/", mails.mail_raw, name="mail_raw"),
    path("inbox/mails/<uuid:mail_id>/dismiss/", mails.dismiss_mail, name="dismiss_mail"),
    path("settings/replies/", templates.template_list, name="template_list"),
    path("settings/replies/<uuid:template_id>/", templates.change_template, name="change_template"),
    path("settings/replies/<uuid:template_id>/delete/", templates.delete_template, name="delete_template"),
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<int:job_id>/retry/", jobs.retry_job, name="retry_job"),
]

# For mail servers; in no agency's part of the addresses.
hook_urlpatterns = [path("mail/<str:hook_id>", hooks.receive_mail, name="receive_mail")]
