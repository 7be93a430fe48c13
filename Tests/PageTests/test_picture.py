"""A picture becomes a code, and a file of it a picture."""

import subprocess

import numpy
from conftest import DDN, pixels, png, ready, shot, sources


def face():
    """A disc with eyes and a mouth, wider than high."""
    y, x = numpy.mgrid[0:200, 0:300]
    picture = numpy.full((200, 300), 40.0)
    picture[(x - 150) ** 2 + (y - 100) ** 2 < 80 ** 2] = 200
    for eye in (120, 180):
        picture[(x - eye) ** 2 + (y - 80) ** 2 < 12 ** 2] = 30
    picture[(abs(y - 140) < 6) & (abs(x - 150) < 35)] = 60
    return picture


def test_a_picture_becomes_a_code_and_comes_back(visit, tmp_path):
    page = visit("picture/faces64")
    page.get_by_label("Choose a picture").set_input_files(
        {"name": "face.png", "mimeType": "image/png", "buffer": png(face())})
    page.get_by_text("How many bytes?").wait_for()
    shot(page, "picture")
    target = pixels(sources(page, ".pair img")[0])
    assert target.shape == (64, 64)
    levels = [pixels(url) for url in sources(page, ".film img")]
    errors = [((level - target) ** 2).mean() for level in levels]
    assert len(levels) > 10 and errors[-1] < 0.5 * errors[0]
    sizes = [int(text.split()[0].replace(",", "")) for text in page.locator(".size b").all_inner_texts()]
    assert len(sizes) == 3 and sizes[0] < 40 < min(sizes[1:])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the .ddn file").click()
    file = tmp_path / "face.ddn"
    download.value.save_as(file)
    assert file.stat().st_size == sizes[0]
    subprocess.run([DDN, "decode", file, "--outdir", tmp_path / "out"], check=True, capture_output=True)
    (drawn,) = (tmp_path / "out/images").glob("**/*.png")
    from PIL import Image
    assert numpy.abs(numpy.asarray(Image.open(drawn), dtype=float) - levels[-1]).max() <= 1

    other = visit("picture/mnist")
    other.get_by_label("Open a .ddn file").set_input_files(file)
    other.get_by_text("by the model faces64").wait_for()
    other.get_by_text(f"Step {len(levels)} of {len(levels)}").wait_for()
    assert numpy.abs(pixels(sources(other, ".film img")[-1]) - levels[-1]).max() <= 1


def test_a_dropped_picture(visit):
    page = visit("picture/mnist")
    data = list(png(numpy.tile(numpy.arange(28.0) * 9, (28, 1))))
    transfer = page.evaluate_handle("""data => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(data)], 'shades.png', { type: 'image/png' }));
      return transfer;
    }""", data)
    page.dispatch_event(".drop", "dragover", {"dataTransfer": transfer})
    assert "over" in page.locator(".drop").get_attribute("class")
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    page.get_by_text("How many bytes?").wait_for()
    page.get_by_role("button", name="Step 2", exact=True).click()
    page.get_by_text("Step 2 of 10").wait_for()
    page.get_by_role("button", name="Show it in the tree").click()
    page.get_by_text("Done: 10 choices made this picture.").wait_for()


def test_files_that_are_no_pictures_are_told(visit):
    page = visit("picture/mnist", allowed=["422"])
    for name, text in [("a.png", "Not a readable image"), ("a.ddn", "This is no .ddn file")]:
        page.get_by_label("Choose a picture").set_input_files(
            {"name": name, "mimeType": "application/octet-stream", "buffer": b"neither"})
        page.get_by_role("alert").filter(has_text=text).wait_for()
