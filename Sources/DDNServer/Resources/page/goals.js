// What the pictures are to fit: a row for each guide of the model, with a box to tick and a weight.
import { button, choices, element, slider } from "./elements.js";

const WEIGHTS = ["⅛", "¼", "½", "1", "2", "4", "8"];

export class Goals {
  rows = [];
  #goals = new Map();
  #kinds = null;
  #model;
  #painter;
  #on;

  // `on.picture()` is the opened picture's data URL, null for none; `on.onkeep()` takes the tool that paints the mask.
  constructor(model, painter, on) {
    this.#model = model;
    this.#painter = painter;
    this.#on = on;
    const base = () => ({ image: on.picture() });
    const hasPicture = () => on.picture() !== null;
    this.#add("strokes", "My strokes", "They take your colours where you painted.", [],
      () => ({ image: painter.paintURL }), () => painter.isPainted);
    this.#add("mask", "Part of a picture", "They keep what you paint with Keep, and make up the rest.",
      [button("Paint what to keep", () => on.onkeep())], () => ({ ...base(), mask: painter.maskURL }),
      () => hasPicture() && painter.isMasked, "Open a picture, or use one of the twelve. Then paint over it with Keep.");
    if (model.guides.includes("gray")) {
      this.#add("gray", "A picture without its colours", "They have its light and dark, and colours of their own.", [],
        base, hasPicture, "Open a picture first.");
    }
    this.#addTiny(base, hasPicture);
    if (model.classes.length && (model.needsClass || model.guides.includes("class"))) this.#addKinds();
    if (model.guides.includes("clip")) this.#addWords();
  }

  // As the server takes them.
  get guides() {
    return [...this.#goals].filter(([kind, goal]) => goal.isOn && !this.#isCondition(kind)).map(([, goal]) => goal.guide);
  }

  // The number of the class, for a model that needs one.
  get class() { return this.#model.needsClass ? this.#kinds.chosen : undefined; }

  get usesPicture() { return ["mask", "gray", "sr"].some((kind) => this.#goals.get(kind)?.isTicked); }

  switchOn(kind) { this.#goals.get(kind)?.switchOn(); }

  refresh() { for (const goal of this.#goals.values()) goal.refresh(); }

  #isCondition(kind) { return kind === "class" && this.#model.needsClass; }

  #addTiny(base, hasPicture) {
    const sides = [2, 4, 8, 16].filter((side) => side < this.#model.side);
    const side = slider("Points on a side", {
      min: 0, max: sides.length - 1, value: Math.max(0, sides.length - 2), text: (value) => String(sides[value]),
      onchange: () => this.#on.onchange(),
    });
    this.#add("sr", "A picture made tiny", "They look like it from far away.", [side.row],
      () => ({ ...base(), side: sides[side.value] }), hasPicture, "Open a picture first.");
  }

  #addKinds() {
    this.#kinds = choices("Kind", this.#model.classes, () => {
      this.switchOn("class");
      this.#on.onchange();
    });
    this.#kinds.select(0);
    this.#add("class", "Of this kind", this.#model.needsClass ? "Every picture of this model is of a kind."
      : "A helper that can tell them apart picks the best.", [this.#kinds.group], () => ({ class: this.#kinds.chosen }));
  }

  #addWords() {
    const text = element("input", {
      type: "text", maxlength: 300, "aria-label": "Words", placeholder: "a red car on the street",
      onchange: () => this.#on.onchange(),
    });
    this.#add("clip", "These words", "A helper that has read much picks the best. This takes longer.", [text],
      () => ({ text: text.value.trim() }), () => text.value.trim() !== "", "Write some words.");
  }

  #add(kind, name, explanation, extra, values, isReady = () => true, need = "") {
    const isCondition = this.#isCondition(kind);
    const box = element("input", { type: "checkbox", disabled: isCondition });
    box.checked = isCondition;
    const weight = slider("How much", {
      min: 0, max: WEIGHTS.length - 1, value: 3, text: (value) => WEIGHTS[value], onchange: () => this.#on.onchange(),
    });
    const missing = element("p", { class: "soft need" }, need);
    const more = element("div", { class: "more" }, element("p", { class: "soft" }, explanation), missing, ...extra,
      isCondition ? null : weight.row);
    const goal = {
      get isOn() { return box.checked && isReady(); },
      get isTicked() { return box.checked; },
      get guide() { return { kind, weight: 2 ** (weight.value - 3), ...values() }; },
      switchOn() { box.checked = true; goal.refresh(); },
      refresh() { more.hidden = !box.checked; missing.hidden = !need || isReady(); },
    };
    box.addEventListener("change", () => { goal.refresh(); this.#on.onchange(); });
    goal.refresh();
    this.#goals.set(kind, goal);
    this.rows.push(element("div", { class: "guide" }, element("label", { class: "name" }, box, name), more));
  }
}
