"""Somebody with a browser that shows no pictures: follows links, keeps cookies, sends forms."""

from __future__ import annotations

import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar


@dataclass(frozen=True)
class Seen:
    """A page."""

    status: int
    url: str
    text: str

    @property
    def words(self) -> str:
        """What can be read on it, in one line."""
        body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.text, flags=re.S)
        return " ".join(re.sub(r"<[^>]+>", " ", body).split())


class Visitor:
    """Nobody yet; `url` is where the hub is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, path: str, form: dict[str, str] | None = None) -> Seen:
        """Open an address; with a form, send it as the page before asked for it."""
        url = urllib.parse.urljoin(self.url, path)
        body = None if form is None else urllib.parse.urlencode(form).encode()
        # A browser says where a form comes from.
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
        try:
            with self._opener.open(urllib.request.Request(url, body, headers), timeout=30) as answer:
                return Seen(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as error:
            return Seen(error.code, error.url, error.read().decode())

    def fill(self, path: str, **fields: str) -> Seen:
        """Open a page and send its form."""
        page = self.open(path)
        found = re.search(r'name="_xsrf"\s+value="([^"]*)"', page.text)
        assert found, page.words
        return self.open(page.url, {"_xsrf": found[1], **fields})

    def sign_in(self, name: str, password: str) -> Seen:
        return self.fill("/hub/login?next=%2Fhub%2Fhome", username=name, password=password)
