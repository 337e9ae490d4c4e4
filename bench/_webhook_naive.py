# ruff: noqa: E402  Django must be set up before its models are imported
"""What a newcomer would write: a Django view with the ORM, behind the usual middleware."""

import os

import numbers_project  # noqa: F401  makes the app package `numbers` importable (ADR-0001)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "numbers_project.settings")

from django.conf import settings

settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
settings.ALLOWED_HOSTS = ["127.0.0.1"]
settings.SECURE_SSL_REDIRECT = False

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from django.http import HttpResponse, HttpResponseForbidden
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from interactions.models import Call, Conversation, Message, Route
from interactions.plans import VoicePlan
from numbers.models import Number


def genuine(request):
    address = settings.PUBLIC_BASE_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    return RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(address, request.POST, signature)


@csrf_exempt
def voice(request):
    if not genuine(request):
        return HttpResponseForbidden()
    now, caller = timezone.now(), request.POST["From"]
    number = Number.objects.select_related("workspace").get(
        e164=request.POST["To"], released_at=None
    )
    route = Route.objects.filter(number=number, medium="voice", replaced_at=None).first()
    talk, _new = Conversation.objects.get_or_create(
        number=number, contact=caller, defaults={"workspace": number.workspace, "last_at": now}
    )
    Call.objects.get_or_create(
        sid=request.POST["CallSid"],
        defaults={
            "workspace": number.workspace, "conversation": talk, "number": number, "at": now,
            "direction": "in", "status": "ringing", "route": route,
            "states": {"ringing": now.isoformat()},
        },
    )  # fmt: skip
    talk.last_at, talk.last_text = now, "Incoming call"
    talk.save()
    answer = VoiceResponse()
    for phone in VoicePlan.read(route.plan if route else None).answer.phones:
        answer.dial(phone)
    return HttpResponse(str(answer), content_type="text/xml")


@csrf_exempt
def status(request):
    if not genuine(request):
        return HttpResponseForbidden()
    now, said = timezone.now(), request.POST["MessageStatus"]
    message = Message.objects.get(sid=request.POST["MessageSid"])
    message.states[said] = now.isoformat()
    if message.status != "delivered":
        message.status = said
    message.save()
    return HttpResponse("<Response />", content_type="text/xml")


urlpatterns = [
    path("webhooks/twilio/voice/", voice),
    path("webhooks/twilio/message/status/", status),
]
