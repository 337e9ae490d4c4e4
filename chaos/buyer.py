"""A person with a browser: reviews numbers, confirms, and tries again when nothing comes."""

import re
import threading
import time
from dataclasses import dataclass

import requests

PATIENCE = 30.0
QUOTE = re.compile(r'name="quote" value="([^"]+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

TITLE = re.compile(r"<h[12][^>]*>([^<]+)</h")


class NotReviewed(Exception):
    """The review page did not offer to buy: the number is gone."""


@dataclass(frozen=True, slots=True)
class Form:
    """What the review page would send."""

    fields: dict[str, str]
    cookies: dict[str, str]


class Buyer:
    """``order`` gives the reference of the order, or what the page said instead."""

    def __init__(self, address: str, slug: str, cookies: dict[str, str]) -> None:
        self.base = f"{address}/w/{slug}/numbers"
        self.cookies = cookies
        self.local = threading.local()

    def review(self, numbers: list[str]) -> Form:
        query = [("country", "US"), *(("pick", f"local:{number}") for number in numbers)]
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                page = self._session().get(f"{self.base}/buy/review/", params=query, timeout=10)
            except requests.RequestException:
                page = None
            if page is not None and page.status_code == 200 and (quote := QUOTE.search(page.text)):
                token = TOKEN.search(page.text)
                assert token is not None
                fields = {"quote": quote[1], "csrfmiddlewaretoken": token[1]}
                return Form(fields, self._session().cookies.get_dict())
            busy = page is not None and "does not answer" in page.text
            if page is not None and not busy and page.status_code in (403, 404, 422):
                raise NotReviewed(f"{page.status_code} {' '.join(TITLE.findall(page.text))}")
            if time.monotonic() > deadline:
                raise NotReviewed(f"no page: {page and page.status_code}")
            time.sleep(0.1)

    def order(self, form: Form) -> str:
        """Raises ``requests.RequestException`` when the connection breaks."""
        answer = self._session().post(
            f"{self.base}/orders/", data=form.fields, cookies=form.cookies,
            allow_redirects=False, timeout=15,
        )  # fmt: skip
        if answer.status_code == 302:
            return answer.headers["Location"].rstrip("/").rsplit("/", 1)[-1]
        return f"page {answer.status_code}"

    def order_until_answered(self, form: Form) -> str:
        """As people do: the same form again until a page comes."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = self.order(form)
            except requests.RequestException:
                answer = ""
            if answer and answer != "page 500":
                return answer
            time.sleep(0.1)
        return "no answer"

    def look(self, reference: str) -> None:
        """Open the order's page once, as the browser does by itself every two seconds."""
        try:
            self._session().get(f"{self.base}/orders/{reference}/", timeout=10)
        except requests.RequestException:
            return

    def _session(self) -> requests.Session:
        if not hasattr(self.local, "session"):
            self.local.session = requests.Session()
            self.local.session.cookies.update(self.cookies)
        return self.local.session
