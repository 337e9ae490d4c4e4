from django.urls import path

from numbers import rent_views, views

app_name = "numbers"
urlpatterns = [
    path("", views.index, name="index"),
    path("buy/", views.buy, name="buy"),
    path("buy/review/", views.review, name="review"),
    path("orders/", views.place_order, name="place_order"),
    path("orders/<slug:reference>/", views.order, name="order"),
    # Rent
    path("overdue/", rent_views.overdue, name="overdue"),
    path("overdue/pay/", rent_views.pay_overdue, name="pay_overdue"),
    path("costs/", rent_views.costs, name="costs"),
    path("costs/unused/", rent_views.unused, name="unused"),
    path("rent/<int:seq>/", rent_views.payment, name="rent_payment"),
]
