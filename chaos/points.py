"""The named points of a purchase at which a process is killed.

A point is a function of the product and a side of it. ``role`` is who must reach it: the web
process that buys for a person, or the worker that sweeps. ``fault`` is what must go wrong at
the provider so that it is reached at all.
"""

from dataclasses import dataclass

LOST, NEVER, TAKEN = "answer_lost", "timeout_before", "taken"


@dataclass(frozen=True, slots=True)
class Point:
    name: str
    where: str
    after: bool
    role: str = "web"
    fault: str = ""
    times: int = 1

    @property
    def key(self) -> str:
        return f"{self.role}: {self.name}"


def _web(name: str, where: str, side: str, fault: str = "", times: int = 1) -> Point:
    return Point(name, where, side == "after", "web", fault, times)


def _worker(name: str, where: str, side: str, fault: str, times: int = 1) -> Point:
    return Point(name, where, side == "after", "worker", fault, times)


POINTS = (
    _web("order not written", "numbers.place:_write_order", "before"),
    _web("order written, not committed", "numbers.place:_write_order", "after"),
    _web("order committed, nothing begun", "numbers.purchase:begin", "before"),
    _web("buying not noted", "numbers.order_log:advance", "before"),
    _web("buying noted, carrier not asked", "numbers.purchase:_ask", "before"),
    _web("request not sent", "telephony.client:WireClient.request", "before"),
    _web("answer there, not read", "telephony.client:WireClient.request", "after"),
    _web("answer read, nothing kept", "numbers.purchase:_ask", "after"),
    _web("outcome not written", "numbers.purchase:finish_line", "before"),
    _web("order locked", "numbers.purchase:locked_line", "after"),
    _web("money not captured", "numbers.purchase:_capture", "before"),
    _web("money captured", "numbers.purchase:_capture", "after"),
    _web("number written", "numbers.purchase:_write_number", "after"),
    _web("done, not committed", "numbers.purchase:_settle", "after"),
    _web("done and committed", "numbers.purchase:finish_line", "after"),
    _web("unknown not noted", "numbers.purchase:_check", "before", LOST),
    _web("unknown noted", "numbers.purchase:_check", "after", LOST),
    _web("refusal not written", "numbers.purchase:refuse_line", "before", TAKEN),
    _web("money given back, not committed", "numbers.purchase:_refuse", "after", TAKEN),
    _web("refused and committed", "numbers.purchase:refuse_line", "after", TAKEN),
    _worker("line taken", "numbers.settle:take", "after", LOST),
    _worker("carrier not asked about it", "telephony.provider:find", "before", LOST),
    _worker("found, nothing kept", "telephony.provider:find", "after", LOST),
    _worker("found, money captured", "numbers.purchase:_capture", "after", LOST),
    _worker("found, not committed", "numbers.purchase:_settle", "after", LOST),
    _worker("found and committed", "numbers.purchase:finish_line", "after", LOST),
    _worker("not asked again", "numbers.purchase:_ask", "before", NEVER),
    _worker("asked again, nothing kept", "numbers.purchase:_ask", "after", NEVER),
    _worker("not given up", "numbers.purchase:refuse_line", "before", NEVER, -1),
    _worker("given up, not committed", "numbers.purchase:_refuse", "after", NEVER, -1),
    _worker("given up and committed", "numbers.purchase:refuse_line", "after", NEVER, -1),
)
# Within these, each statement that goes to the database is a point of its own too.
EXTENTS = {"web": "numbers.purchase:purchase_number", "worker": "numbers.settle:settle_line"}
