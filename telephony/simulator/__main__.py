"""``python -m telephony.simulator --port 8001 --state simulator.sqlite3``

The credentials come from TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, an API key from
TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET, the test pair from TWILIO_TEST_ACCOUNT_SID and
TWILIO_TEST_AUTH_TOKEN.
"""

import argparse
import os

from telephony.simulator.app import TEST_ACCOUNT, TEST_TOKEN, Credentials, SimulatedTwilio
from telephony.simulator.schedule import RealSchedule
from telephony.simulator.server import serve
from telephony.simulator.state import State


def main() -> None:
    parser = argparse.ArgumentParser(description="Twilio's side of the wire, simulated.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", default=":memory:", help="the SQLite file that remembers")
    options = parser.parse_args()
    others = {
        "key": os.environ.get("TWILIO_API_KEY_SID", ""),
        "secret": os.environ.get("TWILIO_API_KEY_SECRET", ""),
        "test_account": os.environ.get("TWILIO_TEST_ACCOUNT_SID", TEST_ACCOUNT),
        "test_token": os.environ.get("TWILIO_TEST_AUTH_TOKEN", TEST_TOKEN),
    }
    credentials = Credentials(
        os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"], **others
    )
    schedule = RealSchedule()
    schedule.start()
    simulator = SimulatedTwilio(credentials, State(options.state), schedule=schedule)
    serve(simulator, host=options.host, port=options.port)


main()
