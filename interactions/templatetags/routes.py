"""Who answers a number, for the pages of apps that stand below this one."""

from typing import Any

from django import template

from interactions.plans import MessagePlan, VoicePlan
from interactions.routing import plans_of
from interactions.summaries import message_summary, names_of, voice_summary
from numbers.models import Number
from workspaces.models import Workspace

register = template.Library()


@register.inclusion_tag("interactions/_route_summary.html")
def route_summary(number: Number, workspace: Workspace, may_edit: bool = False) -> dict[str, Any]:
    """``{% load routes %}{% route_summary number workspace may_edit %}``; one query, or two."""
    plans = plans_of(number)
    message_plan = MessagePlan.read(plans.get("message"))
    return {
        "number": number,
        "workspace": workspace,
        "may_edit": may_edit,
        "nobody_yet": "voice" not in plans,
        "voice_sentences": voice_summary(VoicePlan.read(plans.get("voice")), workspace),
        "message_sentences": message_summary(message_plan, names_of(message_plan, workspace)),
    }
