"""Why isn't it working: does a messaging service at the carrier take the number's messages?

``settings.NUMBER_CHECKS`` names ``checks``.
"""

from numbers.models import Number
from numbers.number_why import INBOUND, compare_button
from numbers.pools import finding_of
from numbers.reports import Finding, Verdict
from telephony.errors import ProviderError
from workspaces.models import Membership

CAUSE, TITLE = "messaging_service", "Messaging service"


def checks(membership: Membership, number: Number, carrier_answers: bool) -> list[Finding]:
    """One line. The carrier is asked only where it has just answered."""
    if not carrier_answers:
        return [_unknown("It shows once the carrier tells what it has.")]
    try:
        found = finding_of(number)
    except ProviderError:
        return [_unknown("It could not be looked into now. The hourly comparison does.")]
    if found is None:
        none = "No messaging service at the carrier takes its messages."
        return [Finding(CAUSE, TITLE, Verdict.OK, none, group=INBOUND)]
    name, address = found.theirs["service_name"], found.theirs["service_url"]
    where = f"sends them to {address}" if address else "drops them"
    words = f"It is in the carrier's messaging service {name}, which takes its messages and {where}"
    return [
        Finding(CAUSE, TITLE, Verdict.PROBLEM, f"{words}.", *compare_button(membership, number),
                group=INBOUND)
    ]  # fmt: skip


def _unknown(words: str) -> Finding:
    return Finding(CAUSE, TITLE, Verdict.UNKNOWN, words, group=INBOUND)
