"""Conversations and what they are made of: calls and messages."""

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.urls import reverse

from interactions.models.routes import Route
from lib import e164 as formats
from numbers.models import Number, new_public_id
from wallet.models import Hold, money_field
from workspaces.models import User, WorkspaceOwned

LONGEST_ADDRESS = 64
STATUS_SHOWN = {
    "asked": "Being sent", "sent": "Sent", "delivered": "Delivered", "read": "Read",
    "failed": "Not sent", "undelivered": "Not delivered", "canceled": "Canceled",
}  # fmt: skip
# The provider's codes for what happens on the way to a phone.
WHY_FAILED = {
    30001: "The carrier's queue was full. Try again later.",
    30002: "The account behind this site is suspended. Write to support.",
    30003: "The phone could not be reached: it may be switched off or out of range.",
    30004: "The recipient or their carrier blocks messages from this number.",
    30005: "There is no such phone, or it has been given up.",
    30006: "The number is a landline, or its carrier takes no texts.",
    30007: "A carrier took it for unwanted mail and filtered it out.",
    30008: "The carrier does not say why.",
    30011: "The recipient's carrier takes no pictures.",
    30032: "The toll-free number has not been verified yet. Write to support.",
    30034: "The number is not registered for business texting in the US. Write to support.",
    30036: "It was not delivered in time.",
    30410: "A carrier did not answer in time.",
}


class Direction(models.TextChoices):
    IN = "in", "Incoming"
    OUT = "out", "Outgoing"


# A key without a constraint of its own has one that names the workspace as well, and so proves
# what a plain one would (workspaces.same_workspace).
class Conversation(WorkspaceOwned):
    """All calls and messages between one of our numbers and one contact.

    ``contact`` is a number in E.164, or what else the provider names a caller by: a short
    code, a sender's name, ``anonymous``. ``unread`` counts messages, missed calls and
    voicemails that nobody has looked at yet.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    number = models.ForeignKey(
        Number, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    contact = models.CharField(max_length=LONGEST_ADDRESS)
    last_at = models.DateTimeField(help_text="When something last happened in it.")
    last_text = models.CharField(max_length=160, blank=True)
    unread = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number", "contact"], name="conversation_once"),
        ]
        indexes = [
            models.Index(fields=["workspace", "-last_at", "-id"], name="conversation_newest"),
            models.Index(
                fields=["workspace", "-last_at", "-id"],
                condition=Q(unread__gt=0),
                name="conversation_unread",
            ),
            GinIndex(
                fields=["workspace", "contact"],
                opclasses=["int8_ops", "gin_trgm_ops"],
                name="conversation_by_digits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} with {self.number}"

    def get_absolute_url(self) -> str:
        return reverse("interactions:conversation", args=[self.workspace.slug, self.public_id])

    @property
    def contact_shown(self) -> str:
        return formats.international(self.contact) if self.contact else "Unknown caller"

    @property
    def can_be_answered(self) -> bool:
        """Whether the contact is somebody who can be called or written to."""
        return formats.is_e164(self.contact)


class Interaction(WorkspaceOwned):
    """What calls and messages have in common.

    ``sid`` is the provider's name for it: unique, and empty only while one of ours has been
    asked for and not yet acknowledged. ``states`` keeps when each status was first reported;
    the status itself never goes backwards, whatever order the reports come in.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    number = models.ForeignKey(
        Number, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    sid = models.CharField(max_length=34, null=True, unique=True)  # noqa: DJ001  not yet, not ""
    direction = models.CharField(max_length=3, choices=Direction)
    status = models.CharField(max_length=20)
    states = models.JSONField(default=dict)
    # When it arrived, or was asked for.
    at = models.DateTimeField()
    # When no more is to be expected of it; what it costs is due from here.
    ended_at = models.DateTimeField(null=True)
    # When it was charged for, or found to cost nothing.
    settled_at = models.DateTimeField(null=True)
    # It came in and nobody told us: known from its end, or from the provider's own list.
    found_late = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        abstract = True

    @property
    def is_incoming(self) -> bool:
        return self.direction == Direction.IN


class Call(Interaction):
    """A call to or from one of our numbers."""

    FINAL = ("completed", "busy", "no-answer", "failed", "canceled")

    class Outcome(models.TextChoices):
        UNDER_WAY = "", "Under way"
        MISSED = "missed", "Missed"
        ANNOUNCED = "announced", "Heard the announcement"
        ANSWERED = "answered", "Answered"
        VOICEMAIL = "voicemail", "Left a voicemail"
        FAX = "fax", "Fax, which cannot be received"
        FAILED = "failed", "Not connected"

    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    # The route in force when it arrived: every later step of the call follows this one.
    route = models.ForeignKey(
        Route, null=True, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    seconds = models.PositiveIntegerField(null=True, help_text="From the answer to the end.")
    answered_by = models.CharField(max_length=16, blank=True, help_text="The phone that took it.")
    # How long it may last; 0 where there was no money for it. Of one that came in, empty until
    # it is forwarded: see interactions.forwarding.
    limit_seconds = models.PositiveIntegerField(null=True)
    # What a minute costs of being forwarded, what it may cost at most, and as much of that as
    # was set aside.
    minute_price = money_field(null=True)
    may_cost = money_field(null=True)
    set_aside = money_field(null=True)
    hold = models.OneToOneField(Hold, null=True, on_delete=models.PROTECT, db_constraint=False)
    # When nothing more was to be paid of it; until then it stays promised.
    paid_at = models.DateTimeField(null=True, editable=False)
    # When the carrier was asked for the legs and recordings of it that nobody reported.
    asked_for_parts_at = models.DateTimeField(null=True, editable=False)
    # Others from the same caller were under way: it goes in a circle and is not forwarded on.
    is_loop = models.BooleanField(default=False)
    # What an answerer (settings.INBOUND_ANSWERERS) said; empty where the route answered.
    answer = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__in=Direction.values), name="call_direction_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(settled_at__isnull=True),
                name="call_settled_after_its_end",
            ),
        ]
        indexes = [
            models.Index(fields=["conversation", "-at", "-id"], name="call_of_conversation"),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False, settled_at__isnull=True),
                name="call_to_settle",
            ),
            models.Index(fields=["at"], condition=Q(ended_at__isnull=True), name="call_under_way"),
            models.Index(
                fields=["ended_at"],
                name="call_parts_to_ask",
                condition=Q(ended_at__isnull=False, asked_for_parts_at__isnull=True),
            ),
            models.Index(
                fields=["workspace"],
                name="call_not_paid",
                condition=Q(may_cost__isnull=False, paid_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} call {self.sid}"


class CallLeg(WorkspaceOwned):
    """A phone that a call was forwarded to, once that leg is over."""

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="legs")
    sid = models.CharField(max_length=34, unique=True)
    e164 = models.CharField(max_length=LONGEST_ADDRESS)
    status = models.CharField(max_length=20)
    seconds = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["ended_at"], condition=Q(settled_at__isnull=True), name="leg_to_settle"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.e164}: {self.status}"


class Voicemail(WorkspaceOwned):
    """What a caller said after the beep. The audio is fetched from the provider and kept."""

    class State(models.TextChoices):
        DUE = "due", "Being fetched"
        KEPT = "kept", "Kept"
        LOST = "lost", "Not there any more"

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="voicemails")
    sid = models.CharField(max_length=34, unique=True)
    seconds = models.PositiveIntegerField()
    transcription = models.TextField(blank=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=4, choices=State, default=State.DUE)
    audio = models.FileField(blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="kept") | ~Q(audio=""), name="voicemail_kept_has_audio"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state="due"), name="voicemail_to_fetch"
            ),
        ]

    def __str__(self) -> str:
        return f"Voicemail of {self.seconds} s"


class Message(Interaction):
    """A text or picture message to or from one of our numbers."""

    FINAL = ("failed", "undelivered", "canceled", "delivered", "read", "received")

    class Keyword(models.TextChoices):
        STOP = "STOP"
        START = "START"
        HELP = "HELP"

    body = models.TextField(blank=True)
    segments = models.PositiveSmallIntegerField(default=1)
    pictures = models.PositiveSmallIntegerField(default=0)
    keyword = models.CharField(max_length=5, choices=Keyword, blank=True)
    error_code = models.IntegerField(null=True)
    # Of an outgoing one: who wrote it (nobody for an automatic reply) and the form's key, so
    # that sending the form twice sends one message.
    sent_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    key = models.UUIDField(default=uuid.uuid4)
    # When the provider was asked to send it; committed before it is asked.
    called_at = models.DateTimeField(null=True)
    refusal_sentence = models.CharField(max_length=400, blank=True)
    # Of an incoming one: when mail, reply and so on had been seen to.
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="message_key_once"),
            models.CheckConstraint(
                condition=Q(direction__in=Direction.values), name="message_direction_known"
            ),
            models.CheckConstraint(
                condition=Q(direction="out") | Q(sid__isnull=False), name="message_in_has_sid"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(settled_at__isnull=True),
                name="message_settled_after_its_end",
            ),
        ]
        indexes = [
            models.Index(fields=["conversation", "-at", "-id"], name="message_of_conversation"),
            models.Index(
                fields=["number", "-at"],
                condition=Q(error_code__in=[30032, 30034]),
                name="message_not_registered",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False, settled_at__isnull=True),
                name="message_to_settle",
            ),
            models.Index(
                fields=["at"],
                condition=Q(direction="in", handled_at__isnull=True),
                name="message_to_handle",
            ),
            models.Index(
                fields=["at"],
                condition=Q(direction="out", ended_at__isnull=True),
                name="message_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} message {self.sid}"

    @property
    def arrived(self) -> bool:
        return self.status in ("delivered", "read")

    @property
    def failed(self) -> bool:
        return self.status in ("failed", "undelivered", "canceled")

    @property
    def status_shown(self) -> str:
        """How far it has got, for a person."""
        return STATUS_SHOWN.get(self.status, "On its way")

    @property
    def why_failed(self) -> str:
        """The reason, where it did not arrive and one is known."""
        if not self.failed:
            return ""
        return self.refusal_sentence or WHY_FAILED.get(self.error_code or 0, "")


class MediaFile(WorkspaceOwned):
    """A picture of a message. One that arrived is fetched from the provider and kept."""

    class State(models.TextChoices):
        DUE = "due", "Being fetched"
        KEPT = "kept", "Kept"
        REFUSED = "refused", "Not kept"

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="media")
    position = models.PositiveSmallIntegerField()
    sid = models.CharField(max_length=34, blank=True)
    content_type = models.CharField(max_length=80)
    state = models.CharField(max_length=7, choices=State, default=State.DUE)
    refused_because = models.CharField(max_length=120, blank=True)
    file = models.FileField(blank=True)
    size = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField()

    class Meta:
        ordering = ["message", "position"]
        constraints = [
            models.UniqueConstraint(fields=["message", "position"], name="media_position_once"),
            models.CheckConstraint(
                condition=~Q(state="kept") | ~Q(file=""), name="media_kept_has_file"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], condition=Q(state="due"), name="media_to_fetch"),
        ]

    def __str__(self) -> str:
        return f"{self.content_type} {self.position}"
