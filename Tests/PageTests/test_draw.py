"""Drawing: strokes, masks and other guides, pins, and twelve samples that sharpen."""

import numpy
import pytest
from conftest import Server, canvas_pixel, pixels, png, ready, shot, sources, stroke


def begin(page):
    """Asks for new pictures, and returns when the first of their levels is there, which a fast machine does not show for long."""
    page.evaluate("""() => new Promise((resolve) => {
      const status = new MutationObserver(() => {
        if (!document.body.textContent.includes('Step ')) return;
        status.disconnect();
        resolve();
      });
      status.observe(document.body, { subtree: true, childList: true, characterData: true });
      [...document.querySelectorAll('button')].find((button) => button.textContent.trim() === 'New ones').click();
    })""")


def test_twelve_pictures_sharpen_level_by_level(visit):
    page = visit("draw/mnist")
    ready(page)
    page.evaluate("""() => {
      window.seen = [];
      const image = document.querySelector('.samples img');
      new MutationObserver((changes) => window.seen.push(...changes.map((change) => change.oldValue)))
        .observe(image, { attributeFilter: ['src'], attributeOldValue: true });
    }""")
    page.get_by_role("button", name="New ones").click()
    images = ready(page)
    assert images.shape == (12, 32, 32)
    # What was there before each change, without the picture of before, and what is there now.
    seen = page.evaluate("window.seen")[1:] + sources(page, ".samples img")[:1]
    assert len(seen) == len(set(seen)) == 10, "each of ten levels has its own images"
    errors = [((pixels(url) - images[0]) ** 2).mean() for url in seen]
    assert errors[0] > errors[5] > errors[9] == 0


def test_new_ones_differ(visit):
    page = visit("draw/mnist")
    before = ready(page)
    page.get_by_role("button", name="New ones").click()
    after = ready(page)
    assert ((after - before) ** 2).mean() > 500


def test_strokes_are_followed_and_undone(visit):
    page = visit("draw/mnist")
    free = ready(page)
    assert page.get_by_role("button", name="Undo").is_disabled()
    page.get_by_role("radio", name="white", exact=True).click()
    stroke(page, (0.5, 0.15), (0.5, 0.85))
    guided = ready(page)
    shot(page, "strokes")
    # A white line downwards, as in a one.
    line = (slice(None), slice(8, 24), slice(15, 17))
    assert guided[line].mean() > free[line].mean() + 40
    assert guided[line].mean() > guided.mean() + 100
    assert page.get_by_label("My strokes").is_checked()
    assert canvas_pixel(page, 0.5, 0.5) == [255, 255, 255, 255]
    page.get_by_role("button", name="Undo").click()
    assert canvas_pixel(page, 0.5, 0.5)[3] == 0
    assert (ready(page) == free).all(), "the same seeds without strokes give the first pictures"


def test_the_eraser_erases(visit):
    page = visit("draw/mnist")
    ready(page)
    stroke(page, (0.2, 0.5), (0.8, 0.5))
    page.get_by_role("radio", name="Eraser").click()
    stroke(page, (0.5, 0.3), (0.5, 0.7))
    assert canvas_pixel(page, 0.5, 0.5)[3] == 0 and canvas_pixel(page, 0.25, 0.5)[3] == 255


def test_a_mask_keeps_what_is_painted_and_shows_on_black(visit):
    page = visit("draw/mnist")
    ready(page)
    target = pixels(sources(page, ".samples img")[3])
    page.get_by_label("Open a picture").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": png(target)})
    page.get_by_role("radio", name="Keep", checked=True).wait_for()  # when the picture is decoded
    page.get_by_label("Size").fill("40")
    for x in (0.1, 0.25, 0.4):
        stroke(page, (x, 0.0), (x, 1.0))
    # The corner of a digit is black; the mask is bright there, and no brighter when painted again.
    once = canvas_pixel(page, 0.05, 0.05)
    assert max(once[:3]) > 90 and once[3] == 255
    stroke(page, (0.05, 0.0), (0.05, 1.0))
    assert canvas_pixel(page, 0.05, 0.05) == once
    kept = ready(page)
    shot(page, "mask")
    left, right = (slice(None), slice(None), slice(0, 16)), (slice(None), slice(None), slice(20, 32))
    wrong = (kept - target) ** 2
    assert wrong[left].mean() < 0.5 * wrong[right].mean()
    free_error = ((kept[:, :, :16].mean(axis=0) - target[:, :16]) ** 2).mean()
    assert free_error < 1500


def test_a_class_and_a_weight(visit):
    page = visit("draw/mnist")
    ready(page)
    page.get_by_label("Of this kind").check()
    page.get_by_role("radio", name="7", exact=True).click()
    sevens = ready(page)
    stroke(page, (0.3, 0.9), (0.7, 0.9))
    ready(page)
    with page.expect_request("**/api/draw") as asked:
        page.get_by_label("How much").first.press("ArrowRight")
    guides = asked.value.post_data_json["guides"]
    assert [(guide["kind"], guide["weight"]) for guide in guides] == [("strokes", 2), ("class", 1)]
    ready(page)
    assert sevens.shape == (12, 32, 32)


def test_pinned_pictures_are_gone_on_from(visit):
    page = visit("draw/mnist")
    ready(page)
    page.get_by_role("button", name="Picture 5", exact=True).click()
    code = page.locator(".samples + .row code").inner_text()
    free = ready(page)
    pinned = free[4]
    page.get_by_role("button", name="Pin it").click()
    ready(page)
    shot(page, "pinned")
    page.get_by_label("Keep", exact=True).last.fill("8")
    page.get_by_label("Keep", exact=True).last.dispatch_event("change")
    near = ready(page)
    assert ((near - pinned) ** 2).mean() < 0.25 * ((free - pinned) ** 2).mean(), "eight of ten steps are the same"
    page.get_by_role("button", name="Picture 1", exact=True).click()
    found = page.locator(".samples + .row code").inner_text()
    assert found.split(".")[:8] == code.split(".")[:8] and found != code


def test_colour_strokes(visit):
    page = visit("draw/cifar10")
    free = ready(page)
    page.get_by_role("radio", name="sky blue").click()
    page.get_by_label("Size").fill("40")
    stroke(page, (0.1, 0.15), (0.9, 0.15))
    page.get_by_role("radio", name="green").click()
    stroke(page, (0.1, 0.85), (0.9, 0.85))
    page.get_by_role("radio", name="ship").click()
    guided = ready(page)
    shot(page, "colours")
    blueness = lambda images: (images[:, 1:9, 4:28, 2] - images[:, 1:9, 4:28, 0]).mean()
    greenness = lambda images: (images[:, 23:31, 4:28, 1] - images[:, 23:31, 4:28, 2]).mean()
    assert blueness(guided) > blueness(free) + 20 and greenness(guided) > greenness(free) + 20


def test_painting_with_the_keyboard(visit):
    page = visit("draw/mnist")
    ready(page)
    page.locator("canvas").focus()
    for key in ["ArrowUp", "ArrowUp", " ", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", " "]:
        page.keyboard.press(key)
    ready(page)
    assert canvas_pixel(page, 0.5, 0.5)[3] == 255
    page.keyboard.press("Control+z")
    page.locator("canvas").blur()
    assert canvas_pixel(page, 0.5, 0.5)[3] == 0


def test_painting_by_touch(visit):
    page = visit("draw/mnist", has_touch=True)
    ready(page)
    page.locator("canvas").tap(position={"x": 60, "y": 60})
    box = page.locator("canvas").bounding_box()
    assert canvas_pixel(page, 60 / box["width"], 60 / box["height"])[3] == 255


@pytest.mark.parametrize("address", ["draw/faces64", "picture/mnist"])
def test_a_server_that_stops_is_told_and_comes_back(visit, tmp_path, address):
    server = Server("--network", "faces64", "--network", "mnist")
    page = visit(address, url=server.url, allowed=["Failed to load resource", "ERR_"])
    page.locator("main section:not([hidden]) > *").first.wait_for()
    if address == "draw/faces64":
        ready(page)
        begin(page)
        server.stop(9)
        page.get_by_role("button", name="New ones").click()  # The pictures of before may all have come.
    else:
        server.stop(9)
        page.get_by_label("Choose a picture").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": png(numpy.zeros((32, 32)))})
    page.get_by_role("alert").get_by_text("The server does not answer.").wait_for()
    shot(page, "stopped")
    again = Server("--network", "faces64", "--network", "mnist", port=server.port)
    if address == "draw/faces64":
        page.get_by_role("button", name="New ones").click()
        ready(page)
        assert page.get_by_role("alert").is_hidden()
    again.stop()


def test_closing_the_page_cancels_its_work(visit, server):
    page = visit("draw/faces64")
    ready(page)
    begin(page)
    page.context.close()
    other = visit("draw/mnist")
    ready(other)
    assert other.evaluate("fetch('api/status').then(answer => answer.json())")["queue"] == 0
