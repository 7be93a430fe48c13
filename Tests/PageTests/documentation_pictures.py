"""Takes the pictures of Documentation/Serve.md from a server that watches a run.

    ddn serve --run runs/00000-mnist & python Tests/PageTests/documentation_pictures.py http://127.0.0.1:8080 face.png

Needs Playwright and Chromium, as scripts/page-tests installs them, and a 64x64 face for the compressed picture.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

url, face = sys.argv[1:]
folder = Path(__file__).parents[2] / "Documentation" / "images"


def stroke(page, *points):
    box = page.locator("canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def ready(page):
    page.locator('.samples[aria-busy="false"]').wait_for()
    page.get_by_text("Ready in").wait_for()
    page.wait_for_timeout(300)


def colour(page, name, size):
    page.get_by_label("Size").fill(str(size))
    page.get_by_role("radio", name=name, exact=True).click()


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=["--no-sandbox"])
    page = browser.new_context(viewport={"width": 1180, "height": 790}).new_page()

    page.goto(f"{url}/#draw/cifar10")
    ready(page)
    page.get_by_role("radio", name="ship").click()
    page.evaluate("scrollTo(0, 0)")
    colour(page, "sky blue", 30)
    stroke(page, (0.05, 0.15), (0.95, 0.15))
    stroke(page, (0.05, 0.3), (0.95, 0.3))
    colour(page, "blue", 30)
    stroke(page, (0.05, 0.85), (0.95, 0.85))
    colour(page, "white", 14)
    stroke(page, (0.3, 0.58), (0.7, 0.58))
    stroke(page, (0.5, 0.35), (0.5, 0.58))
    page.evaluate("scrollTo(0, 0)")
    page.mouse.move(5, 700)
    ready(page)
    page.get_by_role("button", name="New ones").click()
    page.wait_for_timeout(200)
    ready(page)
    page.screenshot(path=folder / "serve-draw.png")

    page.goto(f"{url}/#tree/mnist-k8-l5/5.2.4")
    page.get_by_text("choose one of").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "serve-tree.png")

    page.goto(f"{url}/#picture/faces64")
    page.get_by_role("radio", name="smiling", exact=True).click()
    page.get_by_label("Choose a picture").set_input_files(face)
    page.get_by_text("How many bytes?").wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=folder / "serve-picture.png", full_page=True)

    page.goto(f"{url}/#train")
    page.locator("img.sheet").wait_for()
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / "serve-train.png", full_page=True)
    browser.close()
