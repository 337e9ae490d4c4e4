"""Pictures of ours at an address where the provider can fetch them.

It comes without a login, so the address itself is the key: signed, for one picture, for a
day.
"""

from django.conf import settings
from django.core import signing
from django.urls import reverse

from interactions.models import MediaFile

SALT = "interactions.outgoing_media"
GOOD_FOR_SECONDS = 24 * 3600


def public_address(row: MediaFile) -> str:
    token = signing.dumps(row.public_id, salt=SALT)
    return settings.PUBLIC_BASE_URL + reverse("outgoing_media", args=[token])


def picture_at(token: str) -> MediaFile | None:
    """The picture that a token stands for; None for a forged, old or unknown one."""
    try:
        public_id = signing.loads(token, salt=SALT, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature:
        return None
    return MediaFile.objects.filter(
        public_id=public_id, state=MediaFile.State.KEPT, message__direction="out"
    ).first()
