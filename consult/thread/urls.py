from django.urls import path

from consult.thread.views import reports

app_name = "thread"
urlpatterns = [
    path("reports/", reports.show_reports, name="show_reports"),
]
