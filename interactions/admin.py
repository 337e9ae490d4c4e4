"""Support staff see that calls and messages were there, and never what was said in them."""

from django.contrib import admin

from interactions.models import ArrivedForNobody, Call, Message, RefusedWebhook
from lib.read_only_admin import ReadOnlyAdmin


class InteractionAdmin(ReadOnlyAdmin):
    list_display = ["sid", "workspace", "number", "direction", "status", "at"]
    list_select_related = ["workspace", "number"]
    list_filter = ["direction", "status"]
    search_fields = ["sid", "number__e164", "workspace__slug"]
    fields = ["sid", "workspace", "number", "direction", "status", "states", "at", "ended_at",
              "settled_at"]  # fmt: skip
    show_full_result_count = False


@admin.register(Call)
class CallAdmin(InteractionAdmin):
    pass


@admin.register(Message)
class MessageAdmin(InteractionAdmin):
    pass


@admin.register(ArrivedForNobody)
class ArrivedForNobodyAdmin(ReadOnlyAdmin):
    list_display = ["sid", "medium", "called", "because", "at"]
    list_filter = ["because", "medium"]
    search_fields = ["sid", "called"]


@admin.register(RefusedWebhook)
class RefusedWebhookAdmin(ReadOnlyAdmin):
    list_display = ["hour", "path", "because", "count", "last_called", "last_origin"]
    list_filter = ["because"]
    search_fields = ["last_called", "path"]
