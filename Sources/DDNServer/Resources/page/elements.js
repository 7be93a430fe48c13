// Elements and their children in one call: element("p", { class: "soft" }, "Hello").

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  set(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svgElement(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function set(made, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else made.setAttribute(key, value);
  }
}

export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

// A slider with its name and value: { row, input, value }.
export function slider(name, { min, max, step = 1, value, text = String, onchange }) {
  const output = element("output", {}, text(value));
  const input = element("input", { type: "range", min, max, step, value, "aria-label": name });
  input.addEventListener("input", () => { output.textContent = text(Number(input.value)); });
  input.addEventListener("change", () => onchange?.(Number(input.value)));
  const row = element("div", { class: "slider" }, element("span", {}, name), input, output);
  return {
    row, input,
    get value() { return Number(input.value); },
    set value(number) { input.value = number; output.textContent = text(Number(input.value)); },
  };
}

// A button that opens a file.
export function fileButton(text, accept, onfile) {
  const input = element("input", { type: "file", accept });
  input.addEventListener("change", () => {
    if (input.files.length) onfile(input.files[0]);
    input.value = "";
  });
  return element("label", { class: "file" }, text, input);
}

// One of several choices, as a row of buttons.
export function choices(label, names, onchoose, attributes = {}) {
  const group = element("div", { class: "chips", role: "radiogroup", "aria-label": label, ...attributes });
  group.append(...names.map((name, number) => {
    const made = button(name, () => select(number, true), { role: "radio", "aria-checked": "false" });
    return made;
  }));
  let chosen = null;
  function select(number, tells = false) {
    chosen = number;
    [...group.children].forEach((child, place) => child.setAttribute("aria-checked", String(place === number)));
    if (tells) onchoose(number);
  }
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const number = ((chosen ?? 0) + step + names.length) % names.length;
    select(number, true);
    group.children[number].focus();
  });
  return { group, select, get chosen() { return chosen; } };
}

export function bytesText(count) { return `${count.toLocaleString("en")} byte${count === 1 ? "" : "s"}`; }

export function save(data, name, type) {
  const url = typeof data === "string" ? data : URL.createObjectURL(new Blob([data], { type }));
  element("a", { href: url, download: name }).click();
  if (typeof data !== "string") setTimeout(() => URL.revokeObjectURL(url), 1000);
}
