"""Support staff look numbers up here, and set prices."""

from django.contrib import admin

from lib.admin_reason import Reasoned
from lib.read_only_admin import ReadOnlyAdmin
from numbers import admin_orders, admin_sync, rent_admin  # noqa: F401  register their pages
from numbers.models import CountryOffer, Number, PriceRule


@admin.register(Number)
class NumberAdmin(ReadOnlyAdmin):
    list_display = ["e164", "workspace", "number_type", "status", "monthly_price", "created_at"]
    list_select_related = ["workspace"]
    list_filter = ["status", "number_type", "country"]
    search_fields = ["e164", "provider_sid", "friendly_name", "workspace__slug"]


@admin.register(PriceRule)
class PriceRuleAdmin(Reasoned):
    list_display = ["country", "number_type", "markup", "fixed_price"]
    list_display_links = list_display


@admin.register(CountryOffer)
class CountryOfferAdmin(ReadOnlyAdmin):
    list_display = ["country", "number_type", "provider_price", "currency", "refreshed_at"]
    list_filter = ["number_type"]
    search_fields = ["country"]
