from interactions.views.files import outgoing_media
from interactions.views.inbox import conversation, cost, index, picture, reply, seen, voicemail
from interactions.views.number_test import start, test, test_result
from interactions.views.of_line import of_line
from interactions.views.rates import rates
from interactions.views.routes import route, save_messages, save_voice

__all__ = [
    "conversation",
    "cost",
    "index",
    "of_line",
    "outgoing_media",
    "picture",
    "rates",
    "reply",
    "route",
    "save_messages",
    "save_voice",
    "seen",
    "start",
    "test",
    "test_result",
    "voicemail",
]
