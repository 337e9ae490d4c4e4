from django.urls import path

from wallet import views

app_name = "wallet"
urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add_funds, name="add_funds"),
]
