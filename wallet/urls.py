from django.urls import path

from wallet import precautions_views, recharge_views, top_up_views, views

app_name = "wallet"
urlpatterns = [
    path("", views.index, name="index"),
    path("statement.csv", views.export, name="export"),
    path("precautions/", precautions_views.precautions, name="precautions"),
    path("recharge/", recharge_views.recharge, name="recharge"),
    path("recharge/card/", recharge_views.save_card, name="save_card"),
    path("recharge/card/remove/", recharge_views.remove_card, name="remove_card"),
    path("add/", top_up_views.add_funds, name="add_funds"),
    path("add/<str:reference>/", top_up_views.top_up, name="top_up"),
    path("add/<str:reference>/pay/", top_up_views.pay, name="pay_top_up"),
    path("add/<str:reference>/cancel/", top_up_views.cancel, name="cancel_top_up"),
]
