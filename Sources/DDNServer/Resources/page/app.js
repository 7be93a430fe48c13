// The page: its tabs, the model, the theme; and the address, which holds what is shown.
import { get } from "./api.js";
import { element } from "./elements.js";
import { DrawPage } from "./draw.js";
import { PicturePage } from "./picture.js";
import { TrainPage } from "./train.js";
import { TreePage } from "./tree.js";

const NAMES = { mnist: "Digits", cifar10: "Ten kinds of things", faces64: "Faces" };

class App {
  #models = [];
  #pages = {};
  #shown = null;
  #chooser = document.getElementById("model");
  #alert = document.getElementById("alert");

  async start() {
    this.#theme();
    let server;
    try { server = await get("api/models"); } catch (error) {
      this.alert(error.message);
      return;
    }
    this.#models = server.models;
    this.hasTraining = server.hasTraining;
    this.#chooser.append(...this.#models.map(({ name }) =>
      element("option", { value: name }, NAMES[name] ? `${NAMES[name]} (${name})` : name)));
    this.#chooser.addEventListener("change", () => this.go(
      this.#shown === "train" ? "train" : `${this.#shown}/${this.#chooser.value}`));
    for (const [name, Page] of Object.entries({ draw: DrawPage, tree: TreePage, picture: PicturePage, train: TrainPage })) {
      this.#pages[name] = new Page(document.getElementById(name), this);
      this.#tab(name).addEventListener("click", () => this.go(name === "train" ? name : `${name}/${this.#chooser.value}`));
    }
    document.querySelector("[role=tablist]").addEventListener("keydown", (event) => this.#arrows(event));
    addEventListener("hashchange", () => this.#show());
    this.#show();
  }

  // Shows what an address stands for, such as "tree/mnist/3.0".
  go(address) {
    if (location.hash === `#${address}`) this.#show(); else location.hash = address;
  }

  // A sentence about what went wrong; null for nothing.
  alert(text) {
    this.#alert.textContent = text ?? "";
    this.#alert.hidden = text === null;
  }

  model(name) { return this.#models.find((model) => model.name === name); }

  async paintOn(url) {
    this.go(`draw/${this.#chooser.value}`);
    await new Promise((resolve) => setTimeout(resolve));
    await this.#pages.draw.usePicture(url);
  }

  #tab(name) { return document.getElementById(`tab-${name}`); }

  #show() {
    const [name, modelName, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
    const page = this.#pages[name] ? name : "draw";
    const known = this.model(modelName);
    if (modelName && !known && page !== "train") this.alert(`There is no model ${modelName} here.`);
    else this.alert(null);
    const model = known ?? this.model(this.#chooser.value) ?? this.#models[0];
    this.#chooser.value = model.name;
    if (this.#shown !== page) this.#pages[this.#shown]?.hide?.();
    this.#shown = page;
    for (const other of Object.keys(this.#pages)) {
      document.getElementById(other).hidden = other !== page;
      this.#tab(other).setAttribute("aria-selected", String(other === page));
      this.#tab(other).tabIndex = other === page ? 0 : -1;
    }
    document.title = `${this.#tab(page).textContent} · DDN`;
    this.#pages[page].show(model, rest.join("/"));
  }

  #arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const names = Object.keys(this.#pages);
    const next = names[(names.indexOf(this.#shown) + step + names.length) % names.length];
    this.#tab(next).click();
    this.#tab(next).focus();
  }

  #theme() {
    const made = document.getElementById("theme");
    const isDark = () => (document.documentElement.dataset.theme
      ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const show = () => { made.textContent = isDark() ? "☀" : "☾"; };
    const saved = localStorage.getItem("theme");
    if (saved === "dark" || saved === "light") document.documentElement.dataset.theme = saved;
    made.addEventListener("click", () => {
      const next = isDark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      localStorage.setItem("theme", next);
      show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  }
}

new App().start();
