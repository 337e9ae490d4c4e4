"""Support staff read the money here; every movement goes through the ledger."""

from django.contrib import admin

from lib.read_only_admin import ReadOnlyAdmin
from wallet.models import Entry, Hold, Wallet


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ["workspace", "currency", "balance", "held", "credit_limit"]
    search_fields = ["workspace__name", "workspace__slug"]


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "wallet", "seq", "kind", "amount", "balance_after", "text"]
    list_select_related = ["wallet__workspace"]
    list_filter = ["kind"]
    search_fields = ["reference", "key", "wallet__workspace__slug"]
    show_full_result_count = False


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "wallet", "amount", "captured", "released", "text", "ended_at"]
    list_select_related = ["wallet__workspace"]
    search_fields = ["reference", "key", "wallet__workspace__slug"]
    show_full_result_count = False
