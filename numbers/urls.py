from django.urls import path

from numbers import views, views_bulk, views_choice, views_list, views_number, views_release

app_name = "numbers"
urlpatterns = [
    path("", views_list.index, name="index"),
    path("columns/", views_list.choose_columns, name="columns"),
    path("export/", views_bulk.export, name="export"),
    path("bulk/", views_bulk.bulk, name="bulk"),
    path("bulk/do/", views_bulk.do_bulk, name="do_bulk"),
    path("bulk/done/<slug:run_id>/", views_bulk.bulk_done, name="bulk_done"),
    path("choices/", views_choice.choices, name="choices"),
    path("buy/", views.buy, name="buy"),
    path("buy/review/", views.review, name="review"),
    path("orders/", views.place_order, name="place_order"),
    path("orders/<slug:reference>/", views.order, name="order"),
    # A number by its public id, which is twelve characters long: none of the words above.
    path("<slug:public_id>/", views_number.detail, name="detail"),
    path("<slug:public_id>/costs/", views_number.costs, name="costs"),
    path("<slug:public_id>/provider/", views_number.provider_data, name="provider_data"),
    path("<slug:public_id>/edit/", views_number.edit, name="edit"),
    path("<slug:public_id>/deactivate/", views_number.deactivate, name="deactivate"),
    path("<slug:public_id>/activate/", views_number.activate, name="activate"),
    path("<slug:public_id>/lock/", views_number.lock, name="lock"),
    path("<slug:public_id>/unlock/", views_number.unlock, name="unlock"),
    path("<slug:public_id>/release/", views_release.release, name="release"),
    path("<slug:public_id>/release/undo/", views_release.undo_release, name="undo_release"),
    path("<slug:public_id>/release/cancel/", views_release.cancel_release, name="cancel_release"),
]
