// SPDX-License-Identifier: MIT
// One record: found by its title, or by its type and id; its card, its JSON, its versions, what two of them differ in.
import { ago, bytes, command, collector, count, data, foreign, h, kChangeWords, kNames, note, plural, recordHref, say, terms,
  typeName, typeNames } from "/app.js";

const kWait = 150;           // ms after the last key before titles are asked for
const kChildren = 100;       // of a JSON object or array, shown at once
const kText = 400;           // characters of a JSON string
const kBody = 8 << 20;       // bytes of a body that is shown as a tree

// --- search ---

// "movie:550", "movie/550", "tv 1399", "550" with the type chosen: an address; else null.
export function addressOf(text, type) {
  const match = text.trim().match(/^(?:([a-z]+)[\s:/]+)?(\d+(?:\/season\/\d+(?:\/episode\/\d+)?)?|[a-z_]+\/[a-z_/]+)$/i);
  if (!match) return null;
  const named = match[1]?.toLowerCase();
  if (named && !kNames[named]) return null;
  return { type: named ?? type, id: match[2] };
}

function search(kind) {
  let found = [], at = -1, timer = 0, asked = 0;
  const list = h("ul", { class: "found", id: "found", role: "listbox", "aria-label": "Records found" });
  const types = h("select", { id: "type", "aria-label": "Type, when only an id is given" },
    Object.keys(kNames).map((name) => h("option", { value: name }, typeName(name))));
  types.value = kind && kNames[kind] ? kind : "movie";
  const input = h("input", { type: "search", id: "q", role: "combobox", "aria-autocomplete": "list", "aria-controls": "found",
    "aria-expanded": "false", autocomplete: "off", spellcheck: "false", maxlength: 150 });
  const open = (address) => { close(); location.hash = recordHref(address.type, address.id); };
  const close = () => { found = []; draw(); };
  function draw() {
    list.replaceChildren(...found.map((one, i) => h("li", { role: "option", id: "f" + i, "aria-selected": String(i === at),
      on: { mousedown: (event) => { event.preventDefault(); open(one); } } },
      h("span", {}, foreign(one.title)), h("span", { class: "soft small" }, [typeName(one.type), one.year].filter(Boolean).join(", ")))));
    input.setAttribute("aria-expanded", String(found.length > 0));
    at >= 0 ? input.setAttribute("aria-activedescendant", "f" + at) : input.removeAttribute("aria-activedescendant");
  }
  async function ask() {
    const number = ++asked, words = input.value.trim();
    at = -1;
    const address = addressOf(words, types.value);
    if (address || words.length < 2) return close();
    try {
      const answer = await data("suggest.json?q=" + encodeURIComponent(words));
      if (number !== asked) return;
      found = answer;
      draw();
      say(found.length === 0 ? "Nothing found" : plural(found.length, "record") + " found");
      hint.textContent = found.length === 0 ? "No title is like that." : "";
    } catch (error) {
      if (number !== asked) return;
      close();
      hint.textContent = error.status === 404 ? kByAddress : `${error.message}. ${kByAddress}`;
    }
  }
  const kByAddress = "By type and id: 550, movie:550, season 1399/season/1.";
  const hint = h("p", { class: "small soft", id: "hint", "aria-live": "polite" });
  input.setAttribute("aria-describedby", "hint");
  input.addEventListener("input", () => { clearTimeout(timer); hint.textContent = ""; timer = setTimeout(ask, kWait); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length > 0) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      draw();
      list.children[at].scrollIntoView({ block: "nearest" });
    } else if (event.key === "Escape" && found.length > 0) {
      event.preventDefault();
      close();
    }
  });
  const form = h("form", { role: "search", on: { submit: async (event) => {
    event.preventDefault();
    const address = addressOf(input.value, types.value);
    if (address) return open(address);
    if (found.length === 0) await ask();
    if (found.length > 0) return open(found[Math.max(0, at)]);
    if (!hint.textContent) hint.textContent = kByAddress;
  } } }, input, types, h("button", { type: "submit" }, "Open"));
  return { box: h("div", { class: "search" }, h("label", { for: "q" }, "A title, or an id"), form, list, hint), input };
}

// --- the card ---

function card(record) {
  const { card } = record;
  const year = card.date.slice(0, 4);
  return h("div", { class: "card" },
    card.text && h("p", { class: "text" }, foreign(card.text)),
    card.genres.length > 0 && h("ul", { class: "chips", "aria-label": "Genres" }, card.genres.map((name) => h("li", {}, foreign(name)))),
    terms([
      card.original_title && ["original title", foreign(card.original_title)],
      card.date && [record.type === "person" ? "born" : "date", card.date],
      ...card.facts.map(([name, value]) => [name, foreign(value)]),
    ]),
    card.people.length > 0 && h("div", { class: "stack" }, h("h2", {}, record.type === "person" ? "Known for" : "Cast"),
      h("ul", { class: "people" }, card.people.map((one) => h("li", {}, foreign(one.name), one.role && h("span", { class: "soft" }, " as ", foreign(one.role)))))),
    !year && !card.text && card.people.length === 0 && h("p", { class: "soft" }, "There is no more to this record than its JSON says."),
    h("div", { class: "stack" }, h("h2", {}, "In the mirror"), terms([
      ["version", `${record.version}, fetched `, ago(record.fetched_at)],
      ["size", bytes(record.data_bytes)],
      record.sha256 && ["SHA-256", h("code", {}, record.sha256)],
    ])));
}

// --- JSON ---

// What would change the direction of the text around it, or not be seen at all, is shown as its escape.
const visible = (text) => text.replaceAll("\r\n", "\n").replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
  (c) => c === "\n" ? "\n" : "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

function leaf(value) {
  if (typeof value === "string") {
    const text = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
    if (value.length <= kText) return h("span", { class: "s" }, '"', foreign(visible(text)), '"');
    const rest = h("button", { type: "button", on: { click: () => part.replaceChildren(visible(value)) || rest.remove() } },
      `all ${plural(value.length, "character")}`);
    const part = h("bdi", {}, visible(value.slice(0, kText)) + "…");
    return [h("span", { class: "s" }, '"', part, '"'), " ", rest];
  }
  return h("span", { class: typeof value === "number" ? "n" : "z" }, String(value));
}

function tree(key, value, opened) {
  const name = key === null ? null : [h("span", { class: "k" }, foreign(visible(String(key)))), ": "];
  if (value === null || typeof value !== "object") return h("div", { class: "leaf" }, name, leaf(value));
  const list = Array.isArray(value);
  const keys = list ? value.map((_, i) => i) : Object.keys(value);
  if (keys.length === 0) return h("div", { class: "leaf" }, name, h("span", { class: "z" }, list ? "[]" : "{}"));
  const inside = h("div");
  const size = list ? plural(keys.length, "element") : plural(keys.length, "member");
  const node = h("details", { open: opened }, h("summary", {}, name, h("span", { class: "z" }, list ? `[ ${size} ]` : `{ ${size} }`)), inside);
  let shown = 0;
  const more = () => {
    const part = keys.slice(shown, shown + kChildren);
    inside.append(...part.map((k) => tree(k, value[k], false)));
    shown += part.length;
    if (shown === keys.length) return;
    const button = h("button", { type: "button", on: { click: () => { const last = inside.lastChild; last.remove(); more(); inside.children[shown - 1]?.querySelector("summary, button")?.focus(); } } },
      `${count(Math.min(kChildren, keys.length - shown))} more of ${count(keys.length - shown)}`);
    inside.append(button);
  };
  if (opened) more();
  else node.addEventListener("toggle", () => { if (node.open && shown === 0) more(); });
  return node;
}

async function json(record, signal) {
  const query = `type=${encodeURIComponent(record.type)}&id=${encodeURIComponent(record.id)}`;
  const raw = h("a", { href: "/dashboard/body.json?" + query }, `all ${bytes(record.data_bytes)} as TMDB sent them`);
  if (record.data_bytes > kBody) return h("p", {}, "Too large to be shown as a tree: ", raw);
  const body = await data("body.json?" + query, signal);
  return [h("p", { class: "small soft" }, raw), h("div", { class: "json" }, tree(null, body, true))];
}

// --- history and differences ---

async function versions(record, signal) {
  const { versions, more } = await data(`history.json?type=${encodeURIComponent(record.type)}&id=${encodeURIComponent(record.id)}`, signal);
  const picked = [versions[1]?.version, versions[0]?.version];
  const go = h("button", { type: "button", disabled: versions.length < 2, on: { click: () => {
    const pair = [...picked].sort((a, b) => a - b);
    location.hash = recordHref(record.type, record.id, "/diff/" + pair.join(","));
  } } }, "Compare");
  const choose = (i, version) => { picked[i] = version; go.disabled = picked[0] === picked[1]; };
  const radio = (i, one) => h("input", { type: "radio", name: "v" + i, value: one.version, checked: picked[i] === one.version,
    "aria-label": `${i === 0 ? "From" : "To"} version ${one.version}`, on: { change: () => choose(i, one.version) } });
  return [versions.length > 1 && h("div", { class: "row" }, h("p", { class: "small soft" }, "Choose two versions, the older in the first column."), go),
    h("ol", { class: "list", reversed: true, "aria-label": "Versions" }, versions.map((one) => h("li", { class: "version" },
      versions.length > 1 ? h("span", { class: "row" }, radio(0, one), radio(1, one)) : h("span"),
      h("span", {}, "v" + one.version), h("span", { class: "kind " + one.change }, kChangeWords[one.change] ?? one.change), ago(one.fetched_at),
      h("span", { class: "small soft" }, one.damaged ? "" : one.bytes > 0 ? bytes(one.bytes) : ""),
      one.damaged ? h("span", { class: "what kind delete" }, "It cannot be read: ", foreign(one.damaged)) : one.what && h("span", { class: "what" }, foreign(one.what))))),
    more && h("p", { class: "small soft" }, "Older versions are not shown here: ", h("code", {}, collector(`query --type=${record.type} --id=${record.id} --history`)))];
}

async function difference(record, pair, signal) {
  const { from, to, lines, cut } = await data(`diff.json?type=${encodeURIComponent(record.type)}&id=${encodeURIComponent(record.id)}&versions=${encodeURIComponent(pair)}`, signal);
  const kinds = { "+": ["plus", "added: "], "-": ["minus", "removed: "], "~": ["tilde", "changed: "], ">": ["tilde", "moved: "] };
  return [h("h2", {}, `Version ${from} to version ${to}`),
    h("p", { class: "small" }, h("a", { href: recordHref(record.type, record.id, "/history") }, "All versions")),
    h("ul", { class: "diff", "aria-label": "Differences" }, lines.map((line) => {
      const [name, word] = kinds[line[0]] ?? ["", ""];
      return h("li", { class: name }, word && h("span", { class: "unseen" }, word), foreign(line));
    })),
    cut && h("p", { class: "small soft" }, "There is more: ", h("code", {}, collector(`query --type=${record.type} --id=${record.id} --diff=${pair}`)))];
}

// --- the view ---

function failure(error, type, id) {
  if (error.status === 404 || error.status === 400) return note("", "It is not here.", h("p", {}, foreign(error.message)));
  return note("bad", `${typeName(type)} ${id} cannot be read.`, h("p", {}, foreign(error.message)),
    h("p", { class: "small" }, "This names what else is damaged, and what can be made good:"), command(collector("verify --deep")));
}

export async function record(main, parts, signal) {
  const [type, id, tab = "", pair = ""] = parts;
  const box = search(type);
  const place = h("div");
  if (!type || !id) {
    main.replaceChildren(h("div", { class: "head" }, h("h1", {}, "Records")), box.box, place);
    place.append(h("p", { class: "soft" }, "Films, shows, seasons, episodes, people and the rest, as TMDB sent them, with everything that changed since."));
    box.input.focus();
    return;
  }
  main.replaceChildren(h("div", { class: "head" }, h("h1", {}, `${typeName(type)} ${id}`)), box.box, place);
  let one;
  try {
    one = await data(`record.json?type=${encodeURIComponent(type)}&id=${encodeURIComponent(id)}`, signal);
  } catch (error) {
    if (signal.aborted) return;
    place.replaceChildren(failure(error, type, id));
    // Its past may be readable where its present is not.
    if (error.status >= 500) one = { type, id, card: null };
    else return;
  }
  if (signal.aborted) return;
  const title = one.card?.title;
  const year = one.card?.date.slice(0, 4);
  if (title) {
    document.title = `${title} · TMDB mirror`;
    main.querySelector("h1").replaceChildren(foreign(title), year ? h("span", { class: "soft" }, ` (${year})`) : "");
  }
  const tabs = [["", "Card"], ["json", "JSON"], ["history", "History"]];
  const current = tab === "diff" ? "history" : tab;
  const body = h("div", { class: "stack" }, h("p", { class: "soft" }, "Reading…"));
  place.append(h("p", { class: "soft" }, `${typeName(type)} ${id}`, one.card && !one.live ? ": TMDB says it is gone" : ""),
    h("nav", { class: "tabs", "aria-label": "Of this record" }, tabs.map(([name, text]) =>
      h("a", { href: recordHref(type, id, name && "/" + name), "aria-current": name === current ? "page" : null }, text))),
    h("section", { class: "sheet", "aria-label": tabs.find(([name]) => name === current)?.[1] ?? "Record" }, body));
  try {
    const content = tab === "json" ? await json(one, signal) : tab === "history" ? await versions(one, signal)
      : tab === "diff" ? await difference(one, pair, signal) : one.card ? card(one) : null;
    if (signal.aborted) return;
    body.replaceChildren(...[content].flat(3).filter(Boolean));
  } catch (error) {
    if (!signal.aborted) body.replaceChildren(failure(error, type, id));
  }
}
