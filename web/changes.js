// SPDX-License-Identifier: MIT
// The mirror's own feed, live: what came, changed or went, the newest first.
import { ago, data, every, foreign, h, kChangeWords, kNames, plural, recordHref, rove, typeName, typeNames } from "/app.js";

const kShown = 100;  // and as many more each time that more are asked for
const kKept = 5000;  // more than the mirror tells at once

// Where the change is best seen: what differs, or the record.
function hrefOf(change) {
  const versions = change.change === "update" && change.version > 1 ? `/diff/${change.version - 1},${change.version}` : "";
  return recordHref(change.type, change.id, versions);
}

function nameOf(change) {
  if (change.title) return foreign(change.title);
  if (change.type === "season") return `show ${change.tv_id}, season ${change.season_number}`;
  return `${typeName(change.type)} ${change.id}`;
}

const whatOf = (change) => change.what ? foreign(change.what) : change.change === "update" ? "order or numbers only" : null;

function row(change) {
  return h("li", {}, h("a", { class: "change", href: hrefOf(change), "data-item": "", "data-key": String(change.number), tabindex: -1 },
    h("span", { class: "small soft" }, ago(change.at)),
    h("span", { class: "kind " + change.change }, kChangeWords[change.change] ?? change.change),
    h("span", { class: "title" }, nameOf(change), h("span", { class: "unseen" }, `, version ${change.version}`)),
    h("span", { class: "small soft" }, typeName(change.type)),
    whatOf(change) && h("span", { class: "what" }, whatOf(change))));
}

export async function changes(main, parts, signal, query) {
  const known = new Map();  // by number
  let shownMost = kShown, revision = 0, type = query.get("type") ?? "", numbers = query.get("numbers") === "1", held = false;
  const list = h("ul", { class: "list", "aria-label": "Changes" });
  const settle = rove(list);
  const more = h("button", { type: "button", class: "quiet", hidden: true, on: { click: () => {
    shownMost += kShown;
    draw();
    list.children[shownMost - kShown]?.firstChild.focus();
  } } }, "Show older ones");
  const state = h("p", { class: "small soft" });
  const empty = h("p", { class: "soft", hidden: true });
  const select = h("select", { id: "of", on: { change: () => { type = select.value; remember(); draw(); } } },
    h("option", { value: "" }, "all types"),
    Object.keys(kNames).filter((name) => name !== "episode").map((name) => h("option", { value: name }, typeNames(name))));
  select.value = type;
  const box = h("input", { type: "checkbox", id: "numbers", on: { change: () => { numbers = box.checked; remember(); draw(); } } });
  box.checked = numbers;
  const pause = h("button", { type: "button", class: "quiet", "aria-pressed": "false", on: { click: () => {
    held = !held;
    pause.setAttribute("aria-pressed", String(held));
    pause.textContent = held ? "Go on" : "Pause";
    if (!held) look();
  } } }, "Pause");
  main.replaceChildren(
    h("div", { class: "head" }, h("h1", {}, "Changes"), state),
    h("div", { class: "filters" }, h("div", { class: "row" }, h("label", { for: "of" }, "Show"), select),
      h("div", { class: "row" }, box, h("label", { for: "numbers" }, "also where only votes and popularity moved")), pause),
    h("section", { class: "sheet", "aria-label": "Feed" }, empty, list, more));

  function remember() {
    const words = new URLSearchParams();
    if (type) words.set("type", type);
    if (numbers) words.set("numbers", "1");
    history.replaceState(null, "", "#/changes" + (words.size > 0 ? "?" + words : ""));
  }
  function draw() {
    const all = [...known.values()].filter((c) => (!type || c.type === type) && (numbers || c.change !== "stats"))
      .sort((a, b) => b.at.localeCompare(a.at) || b.number - a.number);
    for (const old of all.slice(kKept)) known.delete(old.number);
    const shown = all.slice(0, shownMost);
    more.hidden = all.length <= shownMost;
    // Rows that are there stay where they are: neither focus nor reading is disturbed.
    const rows = new Map([...list.children].map((item) => [item.firstChild.dataset.key, item]));
    let before = null;
    for (const change of shown) {
      const key = String(change.number);
      let item = rows.get(key);
      if (!item || item.revision !== change.made) {
        const fresh = row(change);
        fresh.revision = change.made;
        const focused = item?.contains(document.activeElement);
        if (item) item.replaceWith(fresh);
        if (focused) fresh.firstChild.focus();
        item = fresh;
      }
      rows.delete(key);
      const place = before ? before.nextSibling : list.firstChild;
      if (item !== place) list.insertBefore(item, place);
      before = item;
    }
    for (const item of rows.values()) item.remove();
    settle();
    empty.hidden = shown.length > 0;
    empty.textContent = known.size === 0 ? "Nothing has been written yet." : "Nothing of this kind among the newest.";
    state.replaceChildren(shown.length === 0 ? "" : `The newest ${plural(shown.length, "change")}`);
  }
  async function look() {
    if (held) return;
    const answer = await data("changes.json?since=" + revision, signal);
    if (answer.revision < revision) known.clear();  // another process tells now, by numbers of its own
    if (answer.revision === revision) return;
    revision = answer.revision;
    for (const change of answer.changes) known.set(change.number, Object.assign(change, { made: revision }));
    draw();
  }
  await look();
  draw();
  for (const wait of [300, 1000]) setTimeout(() => { if (!signal.aborted) look().catch(() => {}); }, wait);
  every(3000, signal, look);
}
