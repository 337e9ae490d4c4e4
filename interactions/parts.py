"""Which parts of a call are known by their reports: the phones that it was forwarded to, and
what was recorded of it.
"""

from interactions.models import Call
from interactions.routing import step_of

Outcome = Call.Outcome
# To be fetched beside the calls of which ``are_known`` is asked.
PARTS = ("legs", "voicemails")
WITHOUT_RECORDING = (Outcome.ANSWERED, Outcome.ANNOUNCED, Outcome.FAX)


def are_known(call: Call) -> bool:
    """Whether a call that is over has all that it can have; the carrier knows where not.

    A phone that rang is a part though nobody spoke: a mailbox may have picked it up.
    """
    if not call.is_incoming or not call.sid:
        return True
    if call.answer:  # an answerer's own document may do anything
        return not call.seconds or any(leg.seconds for leg in call.legs.all()) or _recorded(call)
    if not _phones_are_known(call):
        return False
    return not call.seconds or call.outcome in WITHOUT_RECORDING or _recorded(call)


def _phones_are_known(call: Call) -> bool:
    """Every phone that was rung has been reported, round by round until one took the call."""
    step = step_of(call)
    if not step.is_forward or call.is_loop or call.limit_seconds == 0:
        return True
    reported = {leg.e164 for leg in call.legs.all()}
    for phones in step.rounds:
        if not reported.issuperset(phones):
            return False
        if call.answered_by in phones:
            return True
    return True


def _recorded(call: Call) -> bool:
    """A voicemail without a length is known from its transcription alone."""
    return any(voicemail.seconds for voicemail in call.voicemails.all())
