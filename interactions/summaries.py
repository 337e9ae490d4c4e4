"""What a route does, in sentences."""

from itertools import groupby

from interactions.plans import DAYS, Answer, Answers, CallerId, Hours, MessagePlan, VoicePlan
from lib import e164 as formats
from telephony.twiml import Greeting
from workspaces.models import Membership, Workspace


def voice_summary(plan: VoicePlan, workspace: Workspace) -> list[str]:
    """One sentence for each thing that may happen to a call."""
    if plan.hours is None or plan.closed is None:
        return answer_summary(plan.answer)
    opening = f"Open {hours_summary(plan.hours)} ({workspace.time_zone})."
    first, *more = answer_summary(plan.answer)
    closed, *_rest = answer_summary(plan.closed)
    return [opening, f"When open: {_lower(first)}", *more, f"When closed: {_lower(closed)}"]


def answer_summary(answer: Answer) -> list[str]:
    if answer.kind == Answers.SAY:
        return [f"The caller hears {_greeting(answer.greeting)}, and the call ends."]
    if answer.is_voicemail:
        written = ", which is also written down" if answer.transcribe else ""
        return [f"Voicemail: the caller hears {_greeting(answer.greeting)} and can leave a message"
                f"{written}."]  # fmt: skip
    phones = _listed([formats.international(phone) for phone in answer.phones])
    how = ""
    if len(answer.phones) > 1:
        how = " all at once" if answer.together else " one after the other"
    shown = "the caller's number" if answer.caller_id == CallerId.CALLER else "this number"
    whisper = (
        " Whoever picks up hears what the call is and takes it with a key."
        if answer.whisper
        else ""
    )
    each = " each" if not answer.together and len(answer.phones) > 1 else ""
    sentences = [f"Calls ring {phones}{how}, for {answer.seconds} seconds{each}, showing {shown}."
                 f"{whisper}"]  # fmt: skip
    if answer.fallback:
        sentences += [f"If nobody takes it: {_lower(answer_summary(answer.fallback)[0])}"]
    return sentences


def names_of(plan: MessagePlan, workspace: Workspace) -> dict[int, str]:
    """The people that a plan mails, as far as they are still in the workspace."""
    if not plan.mail_to:
        return {}
    people = Membership.objects.for_workspace(workspace).filter(user__in=plan.mail_to)
    return {row.user_id: str(row.user) for row in people.select_related("user")}


def message_summary(plan: MessagePlan, names: dict[int, str]) -> list[str]:
    """``names`` are the people that may be mailed, by id."""
    sentences = ["Messages are kept in the inbox."]
    if mailed := sorted(names[pk] for pk in plan.mail_to if pk in names):
        sentences.append(f"They are mailed to {_listed(mailed)}.")
    if plan.reply:
        sentences.append(f"The sender gets the reply {_quoted(plan.reply)}.")
    return sentences


def hours_summary(hours: Hours) -> str:
    """``Monday to Friday 09:00–17:00, Saturday 10:00–12:00, closed on 2 holidays``"""
    parts = []
    for spans, group in groupby(enumerate(hours.days), key=lambda pair: pair[1]):
        places = [place for place, _spans in group]
        if not spans:
            continue
        days = DAYS[places[0]]
        if len(places) > 1:
            days += f" to {DAYS[places[-1]]}" if len(places) > 2 else f" and {DAYS[places[-1]]}"
        times = _listed([f"{a:%H:%M}–{b:%H:%M}" for a, b in spans])
        parts.append(f"{days} {times}")
    if hours.holidays:
        count = len(hours.holidays)
        parts.append(f"closed on {count} holiday{'' if count == 1 else 's'}")
    return ", ".join(parts) or "never"


def _greeting(greeting: Greeting) -> str:
    if greeting.recording_url:
        return f"the recording at {greeting.recording_url}"
    return _quoted(greeting.text)


def _quoted(text: str) -> str:
    shown = text if len(text) <= 120 else text[:119] + "…"
    return f"“{shown}”"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))
