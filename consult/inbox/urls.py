from django.urls import path

from consult.inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.enquiry_list, name="enquiry_list"),
    path("<int:number>/", views.enquiry_detail, name="enquiry_detail"),
    path("<int:number>/close/", views.close_enquiry, name="close_enquiry"),
    path("<int:number>/reopen/", views.reopen_enquiry, name="reopen_enquiry"),
    path("<int:number>/assign/", views.assign_enquiry, name="assign_enquiry"),
    path("<int:number>/notes/", views.add_note, name="add_note"),
]
