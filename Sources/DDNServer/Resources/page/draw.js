// Draw: strokes and other goals on the left, twelve pictures that fit them on the right.
import { dataURL, isAbort, stream } from "./api.js";
import { Painter } from "./canvas.js";
import { button, choices, element, fileButton, save, slider } from "./elements.js";
import { Goals } from "./goals.js";

const COLOURS = [
  ["black", "#141414"], ["white", "#ffffff"], ["red", "#d62f2f"], ["orange", "#f08a24"], ["yellow", "#f5d63d"],
  ["green", "#3c9a3f"], ["sky blue", "#6db9ee"], ["blue", "#2c56c9"], ["purple", "#8a45c4"], ["pink", "#eb8fae"],
  ["brown", "#7a4a26"], ["skin", "#e2b18c"],
];
const GRAYS = [["white", "#ffffff"], ["light gray", "#b4b4b4"], ["dark gray", "#5a5a5a"], ["black", "#000000"]];
const COUNT = 12;

export class DrawPage {
  #page;
  #app;
  #model;
  #seed = 0;
  #run = null;
  #samples = [];
  #chosen = null;
  #pinned = null;
  #wait = null;
  // Parts of the page.
  #progress; #status; #grid; #actions; #pinBox; #undo; #removePicture;
  #keepTool;
  #goals;
  #pictureURL = null;

  constructor(section, app) {
    this.#page = section;
    this.#app = app;
  }

  show(model) {
    if (this.#model === model) return;
    this.#model = model;
    this.#run?.abort();
    this.#pinned = this.#chosen = null;
    this.#samples = [];
    this.#build();
    this.#draw();
  }

  get link() { return `draw/${this.#model.name}`; }

  // A picture from elsewhere, such as a leaf of the tree, to paint on.
  async usePicture(url) {
    await this.painter.setPicture(url);
    this.#pictureURL = url;
    this.#removePicture.hidden = url === null;
    this.#goals.refresh();
    this.#drawSoon();
  }

  #build() {
    const model = this.#model;
    this.painter = new Painter(() => this.#painted());
    this.painter.hint = "Paint here. The pictures beside will try to look like it.";
    this.#goals = new Goals(model, this.painter, {
      picture: () => this.#pictureURL, onchange: () => this.#drawSoon(), onkeep: () => this.#keepTool(),
    });
    this.#pictureURL = null;
    this.#progress = element("div");
    this.#status = element("p", { class: "soft", "aria-live": "polite" });
    this.#grid = element("div", { class: "samples", role: "group", "aria-label": "Twelve pictures" });
    this.#grid.append(...Array.from({ length: COUNT }, (_, place) =>
      element("button", {
        type: "button", "aria-pressed": "false", "aria-label": `Picture ${place + 1}`, disabled: true,
        onclick: () => this.#choose(place),
      }, element("img", { alt: "", hidden: true }))));
    this.#actions = element("div", { class: "row" });
    this.#pinBox = element("div", { hidden: true });
    this.#removePicture = button("Remove the picture", () => this.usePicture(null), { hidden: true });
    this.#page.replaceChildren(
      element("div", { class: "columns" },
        element("div", { class: "first stack" },
          element("div", { class: "card stack" }, this.painter.element, ...this.#tools(), element("div", { class: "row" },
            fileButton("Open a picture", "image/*", (file) => this.#open(file)), this.#removePicture)),
          element("div", { class: "card" },
            element("h2", {}, "What should they fit?"), ...this.#goals.rows)),
        element("div", { class: "card stack" },
          element("div", { class: "row spread" },
            element("div", {}, element("h2", {}, "Twelve pictures"), this.#status),
            button("New ones", () => this.#again(), { class: "main" })),
          this.#pinBox,
          element("div", { class: "progress", role: "presentation" }, this.#progress),
          this.#grid, this.#actions)));
    this.#showActions();
  }

  #tools() {
    const colours = this.#model.channels === 1 ? GRAYS : COLOURS;
    const palette = element("div", { class: "palette", role: "radiogroup", "aria-label": "Colour" });
    const pick = (colour, made) => {
      this.painter.colour = colour;
      this.painter.layer = "paint";
      tools.select(0);
      this.painter.tool = "brush";
      for (const other of palette.children) other.setAttribute("aria-checked", String(other === made));
    };
    for (const [name, colour] of colours) {
      const made = button("", () => pick(colour, made), { role: "radio", "aria-label": name, title: name });
      made.style.background = colour;
      palette.append(made);
    }
    const tools = choices("Tool", ["Brush", "Eraser", "Keep"], (number) => {
      this.painter.tool = number === 1 ? "eraser" : "brush";
      if (number !== 1) this.painter.layer = number === 2 ? "mask" : "paint";
      if (number === 2) this.#goals.switchOn("mask");
    });
    this.#keepTool = () => {
      tools.select(2);
      this.painter.layer = "mask";
      this.painter.tool = "brush";
      this.#goals.switchOn("mask");
    };
    tools.select(0);
    pick(colours[0][1], palette.children[0]);
    const size = slider("Size", {
      min: 3, max: 40, value: 10, text: (value) => `${value} %`, onchange: (value) => { this.painter.size = value / 100; },
    });
    size.input.addEventListener("input", () => { this.painter.size = size.value / 100; });
    this.#undo = button("Undo", () => this.painter.undo(), { disabled: true });
    return [
      element("div", { class: "row spread tools" }, tools.group,
        element("div", { class: "row" }, this.#undo, button("Clear", () => this.painter.clear()))),
      palette, size.row,
    ];
  }

  async #open(file) {
    try {
      const url = await dataURL(file);
      await this.usePicture(url);
      if (!this.#goals.usesPicture) this.#keepTool();
    } catch {
      this.#app.alert("This picture cannot be opened. Try a PNG or JPEG file.");
    }
  }

  #painted() {
    this.#undo.disabled = !this.painter.canUndo;
    if (this.painter.isPainted) this.#goals.switchOn("strokes");
    this.#goals.refresh();
    this.#drawSoon();
  }

  #again() {
    this.#seed = Math.floor(Math.random() * 4_000_000_000);
    this.#draw();
  }

  #drawSoon() {
    this.#isBusy = true;
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => this.#draw(), 150);
  }

  // Whether the pictures are not yet those that were asked for last.
  set #isBusy(isBusy) { this.#grid.setAttribute("aria-busy", String(isBusy)); }

  async #draw() {
    clearTimeout(this.#wait);
    this.#isBusy = true;
    this.#run?.abort();
    const run = this.#run = new AbortController();
    const model = this.#model;
    const seeds = Array.from({ length: COUNT }, (_, place) => (this.#seed + place) % 4_294_967_296);
    this.#chosen = null;
    this.#samples = [];  // The pictures on screen change from now on.
    for (const made of this.#grid.children) made.disabled = true;
    this.#showActions();
    this.#status.textContent = "Starting…";
    const began = performance.now();
    try {
      const done = await stream("api/draw", {
        model: model.name, seeds, guides: this.#goals.guides, start: this.#start, class: this.#goals.class,
      }, {
        queued: ({ before }) => { this.#status.textContent = `Waiting: ${before} before you`; },
        level: ({ level, of, images }) => {
          this.#status.textContent = `Step ${level} of ${of}`;
          this.#progress.style.width = `${100 * level / of}%`;
          this.#showImages(images);
        },
      }, run.signal);
      this.#samples = done.samples;
      const seconds = (performance.now() - began) / 1000;
      this.#status.textContent = `Ready in ${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} seconds`;
      for (const made of this.#grid.children) made.disabled = false;
      this.#app.alert(null);
      this.#showActions();
      this.#isBusy = false;
    } catch (error) {
      if (isAbort(error)) return;
      this.#isBusy = false;
      this.#status.textContent = "Stopped";
      this.#app.alert(error.message);
    }
  }

  #showImages(images) {
    images.forEach((url, place) => {
      const image = this.#grid.children[place].firstChild;
      image.src = url;
      image.hidden = false;
    });
  }

  #choose(place) {
    this.#chosen = this.#chosen === place ? null : place;
    this.#showActions();
  }

  #showActions() {
    [...this.#grid.children].forEach((made, place) => made.setAttribute("aria-pressed", String(place === this.#chosen)));
    const sample = this.#samples[this.#chosen];
    if (!sample) {
      this.#actions.replaceChildren(element("p", { class: "soft" }, "Choose a picture to do more with it."));
      return;
    }
    this.#actions.replaceChildren(
      button("Pin it", () => this.#pin(sample), { class: "main" }),
      button("Paint on it", () => this.usePicture(sample.picture)),
      button("Show it in the tree", () => this.#app.go(treeLink(this.#model, sample))),
      button("Save", () => save(sample.picture, `${this.#model.name}-${sample.seed}.png`)),
      element("code", { title: "Its code" }, sample.code));
  }

  // The first choices of the pinned picture that new ones keep.
  get #start() {
    return this.#pinned ? this.#pinned.sample.code.split(".").slice(0, this.#pinned.keep.value).join(".") : undefined;
  }

  #pin(sample) {
    const levels = this.#model.levels.length;
    const keep = slider("Keep", {
      min: 1, max: levels - 1, value: Math.max(1, Math.round(levels / 3)), text: (value) => `${value} of ${levels} steps`,
      onchange: () => this.#drawSoon(),
    });
    this.#pinned = { sample, keep };
    this.#pinBox.replaceChildren(element("div", { class: "pinned" },
      element("img", { src: sample.picture, alt: "The pinned picture" }),
      element("div", { class: "stack" },
        element("div", { class: "row spread" }, element("h3", {}, "New ones begin like this"),
          button("Unpin", () => {
            this.#pinned = null;
            this.#pinBox.hidden = true;
            this.#draw();
          })),
        keep.row)));
    this.#pinBox.hidden = false;
    this.#again();
  }
}

export function treeLink(model, { code, class: number }) {
  return `tree/${model.name}/${code}${number === null || number === undefined ? "" : `:${number}`}`;
}
