// Tree: the images to choose from at a level, the path so far, and the whole tree.
import { get } from "./api.js";
import { button, choices, element, save } from "./elements.js";
import { treeLink } from "./draw.js";

export class TreePage {
  #page; #app; #model;
  #place = { code: "", class: null };
  #choices = null;
  #timer = null;
  #isOverview = false;
  #asked = 0;

  constructor(section, app) {
    this.#page = section;
    this.#app = app;
  }

  // `rest` is the code of the address: "3.0.7", with a class "3.0.7:4".
  async show(model, rest = "") {
    const [code, number] = rest.split(":");
    const kind = model.needsClass ? Number(number ?? 0) : null;
    if (model !== this.#model) this.#stop();
    this.#model = model;
    this.#place = { code, class: kind };
    this.#isOverview = false;
    await this.#load();
  }

  hide() { this.#stop(); }

  get link() { return treeLink(this.#model, this.#place); }

  async #load() {
    const asked = ++this.#asked;
    try {
      const found = await get("api/choices", { model: this.#model.name, ...this.#place });
      if (asked !== this.#asked) return;
      this.#choices = found;
      this.#app.alert(null);
      this.#build();
    } catch (error) {
      if (asked !== this.#asked) return;
      this.#stop();
      this.#app.alert(error.message);
      if (!this.#choices) this.#page.replaceChildren(button("Go to the beginning of the tree", () => this.#go("")));
    }
  }

  #go(code) { this.#app.go(treeLink(this.#model, { ...this.#place, code })); }

  get #codes() { return this.#place.code === "" ? [] : this.#place.code.split("."); }

  #build() {
    const { level, of, path, candidates } = this.#choices;
    const isLeaf = candidates.length === 0;
    const big = level === 0
      ? element("div", { class: "big" }, element("p", {}, "Nothing is chosen yet."))
      : element("div", { class: "big" }, element("img", { src: path[level - 1], alt: "The picture so far" }));
    const bits = this.#model.levels.slice(0, level).reduce((sum, { nodes }) => sum + Math.log2(nodes), 0);
    this.#page.replaceChildren(
      element("div", { class: "stack" },
        element("nav", { class: "card path", "aria-label": "The path through the tree" }, this.#crumbs()),
        element("div", { class: "columns" },
          element("div", { class: "card stack" }, big,
            element("p", { "aria-live": "polite" }, level === 0 ? `Choose ${of} times, and a picture is made.`
              : isLeaf ? `Done: ${of} choices made this picture.` : `${level} of ${of} choices are made.`),
            level > 0 ? element("p", { class: "soft" }, "Its code, ", `${Math.round(bits)} bits: `, element("code", {}, this.#place.code)) : null,
            this.#model.needsClass ? this.#kinds() : null,
            element("div", { class: "row" }, ...this.#buttons(isLeaf))),
          element("div", { class: "card stack" },
            this.#isOverview ? this.#overview() : isLeaf ? this.#leaf() : this.#grid(candidates)))));
    const crumbs = this.#page.querySelector(".crumbs");
    crumbs.scrollLeft = crumbs.scrollWidth;
  }

  #crumbs() {
    const items = [element("li", {}, button("Start", () => this.#go("")))];
    this.#choices.path.forEach((url, place) => {
      const code = this.#codes.slice(0, place + 1).join(".");
      items.push(element("li", {}, element("button", {
        type: "button", onclick: () => this.#go(code), "aria-label": `Go to step ${place + 1}, choice ${this.#codes[place]}`,
        "aria-current": place + 1 === this.#choices.level ? "step" : null,
      }, element("img", { src: url, alt: "" }), this.#codes[place])));
    });
    return element("ol", { class: "crumbs" }, ...items);
  }

  #buttons(isLeaf) {
    const walks = this.#timer !== null;
    return [
      button(walks ? "Stop" : "Walk at random", () => (walks ? this.#stopAndShow() : this.#walk()), { class: "main" }),
      button("Back one", () => this.#go(this.#codes.slice(0, -1).join(".")), { disabled: this.#choices.level === 0 }),
      button(this.#isOverview ? "Show the choices" : "See what lies below", () => {
        this.#isOverview = !this.#isOverview;
        this.#stopAndShow();
      }, { disabled: isLeaf }),
      button("Copy the link", (event) => this.#copy(event.currentTarget)),
    ];
  }

  async #copy(made) {
    try {
      await navigator.clipboard.writeText(location.href);
      made.textContent = "Copied";
    } catch {
      made.textContent = "Copy it from the address bar";
    }
  }

  #kinds() {
    const kinds = choices("Kind", this.#model.classes, (number) => {
      this.#place.class = number;
      this.#app.go(this.link);
    });
    kinds.select(this.#place.class);
    return kinds.group;
  }

  #grid(candidates) {
    const next = [...this.#codes];
    const grid = element("div", { class: `candidates${candidates.length <= 16 ? " few" : ""}` },
      ...candidates.map((url, node) => element("button", {
        type: "button", "aria-label": `Choice ${node}`, onclick: () => this.#go([...next, node].join(".")),
      }, element("img", { src: url, alt: "" }))));
    grid.addEventListener("keydown", (event) => this.#arrows(event, grid));
    return element("div", { class: "stack" },
      element("div", {}, element("h2", {}, `Step ${this.#choices.level + 1}: choose one of ${candidates.length}`),
        element("p", { class: "soft" }, "The next pictures begin with the one you choose, and look into it more closely.")), grid);
  }

  #arrows(event, grid) {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const place = [...grid.children].indexOf(document.activeElement);
    if (!step || place < 0) return;
    event.preventDefault();
    grid.children[place + step]?.focus();
  }

  #leaf() {
    const { path } = this.#choices;
    return element("div", { class: "stack" }, element("h2", {}, "How it came to be"),
      element("div", { class: "candidates few" }, ...path.map((url, place) => element("button", {
        type: "button", "aria-label": `Go back to step ${place + 1}`,
        onclick: () => this.#go(this.#codes.slice(0, place + 1).join(".")),
      }, element("img", { src: url, alt: "" })))),
      element("div", { class: "row" },
        button("Save", () => save(path[path.length - 1], `${this.#model.name}-${this.#place.code}.png`)),
        button("Paint on it", () => this.#app.paintOn(path[path.length - 1]))));
  }

  #overview() {
    const box = element("div", { class: "stack" }, element("h2", {}, "What lies below"),
      element("p", { class: "soft" }, "Each picture lies in the middle of those that go on from it. Choose one to go there."));
    const wait = element("p", { role: "status" }, "It is being drawn…");
    box.append(wait);
    const place = { ...this.#place };
    get("api/tree", { model: this.#model.name, ...place, size: 1024 }).then((tree) => {
      const image = element("img", { class: "overview", src: tree.picture, alt: "The tree below the picture so far" });
      image.addEventListener("click", (event) => {
        const bounds = image.getBoundingClientRect();
        const scale = tree.side / bounds.width;
        const found = pathAt(tree.grids, (event.clientX - bounds.left) * scale, (event.clientY - bounds.top) * scale);
        if (found.length) this.#go([...(place.code === "" ? [] : [place.code]), ...found].join("."));
      });
      wait.replaceWith(image);
    }).catch((error) => {
      wait.remove();
      this.#app.alert(error.message);
    });
    return box;
  }

  // Chooses at random until the end, then begins again.
  #walk() {
    this.#isOverview = false;
    const step = () => {
      const { candidates } = this.#choices;
      if (candidates.length === 0) return this.#go("");
      const node = Math.floor(Math.random() * candidates.length);
      const chosen = this.#page.querySelectorAll(".candidates button")[node];
      chosen?.classList.add("next");
      chosen?.scrollIntoView({ block: "nearest" });
      setTimeout(() => { if (this.#timer !== null) this.#go([...this.#codes, node].join(".")); }, 350);
    };
    this.#timer = setInterval(step, 1400);
    this.#build();
    step();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #stopAndShow() {
    this.#stop();
    this.#build();
  }
}

// The choices on the way to the node at a point of the picture; empty outside all.
export function pathAt(grids, x, y) {
  const path = [];
  for (const { line, gap, cell, cells } of grids) {
    const node = cells.findIndex(([column, row]) => {
      const left = line + gap + column * (cell + gap);
      const top = line + gap + row * (cell + gap);
      return x >= left && x < left + cell && y >= top && y < top + cell;
    });
    if (node < 0) break;
    path.push(node);
    x -= line + gap + cells[node][0] * (cell + gap);
    y -= line + gap + cells[node][1] * (cell + gap);
  }
  return path;
}
