"""Pictures and voicemails: fetched from the provider, checked, and kept by us.

They are stored under unguessable names outside of anything that is served, and reach a
browser only through views that ask who wants them.
"""

import logging
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from interactions.models import MediaFile, Voicemail
from telephony import conversations
from telephony.errors import NotFound, ProviderError, TooLarge

log = logging.getLogger(__name__)

AT_MOST = 50
MOST_TRIES = 30
# What is kept, by how it begins: the type a sender claims is not believed.
PICTURES = {
    "image/jpeg": (b"\xff\xd8\xff", "jpg"),
    "image/png": (b"\x89PNG\r\n\x1a\n", "png"),
    "image/gif": (b"GIF8", "gif"),
    "image/webp": (b"RIFF", "webp"),
}
AUDIO_TYPE = "audio/wav"
WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=1)


class NotAPicture(Exception):
    """Not one of the kinds of picture that are kept."""


def picture_type(content: bytes) -> str:
    """The type of a picture from its first bytes. Raises ``NotAPicture``."""
    for content_type, (start, _suffix) in PICTURES.items():
        if content.startswith(start):
            if content_type == "image/webp" and content[8:12] != b"WEBP":
                continue
            return content_type
    raise NotAPicture


def fetch_due() -> None:
    """Fetch what is due, each on its own."""
    now = timezone.now()
    media = MediaFile.objects.filter(state=MediaFile.State.DUE, next_try_at__lte=now)
    for row in media.select_related("message").order_by("next_try_at")[:AT_MOST]:
        fetch_media(row)
    voicemails = Voicemail.objects.filter(state=Voicemail.State.DUE, next_try_at__lte=now)
    for voicemail in voicemails.order_by("next_try_at")[:AT_MOST]:
        fetch_voicemail(voicemail)


def fetch_media(row: MediaFile) -> None:
    """Fetch one picture. What is no picture, or too large, is refused with the reason."""
    if not row.content_type.startswith("image/"):
        _refuse(row, f"Files of the type {row.content_type} are not kept, only pictures.")
        return
    try:
        content, _type = conversations.fetch_media(message_sid=row.message.sid or "", sid=row.sid)
        content_type = picture_type(content)
    except TooLarge:
        _refuse(row, "The picture is larger than 5 MB.")
    except NotFound:
        _refuse(row, "The carrier does not have the picture any more.")
    except NotAPicture:
        _refuse(row, "The file is not a picture, whatever its sender says.")
    except ProviderError as error:
        log.warning("picture %s could not be fetched: %s", row.sid, error)
        _again(row)
    else:
        keep_picture(row, content, content_type)


def keep_picture(row: MediaFile, content: bytes, content_type: str) -> None:
    """Store the picture; of two processes that fetched it, one file is kept."""
    name = default_storage.save(
        f"{row.workspace_id}/pictures/{row.public_id}.{PICTURES[content_type][1]}",
        ContentFile(content),
    )
    kept = MediaFile.objects.filter(pk=row.pk, state=MediaFile.State.DUE).update(
        state=MediaFile.State.KEPT, file=name, size=len(content), content_type=content_type
    )
    if not kept:
        default_storage.delete(name)


def fetch_voicemail(voicemail: Voicemail) -> None:
    """Fetch the audio of one voicemail."""
    try:
        content, _type = conversations.fetch_recording(sid=voicemail.sid)
    except (NotFound, TooLarge) as error:
        # Straight after the call the provider may not have it yet.
        log.warning("voicemail %s could not be fetched: %s", voicemail.sid, error)
        if voicemail.tries + 1 >= MOST_TRIES:
            Voicemail.objects.filter(pk=voicemail.pk).update(state=Voicemail.State.LOST)
        else:
            _again(voicemail)
    except ProviderError as error:
        log.warning("voicemail %s could not be fetched: %s", voicemail.sid, error)
        _again(voicemail)
    else:
        name = default_storage.save(
            f"{voicemail.workspace_id}/voicemails/{voicemail.public_id}.wav", ContentFile(content)
        )
        kept = Voicemail.objects.filter(pk=voicemail.pk, state=Voicemail.State.DUE).update(
            state=Voicemail.State.KEPT, audio=name
        )
        if not kept:
            default_storage.delete(name)


def _refuse(row: MediaFile, because: str) -> None:
    MediaFile.objects.filter(pk=row.pk, state=MediaFile.State.DUE).update(
        state=MediaFile.State.REFUSED, refused_because=because[:120]
    )


def _again(row: MediaFile | Voicemail) -> None:
    row.tries += 1
    row.next_try_at = timezone.now() + min(WAIT * row.tries, LONGEST_WAIT)
    row.save(update_fields=["tries", "next_try_at"])
