"""Walking through the tree."""

import numpy
from conftest import pixels, shot, sources


def choices(page, step, count):
    page.get_by_text(f"Step {step}: choose one of {count}").wait_for()
    return page.locator(".candidates button")


def test_a_walk_and_its_link(visit):
    page = visit("tree/mnist-k8-l3")
    for step, choice in enumerate([5, 2, 7]):
        buttons = choices(page, step + 1, 8)
        picked = sources(page, ".candidates img")[choice]
        if step == 1:
            shot(page, "tree")
        buttons.nth(choice).click()
        page.wait_for_url(f"**/#tree/mnist-k8-l3/{'.'.join(map(str, [5, 2, 7][:step + 1]))}")
        page.wait_for_function("url => document.querySelector('.big img')?.src === url", arg=picked)
    page.get_by_text("Done: 3 choices made this picture.").wait_for()
    leaf = sources(page, ".big img")[0]
    other = visit(page.url.split("#")[1])
    other.get_by_text("Done").wait_for()
    assert sources(other, ".big img")[0] == leaf, "a link shows the picture"
    page.get_by_role("button", name="Go to step 1, choice 5").click()
    choices(page, 2, 8)
    page.go_back()
    page.get_by_text("Done").wait_for()
    page.get_by_role("button", name="Start").click()
    choices(page, 1, 8)


def test_the_server_draws_the_same_leaf(visit, server):
    page = visit("tree/mnist-k8-l3/1.2.3")
    page.get_by_text("Done").wait_for()
    shown = pixels(sources(page, ".big img")[0])
    drawn = page.evaluate("""async () => {
      const answer = await fetch('api/picture?model=mnist-k8-l3&code=1.2.3');
      const bytes = new Uint8Array(await answer.arrayBuffer());
      return 'data:image/png;base64,' + btoa(String.fromCharCode(...bytes));
    }""")
    assert numpy.abs(pixels(drawn) - shown).max() <= 1


def test_the_whole_tree_is_a_map(visit):
    page = visit("tree/mnist-k8-l3")
    choices(page, 1, 8)
    page.get_by_role("button", name="See what lies below").click()
    overview = page.locator(".overview")
    overview.wait_for()
    page.wait_for_function("document.querySelector('.overview').complete")
    shot(page, "overview")
    box = overview.bounding_box()
    # The leaf in the top left corner: the first choice each time.
    overview.click(position={"x": box["width"] * 0.02, "y": box["height"] * 0.02})
    page.get_by_text("Done").wait_for()
    assert page.url.endswith("#tree/mnist-k8-l3/0.0.0")


def test_a_random_walk_ends_in_a_picture(visit):
    page = visit("tree/mnist-k8-l3")
    choices(page, 1, 8)
    page.get_by_role("button", name="Walk at random").click()
    page.get_by_text("Done: 3 choices made this picture.").wait_for()
    page.get_by_role("button", name="Stop").click()
    address = page.url
    page.wait_for_timeout(2000)
    assert page.url == address and address.count(".") >= 2


def test_classes_have_trees_and_keys_walk(visit):
    page = visit("tree/faces64")
    buttons = page.locator(".candidates button")
    buttons.first.wait_for()
    first = sources(page, ".candidates img")
    page.get_by_role("radio").nth(1).click()
    page.wait_for_function("url => document.querySelector('.candidates img').src !== url", arg=first[0])
    assert page.url.endswith(":1")
    buttons.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/#tree/faces64/1:1")
    page.get_by_text("choices are made").wait_for()


def test_an_address_that_fits_nothing_is_told(visit):
    page = visit("tree/mnist-k8-l3/9.9", allowed=["422"])
    page.get_by_role("alert").get_by_text("choice 9").wait_for()
    page.get_by_role("button", name="Go to the beginning of the tree").click()
    choices(page, 1, 8)
    assert page.get_by_role("alert").is_hidden()
