"""The site of docs/ as it is built: no broken link, nothing from elsewhere, readable on a phone."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browser import needs_browser, run_probe

ROOT = Path(__file__).parents[2]
PHONE, DESKTOP = 390, 1280
# One page after the other in a frame of this width; wide tables may scroll within themselves.
_PROBE = """<!DOCTYPE html><link rel="icon" href="data:,"><style>body {{ margin: 0 }}</style>
<iframe id="page" style="width:{width}px;height:900px;border:0"></iframe><pre id="result"></pre>
<script>
const pages = {pages}, seen = {{}}, frame = document.getElementById("page");
const look = () => {{
  const view = frame.contentWindow, root = view.document.documentElement, images = [...view.document.images];
  const scrolls = box => box.closest(".md-typeset__scrollwrap, pre, .md-sidebar, .md-search") !== null;
  seen[pages[0]] = {{
    width: root.clientWidth, scroll: root.scrollWidth,
    outside: [...view.document.querySelectorAll("article *")].filter(
      box => !scrolls(box) && box.getBoundingClientRect().right > root.clientWidth + 1
    ).map(box => box.outerHTML.slice(0, 80)),
    broken: images.filter(image => !image.complete || image.naturalWidth === 0).length,
    elsewhere: view.performance.getEntriesByType("resource").map(entry => entry.name).filter(
      name => !name.startsWith(location.origin)
    ),
  }};
  pages.shift();
  if (pages.length) frame.src = pages[0];
  else document.getElementById("result").textContent = JSON.stringify(seen);
}};
frame.onload = () => setTimeout(look, 50);
frame.src = pages[0];
</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; building is strict: a broken link, anchor or snippet is an error."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.glob("*.html"):
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]+src=\"?([^\"> ]+)", page.read_text())
        loaded += re.findall(r"<link[^>]+href=\"?([^\"> ]+)", page.read_text())
        assert [link for link in loaded if "://" in link] == []
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\"?https?:|@import", style.read_text()) == []


def test_examples_and_tables_are_on_the_pages(site: Path) -> None:
    assert "def write_annotations" in re.sub("<[^>]+>", "", (site / "extending.html").read_text())
    assert "--8&lt;--" not in (site / "extending.html").read_text()
    assert (site / "results.html").read_text().count("<table>") > 20
    assert not (site / "examples").exists()


def test_search_knows_the_pages(site: Path) -> None:
    assert "weighted boxes fusion" in (site / "search" / "search_index.json").read_text()


@needs_browser
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_pages_fit_the_screen(site: Path, width: int, tmp_path: Path) -> None:
    names = sorted(path.name for path in site.glob("*.html") if path.name not in ("404.html", "probe.html"))
    pages: dict[str, Any]
    pages, console = run_probe(_PROBE.format(width=width, pages=names), site, tmp_path)
    assert sorted(pages) == names
    assert len(names) >= 17
    for name, page in pages.items():
        assert page["width"] <= width, name
        assert page["scroll"] <= page["width"], (name, page)
        assert not any(page[trouble] for trouble in ("outside", "broken", "elsewhere")), (name, page)
    assert console == []
