"""TwiML as it comes back from a webhook, read the way Twilio reads it."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

from telephony.simulator.postman import Outcome

XML_TYPES = ("text/xml", "application/xml", "text/html")
VOICE = {"Say", "Play", "Gather", "Dial", "Record", "Redirect", "Reject", "Hangup", "Pause"}


class NotTwiML(Exception):
    """Twilio's error code, and what it says about it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    """One element: its name, what is written in it, its attributes and what it holds."""

    name: str
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    nested: tuple["Verb", ...] = ()

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def seconds(self, name: str, default: int) -> int:
        text = self.get(name)
        return int(text) if text.isdigit() else default

    def says(self, name: str, default: bool = False) -> bool:
        return self.get(name, str(default).lower()) == "true"


def read(outcome: Outcome) -> list[Verb]:
    """The verbs of a document. Raises ``NotTwiML`` where Twilio would give up."""
    if outcome.reply is None:
        raise NotTwiML(outcome.error, "An attempt to retrieve content failed")
    content_type = outcome.reply.content_type.split(";")[0].strip()
    if outcome.reply.status == 204 or not outcome.reply.body.strip():
        return []
    if content_type == "text/plain":
        return [Verb("Say", outcome.reply.body.decode())]
    if content_type not in XML_TYPES:
        raise NotTwiML(12300, f"Invalid Content-Type {content_type}")
    try:
        root = ET.fromstring(outcome.reply.body)  # noqa: S314  our own answers
    except ET.ParseError as problem:
        raise NotTwiML(12100, f"Document parse failure: {problem}") from problem
    if root.tag != "Response":
        raise NotTwiML(12102, "The root of TwiML is Response")
    return [_verb(element) for element in root]


def _verb(element: ET.Element) -> Verb:
    return Verb(
        element.tag, (element.text or "").strip(), dict(element.attrib), tuple(map(_verb, element))
    )
