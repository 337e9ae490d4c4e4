"""What a person decides about a number. Shape only; where calls may go, the operation says."""

import re
from datetime import date, time
from typing import Any

from django import forms

from interactions.plans import (
    DAYS,
    STANDARD_CLOSED,
    STANDARD_GREETING,
    Answer,
    Answers,
    CallerId,
    Hours,
    MessagePlan,
    Span,
    VoicePlan,
)
from telephony.twiml import Greeting, printable
from workspaces.models import Membership, Workspace
from workspaces.permissions import INBOX_VIEW

MOST_PHONES = 10
LONGEST_GREETING = 1000
MOST_HOLIDAYS = 100
SPAN = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|\u2013|to)\s*(\d{1,2})(?:[:.](\d{2}))?")
FALLBACKS = [(Answers.VOICEMAIL, "Take a voicemail"), (Answers.SAY, "Say the words and hang up")]


class SpokenField(forms.CharField):
    """Words for a caller to hear."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=LONGEST_GREETING,
                         widget=forms.Textarea(attrs={"rows": 3}), **options)  # fmt: skip

    def clean(self, value: Any) -> str:
        return " ".join(printable(super().clean(value)).split())


class RecordingField(forms.URLField):
    """Where a recording lies that is played instead of the words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=500, assume_scheme="https", **options)

    def clean(self, value: Any) -> str:
        url = super().clean(value)
        if url and not url.startswith("https://"):
            raise forms.ValidationError("Give an address that begins with https://.")
        return url


class HoursField(forms.CharField):
    """The hours of a day: ``09:00-12:00, 13:00-17:00``; empty means closed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=80, **options)

    def clean(self, value: Any) -> tuple[Span, ...]:
        text = super().clean(value)
        return tuple(self._span(part.strip()) for part in text.split(",") if part.strip())

    @staticmethod
    def _span(text: str) -> Span:
        match = SPAN.fullmatch(text)
        try:
            if match is None:
                raise ValueError
            a, b, c, d = (int(part or 0) for part in match.groups())
            opens, closes = time(a, b), time(c % 24, d)
            if c > 24 or (c == 24 and d):
                raise ValueError
        except ValueError:
            raise forms.ValidationError(
                f"{text} is not understood. Write hours as 09:00-17:00."
            ) from None
        if closes <= opens and closes != time(0):
            raise forms.ValidationError(
                f"{text} ends before it begins. For a night, write two: 22:00-24:00 on this day "
                "and 00:00-06:00 on the next."
            )
        return opens, closes


class VoiceRouteForm(forms.Form):
    """Who answers calls."""

    answer = forms.ChoiceField(
        choices=[
            (Answers.FORWARD, "Forward to phones"),
            (Answers.VOICEMAIL, "Take a voicemail"),
            (Answers.SAY, "Say something and hang up"),
        ],
        widget=forms.RadioSelect,
    )
    phones = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    ring = forms.ChoiceField(
        required=False, choices=[("together", "All at once"), ("in_turn", "One after the other")]
    )
    seconds = forms.IntegerField(required=False, min_value=5, max_value=60)
    caller_id = forms.ChoiceField(
        required=False,
        choices=[
            (CallerId.CALLER, "The caller's number"), (CallerId.NUMBER, "This number"),
        ],
    )  # fmt: skip
    whisper = forms.BooleanField(required=False)
    fallback = forms.ChoiceField(required=False, choices=FALLBACKS)
    greeting = SpokenField()
    greeting_url = RecordingField()
    transcribe = forms.BooleanField(required=False)
    words = SpokenField()
    words_url = RecordingField()
    by_hours = forms.BooleanField(required=False)
    closed = forms.ChoiceField(required=False, choices=FALLBACKS)
    closed_words = SpokenField()
    closed_url = RecordingField()
    holidays = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    monday = HoursField()
    tuesday = HoursField()
    wednesday = HoursField()
    thursday = HoursField()
    friday = HoursField()
    saturday = HoursField()
    sunday = HoursField()

    @property
    def days(self) -> list[forms.BoundField]:
        """The hours, Monday first."""
        return [self[day.lower()] for day in DAYS]

    def clean_phones(self) -> tuple[str, ...]:
        lines = re.split(r"[\n,;]", self.cleaned_data["phones"])
        phones = tuple(printable(line).strip() for line in lines if line.strip())
        if len(phones) > MOST_PHONES:
            raise forms.ValidationError(f"At most {MOST_PHONES} phones can ring.")
        return phones

    def clean_holidays(self) -> frozenset[date]:
        days = set()
        for text in re.split(r"[\s,;]+", self.cleaned_data["holidays"].strip()):
            if not text:
                continue
            try:
                days.add(date.fromisoformat(text))
            except ValueError:
                raise forms.ValidationError(
                    f"{text} is not a date. Write it as 2026-12-25, one a line."
                ) from None
        if len(days) > MOST_HOLIDAYS:
            raise forms.ValidationError(f"At most {MOST_HOLIDAYS} holidays are kept.")
        return frozenset(days)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        kind = cleaned.get("answer")
        if kind == Answers.FORWARD and not cleaned.get("phones") and "phones" not in self.errors:
            self.add_error("phones", "Give at least one phone, for example +1 212 555 0123.")
        says = kind == Answers.SAY or (
            kind == Answers.FORWARD and cleaned.get("fallback") == Answers.SAY
        )
        if says and not cleaned.get("words") and not cleaned.get("words_url"):
            self.add_error("words", "Write what the caller shall hear.")
        days = [cleaned.get(day.lower()) for day in DAYS]
        if cleaned.get("by_hours") and not any(days) and not self.errors:
            self.add_error("monday", "Give the hours of at least one day.")
        return cleaned

    def plan(self) -> VoicePlan:
        """What is decided, from a valid form."""
        cleaned = self.cleaned_data
        answer = self._answer(Answers(cleaned["answer"]))
        if not cleaned["by_hours"]:
            return VoicePlan(answer)
        hours = Hours(tuple(cleaned[day.lower()] for day in DAYS), cleaned["holidays"])
        kind = Answers(cleaned["closed"] or Answers.SAY)
        standard = STANDARD_CLOSED if kind == Answers.SAY else STANDARD_GREETING
        greeting = _greeting(cleaned["closed_words"], cleaned["closed_url"], standard)
        closed = Answer(kind=kind, greeting=greeting, transcribe=self._transcribes(kind))
        return VoicePlan(answer, hours, closed)

    def _answer(self, kind: Answers) -> Answer:
        cleaned = self.cleaned_data
        if kind == Answers.SAY:
            return Answer(kind=kind, greeting=_greeting(cleaned["words"], cleaned["words_url"], ""))
        if kind == Answers.VOICEMAIL:
            greeting = _greeting(cleaned["greeting"], cleaned["greeting_url"], STANDARD_GREETING)
            return Answer(kind=kind, greeting=greeting, transcribe=self._transcribes(kind))
        return Answer(
            kind=kind,
            phones=cleaned["phones"],
            together=cleaned["ring"] != "in_turn",
            seconds=cleaned["seconds"] or 20,
            caller_id=CallerId(cleaned["caller_id"] or CallerId.CALLER),
            whisper=cleaned["whisper"],
            fallback=self._answer(Answers(cleaned["fallback"] or Answers.VOICEMAIL)),
        )

    def _transcribes(self, kind: Answers) -> bool:
        return bool(kind == Answers.VOICEMAIL and self.cleaned_data["transcribe"])


def _greeting(words: str, url: str, standard: str) -> Greeting:
    return Greeting(recording_url=url) if url else Greeting(text=words or standard)


def initial_of(plan: VoicePlan) -> dict[str, Any]:
    """The form as it is shown for a plan."""
    first = plan.answer
    initial: dict[str, Any] = {
        "answer": first.kind, "phones": "\n".join(first.phones),
        "ring": "together" if first.together else "in_turn", "seconds": first.seconds,
        "caller_id": first.caller_id, "whisper": first.whisper,
        "fallback": first.fallback.kind if first.fallback else Answers.VOICEMAIL,
        "by_hours": plan.hours is not None, "closed": Answers.SAY,
        "greeting": STANDARD_GREETING, "closed_words": STANDARD_CLOSED,
    }  # fmt: skip
    for answer in filter(None, (first, first.fallback)):
        if answer.is_voicemail:
            initial |= {"greeting": answer.greeting.text, "transcribe": answer.transcribe,
                        "greeting_url": answer.greeting.recording_url}  # fmt: skip
        elif answer.kind == Answers.SAY:
            initial |= {"words": answer.greeting.text, "words_url": answer.greeting.recording_url}
    if plan.closed:
        initial |= {"closed": plan.closed.kind, "closed_words": plan.closed.greeting.text,
                    "closed_url": plan.closed.greeting.recording_url,
                    "transcribe": initial.get("transcribe") or plan.closed.transcribe}  # fmt: skip
    hours = plan.hours
    for place, day in enumerate(DAYS):
        spans = hours.days[place] if hours else (((time(9), time(17)),) if place < 5 else ())
        initial[day.lower()] = ", ".join(f"{a:%H:%M}-{_end(b)}" for a, b in spans)
    if hours:
        initial["holidays"] = "\n".join(sorted(day.isoformat() for day in hours.holidays))
    return initial


def _end(closes: time) -> str:
    return "24:00" if closes == time(0) else f"{closes:%H:%M}"


class MessageRouteForm(forms.Form):
    """What happens with messages beside the inbox."""

    mail_to = forms.TypedMultipleChoiceField(
        required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    reply = forms.CharField(
        required=False, max_length=480, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Membership.objects.for_workspace(workspace).who_can(INBOX_VIEW)
        self.people = {row.user_id: row.user for row in people.select_related("user")}
        self.fields["mail_to"].choices = [  # type: ignore[attr-defined]
            (str(pk), f"{user} ({user.email})") for pk, user in self.people.items()
        ]

    @property
    def names(self) -> dict[int, str]:
        """Everybody who may be mailed."""
        return {pk: str(user) for pk, user in self.people.items()}

    def clean_reply(self) -> str:
        return printable(self.cleaned_data["reply"]).strip()

    def plan(self) -> MessagePlan:
        return MessagePlan(tuple(sorted(self.cleaned_data["mail_to"])), self.cleaned_data["reply"])
