"""Support staff see that calls and messages were there, and never what was said in them."""

from django.contrib import admin

from interactions.models import ArrivedForNobody, Call, Message, RefusedWebhook
from lib.read_only_admin import ReadOnlyAdmin
from workspaces.models import Workspace


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
    list_display = ["at", "medium", "caller", "called", "because", "workspace"]
    list_filter = ["because", "medium"]
    list_select_related = ["number__workspace"]
    search_fields = ["sid", "caller", "called", "number__workspace__slug"]
    search_help_text = "A SID, a number in E.164, or a workspace"
    fields = ["at", "medium", "caller", "called", "because", "what_to_do", "number", "workspace",
              "sid"]  # fmt: skip
    readonly_fields = ["what_to_do", "workspace"]
    ordering = ["-at", "-id"]
    show_full_result_count = False

    @admin.display(empty_value="nobody’s")
    def workspace(self, stray: ArrivedForNobody) -> Workspace | None:
        return stray.number.workspace if stray.number else None

    @admin.display(description="what to do")
    def what_to_do(self, stray: ArrivedForNobody) -> str:
        return ArrivedForNobody.ADVICE[stray.because]


@admin.register(RefusedWebhook)
class RefusedWebhookAdmin(ReadOnlyAdmin):
    list_display = ["hour", "path", "because", "count", "last_called", "last_origin"]
    list_filter = ["because"]
    search_fields = ["last_called", "path"]
