"""Support staff look numbers and orders up here, and set prices."""

from django.contrib import admin

from lib.read_only_admin import ReadOnlyAdmin
from numbers import admin_sync  # noqa: F401  registers its pages
from numbers.models import CountryOffer, Number, NumberOrder, OrderLine, PriceRule


@admin.register(Number)
class NumberAdmin(ReadOnlyAdmin):
    list_display = ["e164", "workspace", "number_type", "status", "monthly_price", "created_at"]
    list_select_related = ["workspace"]
    list_filter = ["status", "number_type", "country"]
    search_fields = ["e164", "provider_sid", "friendly_name", "workspace__slug"]


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    fields = ("position", "e164", "state", "monthly_price", "called_at", "settled_at",
              "refusal_code", "number")  # fmt: skip
    readonly_fields = fields
    can_delete = False
    extra = 0
    max_num = 0


@admin.register(NumberOrder)
class NumberOrderAdmin(ReadOnlyAdmin):
    list_display = ["reference", "workspace", "placed_by", "placed_at"]
    list_select_related = ["workspace", "placed_by"]
    search_fields = ["reference", "lines__e164", "workspace__slug", "placed_by__email"]
    inlines = [OrderLineInline]


@admin.register(PriceRule)
class PriceRuleAdmin(admin.ModelAdmin):
    list_display = ["country", "number_type", "markup", "fixed_price"]
    list_display_links = list_display


@admin.register(CountryOffer)
class CountryOfferAdmin(ReadOnlyAdmin):
    list_display = ["country", "number_type", "provider_price", "currency", "refreshed_at"]
    list_filter = ["number_type"]
    search_fields = ["country"]
