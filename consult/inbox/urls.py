from django.urls import path

from consult.inbox import views

app_name = "inbox"
urlpatterns = [
    path("inbox/", views.enquiry_list, name="enquiry_list"),
    path("inbox/<int:number>/", views.enquiry_detail, name="enquiry_detail"),
    path("inbox/<int:number>/close/", views.close_enquiry, name="close_enquiry"),
    path("inbox/<int:number>/reopen/", views.reopen_enquiry, name="reopen_enquiry"),
    path("inbox/<int:number>/restore/", views.restore_enquiry, name="restore_enquiry"),
    path("inbox/<int:number>/spam/", views.confirm_spam, name="confirm_spam"),
    path("inbox/<int:number>/assign/", views.assign_enquiry, name="assign_enquiry"),
    path("inbox/<int:number>/notes/", views.add_note, name="add_note"),
    path("jobs/", views.job_list, name="job_list"),
    path("jobs/<int:job_id>/retry/", views.retry_job, name="retry_job"),
]
