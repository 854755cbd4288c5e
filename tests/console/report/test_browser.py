"""The page in a real browser, headless: drawn at two widths, nothing fetched. ``make browser``."""

from __future__ import annotations

import re
import shutil
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from console.report.page import page
from tests.console.report.pages import told

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH"),
]


def browse(folder: Path, place: Path, *arguments: str) -> bytes:
    """What the browser printed. Its profile and its log of the network lie in ``folder``."""
    assert BROWSER is not None
    argv = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}", *arguments, place.as_uri(),
    ]  # fmt: skip
    return subprocess.run(argv, capture_output=True, check=True, timeout=120).stdout


@pytest.fixture(scope="module", params=[False, True], ids=["told", "hostile"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    file = folder / "report.html"
    file.write_text(page(told(folder / "w", hostile=request.param)), encoding="utf-8")
    return file


def test_the_browser_builds_the_tree_that_was_written(place: Path, tmp_path: Path) -> None:
    tree = browse(tmp_path, place, "--dump-dom").decode()
    assert "<script" not in tree
    written = place.read_text(encoding="utf-8")
    for tag in ("section", "svg", "table", "li", "figure"):
        assert len(re.findall(f"<{tag}[ >]", tree)) == len(re.findall(f"<{tag}[ >]", written))


def test_what_got_into_the_page_would_fetch_nothing_and_run_nothing(place: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        planted = (
            f'<img src="http://127.0.0.1:{server.server_port}/image">'
            "<script>document.body.append('it ran')</script></body>"
        )
        file = tmp_path / "page.html"
        file.write_text(place.read_text(encoding="utf-8").replace("</body>", planted), encoding="utf-8")
        tree = browse(tmp_path, file, "--dump-dom").decode()
        assert asked == []
        assert tree.count("it ran") == 1, "as the text of the script alone"
        # Without the policy both do their work: the two lines above have examined something.
        file.write_text(f"<!doctype html><body>{planted}", encoding="utf-8")
        tree = browse(tmp_path, file, "--dump-dom").decode()
        assert asked == ["/image"]
        assert tree.count("it ran") == 2
        server.shutdown()


@pytest.mark.parametrize("width", [500, 1280])
def test_a_picture_is_drawn(place: Path, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "page.png"
    browse(tmp_path, place, f"--window-size={width},1600", f"--screenshot={picture}")
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") == width
    # A picture of one colour is a few kilobytes at most.
    assert len(data) > 20_000
