// Your picture: its code, level by level, and its bytes beside those of other formats.
import { dataURL, isAbort, post, stream } from "./api.js";
import { button, bytesText, choices, element, fileButton, save } from "./elements.js";
import { treeLink } from "./draw.js";

export class PicturePage {
  #page; #app; #model;
  #run = null;
  #kind = 0;
  #source = null;
  #levels = [];
  #result = null;

  constructor(section, app) {
    this.#page = section;
    this.#app = app;
  }

  show(model) {
    if (model === this.#model) return;
    this.#model = model;
    this.#kind = 0;
    this.#run?.abort();
    this.#build();
    if (this.#source) this.#encode();
  }

  get link() { return `picture/${this.#model.name}`; }

  #build() {
    this.#result = element("div", { class: "stack" });
    const drop = element("div", { class: "drop" },
      element("h2", {}, "Drop a picture here"),
      element("p", { class: "soft" },
        `The model turns it into ${this.#model.levels.length} numbers. The server forgets it at once.`),
      element("div", { class: "row" },
        fileButton("Choose a picture", "image/*", (file) => this.#take(file)),
        fileButton("Open a .ddn file", ".ddn", (file) => this.#take(file))));
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.#take(event.dataTransfer.files[0]);
    });
    const kinds = this.#model.needsClass ? choices("What is it?", this.#model.classes, (number) => {
      this.#kind = number;
      if (this.#source) this.#encode();
    }) : null;
    kinds?.select(0);
    this.#page.replaceChildren(element("div", { class: "stack" }, drop,
      kinds ? element("div", { class: "card row" }, element("h3", {}, "What is it?"), kinds.group) : null, this.#result));
  }

  async #take(file) {
    try {
      const url = await dataURL(file);
      if (file.name.endsWith(".ddn")) return await this.#decode(url);
      this.#source = url;
      await this.#encode();
    } catch (error) {
      if (!isAbort(error)) this.#app.alert(error.message);
    }
  }

  async #encode() {
    this.#run?.abort();
    const run = this.#run = new AbortController();
    const levels = this.#begin("As the model sees it", "Step by step");
    try {
      const done = await stream("api/encode", {
        model: this.#model.name, picture: this.#source, class: this.#model.needsClass ? this.#kind : undefined,
      }, {
        queued: ({ before }) => { levels.status.textContent = `Waiting: ${before} before you`; },
        target: ({ image }) => { levels.first.src = image; },
        level: ({ level, of, choice, image, psnr }) =>
          levels.add(image, `Step ${level} of ${of}: choice ${choice}, ${psnr.toFixed(1)} dB`),
      }, run.signal);
      this.#app.alert(null);
      this.#result.append(this.#sizes(done), this.#code(done, levels.first.src));
    } catch (error) {
      if (isAbort(error)) return;
      levels.status.textContent = "Stopped";
      this.#app.alert(error.message);
    }
  }

  async #decode(url) {
    this.#run?.abort();
    const found = await post("api/decode", { file: url });
    this.#app.alert(null);
    const levels = this.#begin(null, `From ${bytesText(found.bytes)}, by the model ${found.model}`);
    for (const [place, image] of found.levels.entries()) {
      levels.add(image, `Step ${place + 1} of ${found.levels.length}`);
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    this.#result.append(this.#code(found));
  }

  // The pictures that get better; `add` shows one more.
  #begin(firstName, name) {
    this.#levels = [];
    const first = element("img", { alt: "Your picture, cut square" });
    const image = element("img", { alt: "The picture so far" });
    const status = element("figcaption", { "aria-live": "polite" }, "Starting…");
    const film = element("div", { class: "film", role: "group", "aria-label": "All steps" });
    const pick = (place) => {
      const { url, text } = this.#levels[place];
      image.src = url;
      status.textContent = text;
      [...film.children].forEach((made, other) => made.setAttribute("aria-pressed", String(other === place)));
    };
    this.#result.replaceChildren(element("div", { class: "card stack" },
      element("div", { class: "pair" },
        firstName ? element("figure", {}, element("h3", {}, firstName), first) : null,
        element("figure", {}, element("h3", {}, name), image, status)),
      film));
    return {
      first, status,
      add: (url, text) => {
        const place = this.#levels.length;
        this.#levels.push({ url, text });
        film.append(element("button", { type: "button", "aria-label": `Step ${place + 1}`, onclick: () => pick(place) },
          element("img", { src: url, alt: "" })));
        pick(place);
        film.scrollLeft = film.scrollWidth;
      },
    };
  }

  #sizes(done) {
    const rows = [
      { name: ".ddn", bytes: done.bytes, psnr: done.psnr, picture: done.picture, isOurs: true },
      ...done.rivals.map((rival) => ({ ...rival, name: `${rival.name}, as small as it can` })),
    ];
    const most = Math.max(...rows.map(({ bytes }) => bytes));
    return element("div", { class: "card stack" },
      element("div", {}, element("h2", {}, "How many bytes?"),
        element("p", { class: "soft" }, "Fewer bytes are a smaller file. More decibels (dB) are closer to your picture.")),
      element("div", { class: "sizes" }, ...rows.map((row) => {
        const bar = element("div");
        bar.style.width = `${70 * row.bytes / most}%`;
        return element("div", { class: `size${row.isOurs ? " ours" : ""}` },
          element("img", { src: row.picture, alt: `As ${row.name}` }),
          element("div", {}, element("p", {}, row.name, element("span", { class: "soft" }, ` ${row.psnr.toFixed(1)} dB`)),
            element("div", { class: "bar" }, bar, element("b", {}, bytesText(row.bytes)))));
      })));
  }

  #code(found, source) {
    const model = this.#app.model(found.model);
    return element("div", { class: "card stack" },
      element("h2", {}, "Its code"), element("code", {}, found.code),
      element("p", { class: "soft" }, "These numbers are all that the file keeps, and what it takes to check them."),
      element("div", { class: "row" },
        found.file ? button("Download the .ddn file", () => {
          const bytes = Uint8Array.from(atob(found.file), (letter) => letter.charCodeAt(0));
          save(bytes, "picture.ddn", "application/octet-stream");
        }, { class: "main" }) : null,
        button("Show it in the tree", () => this.#app.go(treeLink(model, found)))));
  }
}
