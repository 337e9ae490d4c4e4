from django.urls import path

from workspaces import views_audit

app_name = "activity"
urlpatterns = [
    path("", views_audit.index, name="index"),
    path("export/", views_audit.export, name="export"),
]
