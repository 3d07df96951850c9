from django.urls import path

from consult.thread.views import palette

app_name = "thread"
urlpatterns = [
    path("palette/", palette.palette, name="palette"),
]
