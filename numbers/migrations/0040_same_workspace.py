"""No order is paid by another workspace's hold, and no row is about another's order or number."""

from django.db import migrations

from workspaces.same_workspace import key_with_workspace, same_workspace


class Migration(migrations.Migration):
    dependencies = [
        ("numbers", "0035_payment_places"),
        ("wallet", "0040_same_workspace"),
    ]

    operations = [
        key_with_workspace("numbers_number"),
        key_with_workspace("numbers_numberorder"),
        key_with_workspace("numbers_orderline"),
        same_workspace("numbers_numberorder", "hold_id", "wallet_hold", parent_workspace="wallet_id"),
        same_workspace("numbers_orderline", "order_id", "numbers_numberorder"),
        same_workspace("numbers_orderline", "number_id", "numbers_number"),
        same_workspace("numbers_orderstep", "line_id", "numbers_orderline"),
        same_workspace("numbers_purchaserequest", "order_id", "numbers_numberorder"),
        same_workspace("numbers_rentdue", "number_id", "numbers_number"),
        same_workspace("numbers_rentstep", "number_id", "numbers_number"),
        same_workspace("numbers_paymentplace", "number_id", "numbers_number"),
        same_workspace("numbers_pricechange", "number_id", "numbers_number"),
        same_workspace("numbers_tagging", "number_id", "numbers_number"),
        same_workspace("numbers_difference", "number_id", "numbers_number"),
    ]
