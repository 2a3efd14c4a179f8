"""A page as a real browser shows it, served over loopback."""

import functools
import html
import json
import re
import shutil
import subprocess
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no browser: chromium is not installed")
_PROBE = """<!DOCTYPE html><link rel="icon" href="data:,"><style>body {{ margin: 0 }}</style>
<iframe id="page" src="index.html" style="width:{width}px;height:900px;border:0"></iframe><pre id="result"></pre>
<script>
document.getElementById("page").onload = event => {{
  const seen = event.target.contentDocument, view = event.target.contentWindow, root = seen.documentElement;
  seen.querySelectorAll("details").forEach(details => details.open = true);
  const images = [...seen.images], boxes = [...seen.querySelectorAll("main *")];
  const clipped = box => box.closest(".scroll") !== null;
  document.getElementById("result").textContent = JSON.stringify({{
    width: root.clientWidth, scroll: root.scrollWidth, images: images.length,
    broken: images.filter(image => !image.complete || image.naturalWidth === 0).length,
    outside: boxes.filter(box => !clipped(box) && box.getBoundingClientRect().right > root.clientWidth + 1).length,
    hacked: view.hacked === 1, requests: view.performance.getEntriesByType("resource").map(entry => entry.name),
  }});
}};
</script>"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def browser(scratch: Path) -> list[str]:
    """The command of a browser without a window, which writes its pages' console to standard error."""
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    return [*command, "--enable-logging=stderr", f"--user-data-dir={scratch / 'profile'}", "--window-size=1400,1000"]


def check_page(folder: Path, width: int, scratch: Path) -> dict[str, Any]:
    """Open `folder/index.html` this many pixels wide; nothing of it may be broken, cut off or fetched from elsewhere.

    Returns the measurements of the page, such as the number of `images`.
    """
    result, console = run_probe(_PROBE.format(width=width), folder, scratch)
    assert result["width"] <= width, result
    assert result["scroll"] <= result["width"], result
    assert not any(result[trouble] for trouble in ("outside", "broken", "requests", "hacked")), result
    assert console == []
    return result


def run_probe(probe: str, folder: Path, scratch: Path) -> tuple[Any, list[str]]:
    """Open a page beside those of a folder, whose script writes JSON into its element `result`.

    Returns:
        That JSON, and the lines that pages wrote to the browser's console.
    """
    (folder / "probe.html").write_text(probe)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [*browser(scratch), "--virtual-time-budget=10000", "--dump-dom"]
        command.append(f"http://127.0.0.1:{server.server_port}/probe.html")
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        server.shutdown()
    found = re.search(r'<pre id="result">(.+?)</pre>', done.stdout)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(html.unescape(found[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]
