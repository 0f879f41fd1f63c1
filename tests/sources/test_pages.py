"""An endpoint of pages on loopback: asked politely, again where it fails, and never half."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest

from lakehouse.errors import DeclarationError, InputMissing
from lakehouse.feed import feed
from lakehouse.formats import rows_of
from lakehouse.sources.declared import Source, sources
from lakehouse.sources.fetch import fetch
from lakehouse.unpack import LIMITS

DAY, ZONE = "2015-12-05", "Asia/Shanghai"
ROWS = [{"id": n, "wage": float(n) + 0.5, "told_at": f"{DAY} 08:00:00"} for n in range(1, 8)]


class Endpoint(BaseHTTPRequestHandler):
    """Seven rows, three a page, in four ways. `fails` answers so often with an error first."""

    fails: list[int | bytes] = []
    asked: list[str] = []
    tokens: list[str | None] = []

    def do_GET(self) -> None:
        url = urlparse(self.path)
        told = parse_qs(url.query)
        type(self).asked.append(self.path)
        type(self).tokens.append(self.headers.get("Authorization"))
        if self.fails:
            wrong = type(self).fails.pop(0)
            if isinstance(wrong, bytes):
                # It promises more than it gives, and hangs up.
                self.send_response(200)
                self.send_header("Content-Length", "100000")
                self.end_headers()
                self.wfile.write(wrong)
                self.close_connection = True
            else:
                self.send_error(wrong)
            return
        if url.path == "/text":
            self._answer(b"<html>")
            return
        number = int(told.get("page", told.get("cursor", ["1"]))[0])
        rows = ROWS[3 * number - 3 : 3 * number]
        more = number + 1 if 3 * number < len(ROWS) else None
        if url.path == "/for_ever":
            more = 1
        answer: object = {"data": {"items": rows}, "next": more}
        if url.path == "/links":
            answer = {"items": rows, "links": {"next": more and f"/links?page={more}"}}
        self._answer(json.dumps(rows if url.path == "/plain" else answer).encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    Endpoint.fails, Endpoint.asked, Endpoint.tokens = [], [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def source(url: str, **said: object) -> Source:
    return Source("job_api", "pages", url, "job_jsonl", **said)  # type: ignore[arg-type]


def ids(source_: Source, landing: Path) -> list[str | None]:
    made = fetch(source_, DAY, landing, ZONE)
    assert made is not None
    [file] = made.files()
    rows = [r for _, r, _, _ in rows_of(made.folder / file.name, feed("job_jsonl"), LIMITS) if r]
    assert [row["wage"] for row in rows[:2]] == ["1.5", "2.5"]
    return [row["job_id"] for row in rows]


WAYS = {
    "cursor": {"path": "/pages", "rows": "data.items", "next": "next", "cursor": "cursor"},
    "page": {"path": "/plain", "page": "page"},
    "links": {"path": "/links?month={period}", "rows": "items", "next": "links.next"},
}


@pytest.mark.parametrize("way", list(WAYS))
def test_every_page_in_its_order(endpoint: str, mapped: Path, way: str):
    said = dict(WAYS[way])
    path = said.pop("path")
    assert ids(source(endpoint + path, **said), mapped) == [str(n) for n in range(1, 8)]
    assert fetch(source(endpoint + path, **said), DAY, mapped, ZONE) is None
    if way == "links":
        assert Endpoint.asked[0] == f"/links?month={DAY}"


def test_it_is_asked_again_where_it_fails(
    endpoint: str, mapped: Path, monkeypatch: pytest.MonkeyPatch
):
    """Overload, an error of its own, and a connection that ends in the middle of a page."""
    monkeypatch.setenv("JOB_TOKEN", "t0ken")
    Endpoint.fails = [503, 429, b'{"data": {"items": [{"id": 1']
    one = source(endpoint + "/pages", rows="data.items", next="next", cursor="cursor",
                 token_env="JOB_TOKEN")  # fmt: skip
    assert ids(one, mapped) == [str(n) for n in range(1, 8)]
    assert len(Endpoint.asked) == 3 + 3
    assert set(Endpoint.tokens) == {"Bearer t0ken"}


@pytest.mark.parametrize(
    ("path", "fails", "word"),
    [
        ("/pages", [500] * 9, "page 1 did not come in 2 tries .answered with 500"),
        ("/pages", [b"{", b"{"], "page 1 did not come in 2 tries .RemoteProtocolError"),
        ("/pages", [404], "page 1 was answered with 404"),
        ("/text", [], "page 1 is no JSON"),
        ("/links", [], "page 1 has no list of objects at 'data.items'"),
        ("/for_ever", [], "page 3 is one that was there before"),
    ],
)
def test_what_does_not_come_is_said_and_leaves_nothing(
    endpoint: str, mapped: Path, path: str, fails: list[int | bytes], word: str
):
    Endpoint.fails = list(fails)
    one = source(endpoint + path, rows="data.items", next="next", cursor="cursor", tries=2)
    with pytest.raises(InputMissing, match=word):
        fetch(one, DAY, mapped, ZONE)
    assert not [found for found in mapped.rglob("*") if found.is_file()]


def test_a_source_that_dies_in_a_later_page_leaves_nothing(endpoint: str, mapped: Path):
    one = source(endpoint + "/links", rows="items", next="links.next", tries=1)

    class Later(list[int | bytes]):
        """Nothing fails until the third question."""

        def __bool__(self) -> bool:
            return len(Endpoint.asked) >= 3

    Endpoint.fails = Later([500])
    with pytest.raises(InputMissing, match="page 3 did not come"):
        fetch(one, DAY, mapped, ZONE)
    assert not [found for found in mapped.rglob("*") if found.is_file()]
    Endpoint.fails = []
    assert len(ids(one, mapped)) == 7


def test_declarations(tmp_path: Path):
    path = tmp_path / "sources.toml"
    path.write_text('[a]\nkind = "pages"\nfeed = "tax"\nurl = "http://x"\npage = "p"\n')
    assert sources(path)["a"].page == "p"
    for text, word in (
        ('[a]\nkind = "page"', "kind is 'page'; known are table, pages"),
        ('[a]\nkind = "pages"\nfeed = "tax"', r"\[a\] needs 'url'"),
        ('[a]\nkind = "table"\nfeed = "tax"\nurl = "x"', r"\[a\] needs 'table'"),
        ('[a]\nkind = "pages"\nfed = "tax"', "unknown key 'fed'. Did you mean 'feed'"),
        ('[a]\nkind = "table"\nfeed = "t"\nurl = "x"\ntable = "y"\nnew = "id"', "time or key"),
    ):
        path.write_text(text)
        with pytest.raises(DeclarationError, match=word):
            sources(path)
