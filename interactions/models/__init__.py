"""Calls and messages, who answers them, and what they cost."""

from interactions.models.conversations import (
    Call,
    CallLeg,
    Conversation,
    Direction,
    MediaFile,
    Message,
    Voicemail,
)
from interactions.models.number_tests import NumberTest
from interactions.models.routes import Medium, Route
from interactions.models.strays import ArrivedForNobody, RefusedWebhook
from interactions.models.usage import Usage, UsageRate

__all__ = [
    "ArrivedForNobody",
    "Call",
    "CallLeg",
    "Conversation",
    "Direction",
    "MediaFile",
    "Medium",
    "Message",
    "NumberTest",
    "RefusedWebhook",
    "Route",
    "Usage",
    "UsageRate",
    "Voicemail",
]
