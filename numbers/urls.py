from django.urls import path

from numbers import (
    bulk_views,
    check_views,
    choice_views,
    list_views,
    number_views,
    number_why_views,
    order_views,
    release_views,
    rent_views,
    request_views,
    views,
    why_views,
)

app_name = "numbers"
urlpatterns = [
    path("", list_views.index, name="index"),
    path("columns/", list_views.choose_columns, name="columns"),
    path("export/", bulk_views.export, name="export"),
    path("bulk/", bulk_views.bulk, name="bulk"),
    path("bulk/do/", bulk_views.do_bulk, name="do_bulk"),
    path("bulk/done/<slug:run_id>/", bulk_views.bulk_done, name="bulk_done"),
    path("choices/", choice_views.choices, name="choices"),
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
    # Why isn't it working?
    path("help/", number_why_views.help_page, name="help"),
    path("help/report/", number_why_views.help_report, name="help_report"),
    path("limits/", why_views.limits, name="limits"),
    path("limits/set/", why_views.set_limits, name="set_limits"),
    # Rent
    path("overdue/", rent_views.overdue, name="overdue"),
    path("overdue/pay/", rent_views.pay_overdue, name="pay_overdue"),
    path("costs/", rent_views.costs, name="costs"),
    path("costs/unused/", rent_views.unused, name="unused"),
    path("rent/<int:seq>/", rent_views.payment, name="rent_payment"),
    # A number by its public id, which is twelve characters long: none of the words above.
    path("<slug:public_id>/", number_views.detail, name="detail"),
    path("<slug:public_id>/costs/", number_views.costs, name="number_costs"),
    path("<slug:public_id>/provider/", number_views.provider_data, name="provider_data"),
    path("<slug:public_id>/why/", number_why_views.number_why, name="number_why"),
    path("<slug:public_id>/why/report/", number_why_views.number_report, name="number_report"),
    # Compared with the carrier
    path("<slug:public_id>/checks/", check_views.checks, name="checks"),
    path("<slug:public_id>/check/", check_views.check, name="check"),
    path(
        "<slug:public_id>/checks/<slug:difference>/cure/",
        check_views.cure_difference,
        name="cure_difference",
    ),
    path(
        "<slug:public_id>/checks/<slug:difference>/leave/",
        check_views.leave_difference,
        name="leave_difference",
    ),
    path("<slug:public_id>/edit/", number_views.edit, name="edit"),
    path("<slug:public_id>/deactivate/", number_views.deactivate, name="deactivate"),
    path("<slug:public_id>/activate/", number_views.activate, name="activate"),
    path("<slug:public_id>/lock/", number_views.lock, name="lock"),
    path("<slug:public_id>/unlock/", number_views.unlock, name="unlock"),
    path("<slug:public_id>/release/", release_views.release, name="release"),
    path("<slug:public_id>/release/undo/", release_views.undo_release, name="undo_release"),
    path("<slug:public_id>/release/cancel/", release_views.cancel_release, name="cancel_release"),
]
