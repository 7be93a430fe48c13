"""What all pages share: themes, sizes, names, keys; and the training."""

import numpy
import pytest
from conftest import ready, shot

PAGES = ["draw/mnist", "tree/mnist-k8-l3/5.2", "picture/faces64", "train"]


def settle(page, address):
    if address.startswith("draw"):
        ready(page)
    else:
        page.locator("main section:not([hidden]) .card, main section:not([hidden]) .drop").first.wait_for()
        page.wait_for_timeout(400)


@pytest.mark.parametrize("address", PAGES)
def test_phones_need_no_scrolling_sideways(visit, address):
    page = visit(address)
    page.set_viewport_size({"width": 360, "height": 740})
    settle(page, address)
    shot(page, f"phone-{address.split('/')[0]}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_have_contrast(visit, scheme):
    for address in PAGES:
        page = visit(address, color_scheme=scheme)
        settle(page, address)
        shot(page, f"{scheme}-{address.split('/')[0]}")
        ratios = page.evaluate(CONTRASTS)
        assert min(ratios, key=lambda pair: pair[0])[0] >= 4.5, min(ratios)
        brightness = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (numpy.mean([int(part) for part in brightness[4:-1].split(",")]) > 128) == (scheme == "light")


# Of every text that is seen: its contrast with the nearest background, by WCAG 2, and the text.
CONTRASTS = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => parts(colour).slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest(':disabled, svg, noscript')) continue;
    const pair = [luminance(getComputedStyle(element).color), luminance(background(element))].sort((a, b) => b - a);
    found.push([(pair[0] + 0.05) / (pair[1] + 0.05), walker.currentNode.data]);
  }
  return found;
}"""


def test_the_theme_can_be_changed_and_stays(visit):
    page = visit("draw/mnist", color_scheme="light")
    page.get_by_role("button", name="Change between light and dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    ready(page)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark != "rgb(246, 245, 242)"


@pytest.mark.parametrize("address", PAGES)
def test_everything_has_a_name(visit, address):
    page = visit(address)
    settle(page, address)
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, img, canvas, [role]')]
      .filter((element) => element.checkVisibility() && element.getAttribute('role') !== 'presentation')
      .filter((element) => element.localName === 'img' ? element.getAttribute('alt') === null
        : !(element.textContent.trim() || element.ariaLabel || element.labels?.length || element.getAttribute('aria-labelledby')))
      .map((element) => element.outerHTML)""")
    assert nameless == []


def test_keys_change_tabs(visit):
    page = visit("draw/mnist")
    page.get_by_role("tab", name="Draw").focus()
    for name in ["Tree", "Your picture", "Train", "Draw"]:
        page.keyboard.press("ArrowRight")
        tab = page.get_by_role("tab", name=name, selected=True)
        tab.wait_for()
        page.locator(f"#{tab.get_attribute('aria-controls')}").wait_for()


def test_the_model_can_be_chosen(visit):
    page = visit("tree/mnist-k8-l3")
    page.get_by_text("choose one of 8").wait_for()
    page.get_by_label("Model").select_option("mnist-k2-l10")
    page.get_by_text("choose one of 2").wait_for()
    assert page.url.endswith("#tree/mnist-k2-l10")


def test_the_training_is_shown(visit, run_folder):
    page = visit("train")
    page.get_by_role("heading", name=run_folder.name).wait_for()
    points = page.locator("svg polyline").last.get_attribute("points").split()
    assert len(points) == len((run_folder / "stats.jsonl").read_text().splitlines()) > 1
    assert page.locator("svg rect.use").count() == 3
    page.wait_for_function("document.querySelector('img.sheet').naturalWidth > 100")


def test_without_a_training_the_page_says_how_to_start_one(visit):
    from conftest import Server
    server = Server("--network", "mnist-k8-l3")
    page = visit("train", url=server.url)
    page.get_by_text("ddn serve --run").wait_for()
    assert server.stop()[0] == 0
