// A canvas to paint on: strokes in colour, and a mask of what is to be kept, over a picture.
import { element } from "./elements.js";

const SIDE = 256;
const MOST_UNDO = 40;

export class Painter {
  #base = null;
  #layers = { paint: layer(), mask: layer() };
  #steps = [];
  #canvas = element("canvas", {
    width: 512, height: 512, tabindex: 0, role: "img",
    "aria-label": "Canvas. Arrow keys move the brush, the space bar puts it down and lifts it, Control Z undoes.",
  });
  #hint = element("div", { class: "hint" });
  #last = null;
  #cursor = null;
  #isDown = false;
  #onchange;

  tool = "brush";
  layer = "paint";
  colour = "#000000";
  // In parts of the canvas.
  size = 0.1;

  constructor(onchange) {
    this.#onchange = onchange;
    this.element = element("div", { class: "canvas" }, this.#canvas, this.#hint);
    this.#canvas.addEventListener("pointerdown", (event) => this.#press(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) this.#canvas.addEventListener(name, () => this.#lift());
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#canvas.addEventListener("blur", () => { this.#lift(); this.#cursor = null; this.#show(); });
    this.#show();
  }

  get hasPicture() { return this.#base !== null; }
  get isPainted() { return hasInk(this.#layers.paint); }
  get isMasked() { return hasInk(this.#layers.mask); }
  get canUndo() { return this.#steps.length > 0; }
  // PNG data URLs; transparent where nothing is painted.
  get paintURL() { return this.#layers.paint.canvas.toDataURL("image/png"); }
  get maskURL() { return this.#layers.mask.canvas.toDataURL("image/png"); }

  set hint(text) { this.#hint.textContent = text; }

  // The picture under the strokes; null for none.
  async setPicture(url) {
    if (url === null) this.#base = null;
    else {
      const image = new Image();
      image.src = url;
      await image.decode();
      this.#base = image;
    }
    this.#show();
  }

  undo() {
    const step = this.#steps.pop();
    if (!step) return;
    for (const [name, pixels] of Object.entries(step)) this.#layers[name].putImageData(pixels, 0, 0);
    this.#changed();
  }

  clear() {
    if (!this.isPainted && !this.isMasked) return;
    this.#remember();
    for (const context of Object.values(this.#layers)) context.clearRect(0, 0, SIDE, SIDE);
    this.#changed();
  }

  #remember() {
    this.#steps.push(Object.fromEntries(
      Object.entries(this.#layers).map(([name, context]) => [name, context.getImageData(0, 0, SIDE, SIDE)])));
    if (this.#steps.length > MOST_UNDO) this.#steps.shift();
  }

  #press(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#canvas.focus({ focusVisible: false });
    this.#canvas.setPointerCapture(event.pointerId);
    this.#cursor = null;
    this.#begin(this.#place(event));
  }

  #move(event) {
    if (!this.#isDown || this.#cursor) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) this.#strokeTo(this.#place(part));
    this.#show();
  }

  #begin(place) {
    this.#remember();
    this.#isDown = true;
    this.#last = place;
    this.#strokeTo(place);
    this.#show();
  }

  #lift() {
    if (!this.#isDown) return;
    this.#isDown = false;
    this.#changed();
  }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      event.preventDefault();
      const place = this.#cursor ?? { x: SIDE / 2, y: SIDE / 2 };
      const far = SIDE / (event.shiftKey ? 8 : 32);
      const limited = (value) => Math.min(Math.max(value, 0), SIDE);
      this.#cursor = { x: limited(place.x + step[0] * far), y: limited(place.y + step[1] * far) };
      if (this.#isDown) this.#strokeTo(this.#cursor);
      this.#show();
    } else if (event.key === " ") {
      event.preventDefault();
      this.#cursor ??= { x: SIDE / 2, y: SIDE / 2 };
      if (this.#isDown) this.#lift(); else this.#begin(this.#cursor);
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.undo();
    }
  }

  #place(event) {
    const bounds = this.#canvas.getBoundingClientRect();
    return {
      x: (event.clientX - bounds.left) / bounds.width * SIDE, y: (event.clientY - bounds.top) / bounds.height * SIDE,
    };
  }

  #strokeTo(place) {
    const context = this.#layers[this.layer];
    context.globalCompositeOperation = this.tool === "eraser" ? "destination-out" : "source-over";
    context.strokeStyle = this.layer === "mask" ? "#000" : this.colour;
    context.lineWidth = this.size * SIDE;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(this.#last.x, this.#last.y);
    context.lineTo(place.x + 0.01, place.y);
    context.stroke();
    this.#last = place;
  }

  #changed() {
    this.#show();
    this.#onchange();
  }

  #show() {
    const context = this.#canvas.getContext("2d");
    const side = this.#canvas.width;
    context.clearRect(0, 0, side, side);
    context.imageSmoothingEnabled = false;
    if (this.#base) {
      const crop = Math.min(this.#base.naturalWidth, this.#base.naturalHeight);
      context.drawImage(
        this.#base, (this.#base.naturalWidth - crop) / 2, (this.#base.naturalHeight - crop) / 2, crop, crop, 0, 0, side, side);
    }
    context.imageSmoothingEnabled = true;
    context.drawImage(this.#layers.paint.canvas, 0, 0, side, side);
    if (this.isMasked) {
      // Stripes of light and colour show on dark and bright pictures alike, at one opacity however often painted.
      const shade = layer(side);
      shade.drawImage(this.#layers.mask.canvas, 0, 0, side, side);
      shade.globalCompositeOperation = "source-in";
      shade.fillStyle = stripes(shade);
      shade.fillRect(0, 0, side, side);
      context.globalAlpha = 0.62;
      context.drawImage(shade.canvas, 0, 0);
      context.globalAlpha = 1;
    }
    if (this.#cursor) {
      for (const [colour, width] of [["#fff", 5], ["#000", 2]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.beginPath();
        context.arc(this.#cursor.x / SIDE * side, this.#cursor.y / SIDE * side, this.size * side / 2, 0, 2 * Math.PI);
        context.stroke();
      }
    }
    this.#hint.hidden = this.hasPicture || this.isPainted || this.isMasked || this.#isDown;
  }
}

function layer(side = SIDE) {
  return element("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: side === SIDE });
}

function stripes(context) {
  const tile = layer(24);
  tile.fillStyle = "#ffd84d";
  tile.fillRect(0, 0, 24, 24);
  tile.strokeStyle = "#5b2be0";
  tile.lineWidth = 8;
  tile.lineCap = "square";
  tile.beginPath();
  for (const shift of [-24, 0, 24]) {
    tile.moveTo(shift, 24);
    tile.lineTo(shift + 24, 0);
  }
  tile.stroke();
  return context.createPattern(tile.canvas, "repeat");
}

function hasInk(context) {
  const pixels = context.getImageData(0, 0, SIDE, SIDE).data;
  for (let place = 3; place < pixels.length; place += 4) if (pixels[place] > 0) return true;
  return false;
}
