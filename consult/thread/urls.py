from django.urls import path

from consult.thread.views import palette, people, reports

app_name = "thread"
urlpatterns = [
    path("settings/privacy/", people.privacy, name="privacy"),
    path("settings/privacy/person/", people.person, name="person"),
    path("settings/privacy/person/export/", people.start_person_export, name="start_person_export"),
    path("settings/privacy/person/erase/", people.erase_person, name="erase_person"),
    path("settings/privacy/exports/<uuid:export_id>/", people.download_person_export, name="download_person_export"),
    path("reports/", reports.show_reports, name="show_reports"),
    path("palette/", palette.palette, name="palette"),
]
