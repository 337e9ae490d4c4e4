from django.urls import path

from numbers import order_views, rent_views, request_views, views, why_views

app_name = "numbers"
urlpatterns = [
    path("", views.index, name="index"),
    # Buying: search, review, order.
    path("buy/", views.buy, name="buy"),
    path("buy/review/", order_views.review, name="review"),
    path("orders/", order_views.place_order, name="place_order"),
    path("orders/<slug:reference>/", order_views.order, name="order"),
    # Asking those who may buy.
    path("requests/", request_views.requests, name="requests"),
    path("requests/ask/", request_views.ask_for, name="ask_for"),
    path("requests/<slug:reference>/", request_views.request, name="request"),
    path("requests/<slug:reference>/approve/", request_views.approve, name="approve"),
    path("requests/<slug:reference>/decline/", request_views.decline, name="decline"),
    path("requests/<slug:reference>/withdraw/", request_views.withdraw, name="withdraw"),
    # Why can't I buy?
    path("why/", why_views.why, name="why"),
    path("why/report/", why_views.report, name="report"),
    path("why/<slug:reference>/", why_views.diagnosis, name="diagnosis"),
    path("limits/", why_views.limits, name="limits"),
    path("limits/set/", why_views.set_limits, name="set_limits"),
    # Rent
    path("overdue/", rent_views.overdue, name="overdue"),
    path("overdue/pay/", rent_views.pay_overdue, name="pay_overdue"),
    path("costs/", rent_views.costs, name="costs"),
    path("costs/unused/", rent_views.unused, name="unused"),
    path("rent/<int:seq>/", rent_views.payment, name="rent_payment"),
]
