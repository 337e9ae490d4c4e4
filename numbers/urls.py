from django.urls import path

from numbers import views

app_name = "numbers"
urlpatterns = [
    path("", views.index, name="index"),
    path("buy/", views.buy, name="buy"),
    path("buy/review/", views.review, name="review"),
    path("orders/", views.place_order, name="place_order"),
    path("orders/<slug:reference>/", views.order, name="order"),
]
