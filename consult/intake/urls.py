from django.urls import path

from consult.intake import views

app_name = "intake"
urlpatterns = [
    path("sites/", views.site_list, name="site_list"),
    path("sites/new/", views.create_site, name="create_site"),
    path("sites/<uuid:site_id>/", views.site_detail, name="site_detail"),
    path("sites/<uuid:site_id>/edit/", views.update_site, name="update_site"),
    path("sites/<uuid:site_id>/forms/new/", views.create_form, name="create_form"),
    path("attention/", views.attention, name="attention"),
    path("attention/<uuid:set_aside_id>/raw/", views.download_set_aside, name="download_set_aside"),
    path("attention/<uuid:set_aside_id>/resolve/", views.resolve_set_aside, name="resolve_set_aside"),
    path("attention/<uuid:set_aside_id>/reopen/", views.reopen_set_aside, name="reopen_set_aside"),
    path("settings/blocked/", views.block_list, name="block_list"),
    path("settings/blocked/<uuid:block_id>/unblock/", views.unblock_sender, name="unblock_sender"),
    path("files/<uuid:file_id>/", views.file, name="file"),
    path("forms/<uuid:form_id>/", views.form_detail, name="form_detail"),
    path("forms/<uuid:form_id>/edit/", views.update_form, name="update_form"),
]
