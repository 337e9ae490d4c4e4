"""People who hold phones in tests: what they do is written down beforehand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.simulator.live_call import Event, LiveCall, Wait
from telephony.simulator.schedule import Schedule

Tell = Callable[[LiveCall, Event], None]


@dataclass
class Scripted:
    """Each value is in seconds, and None means never.

    ``picks_up_after`` ringing; says ``speaks`` seconds to a recording; presses the next of
    ``keys`` when asked; hangs up after ``talks`` in a conversation, or after ``hangs_up_after``
    from the first thing that is heard.
    """

    schedule: Schedule
    tell: Tell
    picks_up_after: float | None = None
    busy: bool = False
    speaks: int | None = None
    keys: list[str] = field(default_factory=list)
    talks: float | None = None
    hangs_up_after: float | None = None
    _has_spoken: bool = False

    def asked(self, call: LiveCall, wait: Wait) -> None:
        if wait.why == "ring" and call.direction != "inbound":
            if self.busy:
                self._later(0.5, call, Event("busy"))
            elif self.picks_up_after is not None:
                self._later(self.picks_up_after, call, Event("answer"))
        elif wait.why == "gather" and self.keys:
            self._later(1, call, Event("digits", self.keys.pop(0)))
        elif wait.why == "record" and self.speaks is not None:
            if self._has_spoken:
                self._later(0.5, call, Event("digits", "#"))
            else:
                self._has_spoken = True
                self._later(0.5, call, Event("spoke", self.speaks))
        elif wait.why == "talk" and self.talks is not None:
            self._later(self.talks, call, Event("hangup"))
        if self.hangs_up_after is not None:
            after, self.hangs_up_after = self.hangs_up_after, None
            self._later(after, call, Event("hangup"))

    def _later(self, seconds: float, call: LiveCall, event: Event) -> None:
        self.schedule.after(seconds, lambda: self.tell(call, event))
