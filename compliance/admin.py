"""Support staff see who opted out, and of what."""

from django.contrib import admin

from compliance.models import OptOut
from lib.read_only_admin import ReadOnlyAdmin


@admin.register(OptOut)
class OptOutAdmin(ReadOnlyAdmin):
    list_display = ["contact", "workspace", "said", "said_to", "opted_out_at", "opted_in_at"]
    list_select_related = ["workspace"]
    search_fields = ["contact", "workspace__slug"]
