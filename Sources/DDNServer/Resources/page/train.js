// Train: the curves, the use of the nodes and the samples of a run folder.
import { get } from "./api.js";
import { element, slider, svgElement } from "./elements.js";

const SECONDS = 5;

export class TrainPage {
  #page; #app;
  #timer = null;
  #last = "";
  #shown = null;

  constructor(section, app) {
    this.#page = section;
    this.#app = app;
  }

  show() {
    if (!this.#app.hasTraining) {
      this.#page.replaceChildren(element("div", { class: "card stack" }, element("h2", {}, "No training is shown"),
        element("p", {}, "Start a training, and then this page with its folder:"),
        element("p", {}, element("code", {}, "ddn train --outdir runs")),
        element("p", {}, element("code", {}, "ddn serve --run runs/00000-mnist-test"))));
      return;
    }
    this.#load();
    this.#timer ??= setInterval(() => this.#load(), 1000 * SECONDS);
  }

  hide() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  get link() { return "train"; }

  async #load() {
    try {
      const report = await get("api/training");
      this.#app.alert(null);
      const state = JSON.stringify([report.ticks.length, report.ticks.at(-1)?.images, report.samples.length, report.age > 120]);
      if (state === this.#last) return;
      this.#last = state;
      this.#build(report);
    } catch (error) {
      this.#app.alert(error.message);
    }
  }

  #build(report) {
    const { ticks } = report;
    const newest = ticks.at(-1);
    if (!newest) {
      this.#page.replaceChildren(element("div", { class: "card" }, element("h2", {}, report.name),
        element("p", {}, "The training has begun. Its first numbers come soon.")));
      return;
    }
    const isRunning = report.age < 120 && newest.images < report.images;
    const share = Math.min(newest.images / report.images, 1);
    const bar = element("div");
    bar.style.width = `${100 * share}%`;
    const shares = newest.perplexityOfLayers.map((use, place) => use / report.nodes[place]);
    this.#page.replaceChildren(element("div", { class: "stack" },
      element("div", { class: "card stack" },
        element("div", { class: "row spread" }, element("h2", {}, report.name),
          element("p", { class: "soft", "aria-live": "polite" },
            isRunning ? "It learns right now." : share >= 1 ? "It has finished." : "It has stopped.")),
        element("div", { class: "progress", role: "progressbar", "aria-label": "Images seen", "aria-valuenow": Math.round(100 * share), "aria-valuemin": 0, "aria-valuemax": 100 }, bar),
        element("dl", { class: "facts" },
          fact("Images seen", newest.images.toLocaleString("en")), fact("Of", report.images.toLocaleString("en")),
          fact("Images a second", newest.imagesPerSecond < 10 ? newest.imagesPerSecond.toFixed(1) : Math.round(newest.imagesPerSecond)),
          fact("Time", time(newest.elapsedSeconds)), fact("Error", newest.loss.toPrecision(3)),
          fact("Nodes split", newest.splits.toLocaleString("en")))),
      element("div", { class: "charts" },
        element("div", { class: "card stack" }, element("h2", {}, "Error"),
          element("p", { class: "soft" }, "Bold: all levels together. Thin: each level, from the first (dark) to the last (light)."),
          lossChart(ticks)),
        element("div", { class: "card stack" }, element("h2", {}, "Use of nodes"),
          element("p", { class: "soft" }, "A full bar: all nodes of the level are chosen equally often."),
          useChart(shares))),
      report.samples.length ? this.#samples(report.samples) : null));
  }

  #samples(numbers) {
    const image = element("img", { class: "sheet", alt: "Pictures that the model makes" });
    const show = (place) => {
      this.#shown = place === numbers.length - 1 ? null : numbers[place];
      image.src = `api/training/samples?images=${numbers[place]}`;
    };
    const start = Math.max(numbers.indexOf(this.#shown), -1);
    const place = start < 0 ? numbers.length - 1 : start;
    const row = slider("After", {
      min: 0, max: numbers.length - 1, value: place, text: (value) => `${numbers[value].toLocaleString("en")} images`,
    });
    row.input.addEventListener("input", () => show(row.value));
    show(place);
    return element("div", { class: "card stack" }, element("h2", {}, "What it makes"),
      numbers.length > 1 ? row.row : null, image);
  }
}

function fact(name, value) { return element("div", {}, element("dt", {}, name), element("dd", {}, value)); }

function time(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [480, 270, 52, 30, 10];

function chart(label) {
  return svgElement("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
}

function lossChart(ticks) {
  const svg = chart(`The error, from ${ticks[0].loss.toPrecision(3)} to ${ticks.at(-1).loss.toPrecision(3)}`);
  const levels = ticks.at(-1).lossOfLevels.length;
  const all = ticks.flatMap(({ loss, lossOfLevels }) => [loss, ...lossOfLevels]).filter((value) => value > 0);
  const [low, high] = [Math.min(...all), Math.max(...all)].map(Math.log);
  const room = Math.max(high - low, 0.1);
  const most = ticks.at(-1).images;
  const x = (images) => LEFT + (WIDTH - LEFT - 8) * images / most;
  const y = (loss) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (Math.log(loss) - low) / room);
  for (const value of marks(Math.exp(low), Math.exp(high))) {
    svg.append(svgElement("line", { class: "grid", x1: LEFT, x2: WIDTH - 8, y1: y(value), y2: y(value) }),
      svgElement("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  for (const part of [0, 0.5, 1]) {
    svg.append(svgElement("text", { x: x(most * part), y: HEIGHT - 8, "text-anchor": part === 0 ? "start" : part === 1 ? "end" : "middle" },
      compact(most * part)));
  }
  const line = (values, attributes) => svg.append(svgElement("polyline", {
    ...attributes, points: values.map(([images, loss]) => `${x(images).toFixed(1)},${y(loss).toFixed(1)}`).join(" "),
  }));
  for (let level = 0; level < levels; level += 1) {
    const share = levels > 1 ? level / (levels - 1) : 0;
    const values = ticks.filter(({ lossOfLevels }) => lossOfLevels[level] > 0).map((tick) => [tick.images, tick.lossOfLevels[level]]);
    line(values, { class: "line", stroke: `hsl(${245 + 60 * share} 60% ${42 + 26 * share}%)`, opacity: 0.55 });
  }
  line(ticks.filter(({ loss }) => loss > 0).map(({ images, loss }) => [images, loss]), { class: "line mean" });
  return svg;
}

function useChart(shares) {
  const svg = chart(`Use of nodes by level, in percent: ${shares.map((share) => Math.round(100 * share)).join(", ")}`);
  const step = (WIDTH - LEFT - 8) / shares.length;
  const full = HEIGHT - TOP - BOTTOM;
  for (const part of [0, 0.5, 1]) {
    svg.append(svgElement("text", { x: LEFT - 8, y: TOP + full * (1 - part) + 4, "text-anchor": "end" }, `${100 * part} %`));
  }
  shares.forEach((share, place) => {
    const frame = { x: LEFT + place * step + step * 0.1, width: step * 0.8, rx: Math.min(4, step * 0.2) };
    const height = full * Math.min(share, 1);
    svg.append(svgElement("rect", { ...frame, class: "room", y: TOP, height: full }),
      svgElement("rect", { ...frame, class: "use", y: TOP + full - height, height }));
    if (shares.length <= 16 || place % Math.ceil(shares.length / 12) === 0) {
      svg.append(svgElement("text", { x: LEFT + (place + 0.5) * step, y: HEIGHT - 8, "text-anchor": "middle" }, String(place + 1)));
    }
  });
  return svg;
}

// Round numbers of a logarithmic axis, from three to eight where the range allows.
function marks(low, high) {
  for (const digits of [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      found.push(...digits.map((digit) => Number((digit * 10 ** power).toPrecision(2))));
    }
    const inside = found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    if (inside.length >= 3) return inside.slice(0, 8);
  }
  return [low, high].map((value) => Number(value.toPrecision(2)));
}

function compact(number) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(number);
}
