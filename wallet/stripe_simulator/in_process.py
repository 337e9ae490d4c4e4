"""The same program, called in the same process through ``requests``, for tests."""

import io
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from wallet.stripe_simulator.app import ConnectionDropped, SimulatedStripe


class WSGIAdapter(BaseAdapter):
    """Mounted on a session, it answers from the program instead of from a socket."""

    def __init__(self, app: SimulatedStripe) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        response = requests.Response()

        def start_response(status: str, headers: list[tuple[str, str]]) -> None:
            response.status_code = int(status.split()[0])
            response.headers = CaseInsensitiveDict(headers)

        try:
            response._content = b"".join(self.app(_environ(request), start_response))
        except ConnectionDropped:
            raise requests.exceptions.ConnectionError(request=request) from None
        response.request, response.url, response.encoding = request, str(request.url), "utf-8"
        return response

    def close(self) -> None:
        pass


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    url = urlsplit(str(request.url))
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "HTTP_HOST": url.netloc,
        "HTTP_AUTHORIZATION": request.headers.get("Authorization", ""),
        "HTTP_IDEMPOTENCY_KEY": request.headers.get("Idempotency-Key", ""),
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
    }
