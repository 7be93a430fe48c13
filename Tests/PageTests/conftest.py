"""A `ddn serve` with a run folder, and a headless Chromium that looks at it."""

import base64
import io
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import numpy
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
DDN = Path(os.environ.get("DDN", ROOT / ".build/release/ddn"))


class Server:
    """A `ddn serve` on loopback."""

    def __init__(self, *options, port=0):
        self.process = subprocess.Popen(
            [DDN, "serve", "--port", str(port), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("http://"):
            raise RuntimeError(f"ddn serve says {line!r} and {self.process.stderr.read()!r}")
        self.url = line.strip()
        self.port = int(self.url.rsplit(":", 1)[1])

    def stop(self, number=signal.SIGTERM):
        """Ends the server; returns its exit code and what it wrote to standard error."""
        self.process.send_signal(number)
        errors = self.process.communicate(timeout=30)[1]
        return self.process.returncode, errors


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A short training."""
    parent = tmp_path_factory.mktemp("runs")
    subprocess.run(
        [DDN, "train", "--outdir", parent, "--arch", "dense", "--nodes", "4", "--levels", "3",
         "--batch", "64", "--duration", "0.003", "--tick", "1"], check=True, capture_output=True)
    return next(parent.iterdir())


@pytest.fixture(scope="session")
def server(run_folder):
    server = Server("--run", str(run_folder), "--rate", "0")
    yield server
    code, errors = server.stop()
    assert (code, errors) == (0, ""), "the server has had errors of its own"


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, server):
    """Opens pages; a page must ask no other host, break no policy and write no errors to its console."""
    contexts, problems = [], []

    def visit(address="", url=server.url, allowed=(), **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # Machines may be busy.

        def note(text):
            # The tests read the canvas, which the browser advises against.
            if not any(re.search(pattern, text) for pattern in ["willReadFrequently", *allowed]):
                problems.append(text)

        page.on("console", lambda message: note(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: note(str(error)))
        page.on("request", lambda request: None if request.url.startswith((url, "data:", "blob:")) else note(request.url))
        page.goto(f"{url}/#{address}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert problems == []


def ready(page):
    """Waits for the twelve pictures that were asked for last: `[12, H, W]` or `[12, H, W, 3]` in 0...255."""
    page.locator('.samples[aria-busy="false"]').wait_for()
    page.get_by_text("Ready in").wait_for()
    return numpy.stack([pixels(url) for url in sources(page, ".samples img")])


def sources(page, selector):
    return page.eval_on_selector_all(selector, "images => images.map(image => image.src)")


def pixels(url):
    data = base64.b64decode(url.split(",", 1)[1])
    return numpy.asarray(Image.open(io.BytesIO(data)), dtype=float)


def stroke(page, *points):
    """Drags the mouse over the canvas; points are in parts of it."""
    box = page.locator("canvas").bounding_box()
    place = lambda point: (box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"])
    page.mouse.move(*place(points[0]))
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*place(point), steps=8)
    page.mouse.up()


def canvas_pixel(page, x, y):
    """Red, green, blue and opacity at a place of the canvas, in parts of it."""
    return page.eval_on_selector(
        "canvas", "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x * canvas.width, y * canvas.height, 1, 1).data]",
        [x, y])


def png(array):
    """A picture file of an array in 0...255."""
    file = io.BytesIO()
    Image.fromarray(numpy.asarray(array, dtype=numpy.uint8)).save(file, "PNG")
    return file.getvalue()


def shot(page, name):
    """Keeps a picture of the page in the folder of PAGE_SHOTS, if that is set."""
    folder = os.environ.get("PAGE_SHOTS")
    if folder:
        page.wait_for_timeout(200)
        page.screenshot(path=Path(folder) / f"{name}.png")
