// Requests to the server. Failures are errors with a sentence for people.

export async function get(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(key, value);
  }
  return await answer(await reach(`${path}?${query}`));
}

export async function post(path, body) {
  return await answer(await reach(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }));
}

// Reads server-sent events until the last one, `done`, whose data it returns. `on` has a function for each other event.
export async function stream(path, body, on, signal) {
  const response = await reach(path, {
    method: "POST", signal, body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
  });
  if (!response.ok) return await answer(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    let part;
    try { part = await reader.read(); } catch (error) { throw lost(error); }
    if (part.done) throw lost();
    text += part.value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1];
      if (!name) continue;
      const data = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
      if (name === "error") throw new Error(sentence(data.error));
      if (name === "done") return data;
      on[name]?.(data);
    }
  }
}

export function isAbort(error) { return error.name === "AbortError"; }

async function reach(path, options) {
  try { return await fetch(path, options); } catch (error) { throw lost(error); }
}

function lost(error) {
  if (error && isAbort(error)) return error;
  return new Error("The server does not answer. Is ddn serve still running? Start it and try again.");
}

async function answer(response) {
  let data;
  try { data = await response.json(); } catch (error) { throw lost(error); }
  if (!response.ok) throw new Error(sentence(data.error));
  return data;
}

function sentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + "."; }

// A Blob's bytes as a data URL.
export function dataURL(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error("The file cannot be read."));
    reader.readAsDataURL(blob);
  });
}
