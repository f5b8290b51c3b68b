// SPDX-License-Identifier: MIT
// The page: what all views stand on (elements, numbers, times, data), the routes, and the first view. The other views are
// modules of their own, loaded when they are first asked for. Text from records is never markup: elements are made here
// alone, and text goes in as text.

// --- elements ---

// h("a", {href, class, on: {click}}, child...): children are nodes, texts, or nothing.
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  return fill(element, props, children);
}
export function svg(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}
function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}
// Text of a record: what stands around it keeps its own direction. An isolate that the text opens and leaves open would
// take our own end of it, so the characters that set directions stay out; letters have their own.
export const foreign = (text) => h("bdi", { dir: "auto" }, text.replace(/[\u202a-\u202e\u2066-\u2069]/g, ""));

// --- numbers and times ---

const kThin = "\u202f";
export const count = (n) => Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, kThin);
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;
export function percent(part) {
  if (part >= 1) return "100" + kThin + "%";
  const cut = Math.floor(part * 1000) / 10;  // never rounded up to a hundred
  return cut.toFixed(1) + kThin + "%";
}
export function bytes(n) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]])
    if (n >= size) return (n / size).toFixed(n < 10 * size ? 1 : 0) + kThin + unit;
  return n + kThin + "B";
}
export function span(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return plural(s, "second");
  if (s < 3600) return plural(Math.round(s / 60), "minute");
  if (s < 48 * 3600) return plural(Math.round(s / 3600), "hour");
  return plural(Math.round(s / 86400), "day");
}
function relative(at) {
  const seconds = (Date.now() - at) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  return seconds > 0 ? span(seconds) + " ago" : "in " + span(-seconds);
}
export function ago(text) {
  const at = Date.parse(text);
  if (Number.isNaN(at)) return h("span", {}, "–");
  const absolute = new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  return h("time", { datetime: text, title: `${absolute} (${text})` }, relative(at));
}
setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = relative(Date.parse(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}, 10_000);

export const kNames = {
  movie: ["film", "Films"], tv: ["show", "Shows"], season: ["season", "Seasons"], episode: ["episode", "Episodes"],
  person: ["person", "People"], collection: ["collection", "Collections"], company: ["company", "Companies"],
  network: ["network", "Networks"], keyword: ["keyword", "Keywords"], configuration: ["list", "Lists"],
};
export const kChangeWords = { insert: "new", update: "changed", stats: "numbers", delete: "gone", restore: "back", purge: "purged" };
export const typeName = (type) => kNames[type]?.[0] ?? type;
export const typeNames = (type) => kNames[type]?.[1] ?? type;

// --- data ---

function answers(does) {
  document.getElementById("offline").hidden = does || document.hidden;
}
export async function data(path, signal) {
  const response = await fetch("/dashboard/" + path, { signal, headers: { Accept: "application/json" } });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error ?? `HTTP ${response.status}`), { status: response.status });
  return answer;
}
// Calls `act` every so often, until `signal` says that nobody looks any more; a page in the background rests.
export function every(milliseconds, signal, act) {
  let timer = 0;
  const failed = (error) => answers(error.status !== undefined || signal.aborted);
  const again = async () => {
    if (!document.hidden) await act().then(() => answers(true), failed);
    if (!signal.aborted) timer = setTimeout(again, milliseconds);
  };
  timer = setTimeout(again, milliseconds);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

// --- pieces ---

export function say(text) {
  document.getElementById("live").textContent = text;
}
// A command to be run elsewhere: text, and a button that copies it.
export function command(text) {
  const button = h("button", { type: "button", "data-key": "copy " + text, "aria-label": "Copy: " + text }, "Copy");
  const code = h("code", { tabindex: 0, role: "group", "aria-label": "Command" }, text);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      say("Copied");
    } catch {
      getSelection().selectAllChildren(code);  // Ctrl-C does it
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return h("div", { class: "copy" }, code, button);
}
export const collector = (words) => "tmdb-collector " + words + (facts.flags ?? "");
export function note(kind, title, ...rest) {
  return h("div", { class: "note " + kind }, h("p", {}, h("strong", {}, title)), rest);
}
export function sheet(title, aside, ...content) {
  const id = "s-" + title.toLowerCase().replace(/\W+/g, "-");
  return h("section", { class: "sheet", "aria-labelledby": id },
    h("div", { class: "sheet-head" }, h("h2", { id }, title), aside && h("div", { class: "small soft" }, aside)), content);
}
export const terms = (pairs) => h("dl", { class: "facts" },
  pairs.filter(Boolean).map(([term, ...value]) => [h("dt", {}, term), h("dd", {}, value)]));

// One of the list's links is in the order of Tab; the arrows, Home and End go to the others.
export function rove(list) {
  const items = () => [...list.querySelectorAll("[data-item]")];
  const settle = (current) => {
    for (const item of items()) item.tabIndex = item === current ? 0 : -1;
  };
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return;
    event.preventDefault();
    settle(all[to]);
    all[to].focus();
  });
  list.addEventListener("focusin", (event) => { if (event.target.dataset.item !== undefined) settle(event.target); });
  return () => { const all = items(); if (!all.some((item) => item.tabIndex === 0) && all[0]) settle(all[0]); };
}

// Puts `content` in the place of what is there, unless `state` is what it was made of. Focus stays where it was.
export function show(place, state, content) {
  const text = JSON.stringify(state);
  if (place.madeOf === text) return;
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  if (place.contains(getSelection()?.anchorNode) && !getSelection().isCollapsed) return;  // somebody is about to copy
  place.madeOf = text;
  place.replaceChildren(...[content()].flat(3).filter(Boolean));
  if (focused) [...place.querySelectorAll("[data-key]")].find((e) => e.dataset.key === focused)?.focus();
}

// --- the first view ---

const kTypes = Object.keys(kNames);
const kEta = "at this pace";
const kObstacles = {
  no_date: "nothing is purged, for TMDB has not said what day it is",
  clock_off: "nothing is purged, for this machine's clock is off by more than a day from TMDB's",
};

// What it is doing, in a sentence: why it waits, where it does.
export function activity(status, limit) {
  const { process, queue } = status;
  if (!process) return ["Nothing has run here yet.", "idle"];
  const left = queue.waiting + queue.delayed + queue.in_flight;
  if (!process.running) {
    const rest = left > 0 ? ` ${plural(left, "id")} wait in the queue for the next run.` : "";
    return [`No process is at work.${rest}`, "idle"];
  }
  const silent = (Date.now() - Date.parse(process.updated)) / 1000;
  if (left === 0) return ["Everything that is known is fetched; it waits for its next schedule.", "calm"];
  if (silent > 120) return [`It has settled nothing for ${span(silent)}: TMDB may be unreachable, or asks it to pause.`, "slow"];
  if (queue.waiting === 0 && queue.in_flight === 0)
    return [`${plural(queue.delayed, "id")} failed and wait to be tried again.`, "slow"];
  if (limit && process.requests_per_second > 0.8 * limit) return [`Fetching at its limit of ${limit} requests a second.`, "calm"];
  return ["Fetching.", "calm"];
}

function notes(seen) {
  const all = [];
  if (seen.error) all.push(note("bad", "The store cannot be read.", h("p", {}, foreign(seen.error)), command(collector("verify"))));
  for (const damage of seen.damage ?? []) {
    all.push(note("bad", "A part of the store is damaged.",
      h("p", {}, h("code", {}, damage.file), ` at byte ${count(damage.offset)}: `, foreign(damage.what)),
      h("p", { class: "small" }, "What is around it can still be read. This tells which records it holds:"), command(collector("verify --deep"))));
  }
  const status = seen.status;
  if (!status) return all;
  const held = Object.values(status.types).reduce((sum, type) => sum + type.held_deletions, 0);
  if (held > 0) {
    all.push(note("warn", `${plural(held, "deletion")} ${held === 1 ? "waits" : "wait"} for you.`,
      h("p", {}, "TMDB no longer has these records, but so many at once may be its mistake. They are kept until you agree:"),
      command(collector("run --once --accept-deletions"))));
  }
  if (status.care?.held > 0) {
    all.push(note("warn", `${plural(status.care.held, "old record")} should go, and ${status.care.held === 1 ? "waits" : "wait"} for you.`,
      h("p", {}, "TMDB's terms let nothing be kept for six months without a refresh, and these could not be refreshed."),
      command(collector("run --once --accept-deletions"))));
  }
  if (!status.process?.running && seen.counted_at && Object.values(status.types).every((type) => type.live === 0)) {
    all.push(note("", "This mirror is empty.", h("p", {}, "It fills when this runs, the most popular first:"), command(collector("run"))));
  } else if (status.process && !status.process.running) {
    const { process } = status;
    const how = process.ended ? ["ended ", ago(process.updated)] : ["was cut off ", ago(process.updated)];
    all.push(note(process.ended ? "" : "warn", "No process is at work.",
      h("p", {}, "The last was ", h("code", {}, process.command), ", it ", how, ". What is stored is served all the same; to go on:"),
      command(collector("run"))));
  }
  return all;
}

function typeRow(type, of) {
  const { live, export_ids: listed, missing, tombstones, queue } = of;
  const waiting = queue.waiting + queue.delayed + queue.in_flight;
  const known = Math.max(listed, live);
  const details = [
    live <= listed ? `${count(live)} stored of ${plural(listed, "known id")}` : `${count(live)} stored`,
    listed > 0 && live > listed && `${count(listed)} listed`,
    missing > 0 && `${count(missing)} not at TMDB`,
    tombstones > 0 && `${count(tombstones)} deleted there`,
    waiting > 0 && `${count(waiting)} waiting`,
    queue.dead > 0 && plural(queue.dead, "dead letter"),
    of.bytes > 0 && bytes(of.bytes),
    of.coverage === null && "no export lists them",
  ].filter(Boolean).join(" · ");
  if (of.coverage === null) return h("li", { class: "type unlisted" }, h("h3", {}, typeNames(type)), h("p", { class: "details" }, details));
  const label = `${typeNames(type)}: ${percent(of.coverage)} complete`;
  const width = (n) => known > 0 ? 100 * n / known : 0;
  return h("li", { class: "type" }, h("h3", {}, typeNames(type)),
    svg("svg", { class: "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": label },
      svg("rect", { x: 0, y: 0, width: width(live), height: 4 }),
      missing > 0 && svg("rect", { class: "gone", x: width(live), y: 0, width: Math.min(width(missing), 100 - width(live)), height: 4 })),
    h("span", { class: "percent" }, percent(of.coverage)),
    h("p", { class: "details" }, details));
}

function complete(seen) {
  const types = Object.entries(seen.status?.types ?? {}).sort(([a], [b]) => kTypes.indexOf(a) - kTypes.indexOf(b));
  if (types.length === 0) return h("p", { class: "soft" }, "Nothing is stored and nothing is known to be missing yet.");
  if (facts.bucket) {
    return h("div", { class: "stack" }, h("p", { class: "soft" }, "What a mirror in a bucket holds is not counted here. What its owner wrote last:"),
      command(collector("status")));
  }
  if (!seen.counted_at) return h("p", { class: "soft" }, "Counting what is stored…");
  return h("ul", { class: "types" }, types.map(([type, of]) => typeRow(type, of)));
}

function exact(coverage) {
  const types = Object.entries(coverage?.types ?? {}).filter(([, of]) => of.export_date);
  if (coverage?.error) return note("warn", "The ids could not be compared.", h("p", {}, foreign(coverage.error)));
  if (types.length === 0) return null;
  const some = (of) => of.count === 0 ? "0" : `${count(of.count)} (${of.first.slice(0, 3).join(", ")}${of.count > 3 ? "…" : ""})`;
  return h("div", { class: "stack" },
    h("p", { class: "small soft" }, "Every id of the exports, compared ", ago(coverage.at)),
    types.map(([type, of]) => h("div", {}, h("h3", {}, typeNames(type)), terms([
      ["covered", of.covered === null ? "–" : percent(of.covered), ` of ${count(of.listed)} listed on ${of.export_date}`],
      ["missing", some(of.missing)],
      ["not at TMDB", some(of.dead)],
      ["not listed", some(of.extra)],
    ]))));
}

const kBucketNames = ["< 1 d", "3 d", "7 d", "14 d", "30 d", "60 d", "90 d", "150 d", "180 d", "older"];
function histogram(freshness, type) {
  const sums = kBucketNames.map((_, i) => Object.entries(freshness.types)
    .reduce((sum, [name, of]) => sum + (type === "" || type === name ? of.counts[i] : 0), 0));
  const most = Math.max(1, ...sums);
  const width = 460, height = 130, step = width / sums.length;
  const words = sums.map((n, i) => n > 0 && `${kBucketNames[i]}: ${count(n)}`).filter(Boolean).join(", ");
  const short = (n) => n >= 1e6 ? (n / 1e6).toFixed(1) + "M" : n >= 1e4 ? Math.round(n / 1e3) + "k" : count(n);
  return svg("svg", { class: "hist", viewBox: `0 0 ${width} ${height + 34}`, role: "img",
    "aria-label": `Records by the days since TMDB last agreed with them. ${words}` },
    sums.map((n, i) => {
      const tall = n === 0 ? 0 : Math.max(2, (height - 18) * n / most);
      return [
        svg("rect", { class: i > 8 ? "over" : i > 4 ? "late" : "", x: i * step + 5, y: height - tall, width: step - 10, height: tall, rx: 2 }),
        n > 0 && svg("text", { class: "count", x: (i + .5) * step, y: height - tall - 5, "text-anchor": "middle" }, short(n)),
        svg("text", { x: (i + .5) * step, y: height + 16, "text-anchor": "middle" }, kBucketNames[i]),
      ];
    }),
    svg("line", { class: "base", x1: 0, x2: width, y1: height + .5, y2: height + .5 }));
}

function fresh(freshness, status, type) {
  const types = Object.entries(freshness?.types ?? {});
  if (types.length === 0) return h("p", { class: "soft" }, status && freshness === null ? "Reading how old the records are…" : "Nothing is stored yet.");
  const older = (from) => types.reduce((sum, [name, of]) => type && type !== name ? sum : sum + of.counts.slice(from).reduce((a, b) => a + b, 0), 0);
  const oldest = types.filter(([name]) => !type || type === name).map(([, of]) => of.oldest).sort()[0];
  const watermarks = Object.entries(status?.types ?? {}).filter(([name, of]) => of.watermark && (!type || name === type));
  return [histogram(freshness, type), terms([
    ["oldest", oldest ? ago(oldest) : "–"],
    ["over 30 days", older(5) === 0 ? "none" : `${plural(older(5), "record")}, due to be refreshed`],
    older(8) > 0 && ["over 150 days", plural(older(8), "record"), ": TMDB's terms allow 180"],
    watermarks.length > 0 && ["changes read", "before ", watermarks.map(([, of]) => of.watermark).sort()[0]],
  ])];
}

function work(status, at) {
  if (!status) return h("p", { class: "soft" }, "Unknown while the store cannot be read.");
  const { process, queue } = status;
  const left = queue.waiting + queue.delayed + queue.in_flight;
  const parts = [["waiting", queue.waiting], ["to be tried again", queue.delayed], ["in flight", queue.in_flight]]
    .filter(([, n]) => n > 0).map(([name, n]) => `${count(n)} ${name}`).join(", ");
  return [h("p", {}, activity(status, facts.rate_limit)[0]), terms([
    process && ["process", h("code", {}, process.command), process.running ? ` (${process.pid}), began ` : `, ${process.ended ? "ended" : "cut off after"} `, ago(process.running ? process.started : process.updated)],
    process?.running && ["rate", `${process.requests_per_second.toFixed(1)} requests a second`, facts.rate_limit ? ` of ${facts.rate_limit}` : ""],
    ["queue", left === 0 ? "empty" : parts],
    left > 0 && process?.running && ["time left", process.eta_seconds === null ? "–" : `${span(process.eta_seconds)} ${kEta}`],
    status.oldest_sent && ["oldest in it", ago(status.oldest_sent)],
    process && ["requests", `${count(process.requests)} to TMDB, ${count(process.throttled)} answered 429`],
    ...status.schedules.map((one) => [one.name, "began ", ago(one.started), one.ended ? [", ended with ", String(one.exit_code)] : ", under way"]),
    status.care && ["care", ago(status.care.at), status.care.purged > 0 ? `, ${plural(status.care.purged, "record")} purged` : "",
      status.care.obstacle ? ": " + (kObstacles[status.care.obstacle] ?? status.care.obstacle) : ""],
  ])];
}

function wrong(status, dead) {
  const errors = Object.entries(status?.process?.errors ?? {}).sort(([, a], [, b]) => b - a);
  const letters = status?.queue.dead ?? 0;
  return [
    errors.length === 0 ? h("p", {}, "No errors in the last run.") :
      [h("h3", {}, "Errors of the last run"), terms(errors.map(([name, n]) => [foreign(name), count(n)]))],
    h("h3", {}, letters === 0 ? "No dead letters" : plural(letters, "dead letter")),
    letters > 0 && h("p", { class: "small soft" }, "Ids that failed too often and are tried no more until you say so:"),
    letters > 0 && command(collector("queue redrive")),
    dead.length > 0 && h("ul", { class: "list" }, dead.slice(0, 10).map((letter) => h("li", { class: "dead small" },
      h("span", {}, h("a", { href: recordHref(letter.type, letter.id), "data-key": `dead ${letter.type} ${letter.id}` },
        `${typeName(letter.type)} ${letter.id}`), " ", h("span", { class: "soft" }, ago(letter.died))),
      foreign(letter.reason)))),
    letters > 10 && h("p", { class: "small soft" }, `The newest ten of ${count(letters)}; all of them: `, h("code", {}, collector("queue dead"))),
  ];
}

export const recordHref = (type, id, rest = "") => `#/record/${type}/${encodeURIComponent(id)}${rest}`;

function overview(main, parts, signal) {
  let { status: seen, freshness, dead } = first;
  let coverage = null, type = "";
  const place = { notes: h("div", { class: "notes" }), at: h("p", { class: "small soft" }), complete: h("div"), exact: h("div"),
    fresh: h("div", { class: "stack" }), work: h("div", { class: "stack" }), wrong: h("div", { class: "stack" }) };
  const select = h("select", { "aria-label": "Of which records", on: { change: () => { type = select.value; draw(); } } });
  const compare = h("button", { type: "button", class: "quiet", on: { click: ask } }, "Compare every id");
  main.replaceChildren(
    h("div", { class: "head" }, h("h1", {}, "Overview"), place.at), place.notes,
    h("div", { class: "grid" },
      fillClass("wide", sheet("Is it complete?", compare, place.complete, place.exact)),
      sheet("Is it fresh?", select, place.fresh), sheet("What is it doing?", null, place.work),
      fillClass("wide", sheet("What went wrong?", null, place.wrong))));

  function draw() {
    const status = seen?.status;
    show(place.notes, [seen?.error, seen?.damage, seen?.counted_at === null, status?.process?.running, status?.types, status?.care], () => seen ? notes(seen) : []);
    show(place.at, [seen?.at, seen?.counted_at], () => [seen ? ["Read ", ago(seen.at)] : "Reading…",
      seen?.counted_at ? [", counted ", ago(seen.counted_at)] : ""]);
    show(place.complete, [status?.types, seen?.counted_at === null], () => complete(seen ?? {}));
    show(place.exact, coverage, () => [exact(coverage)]);
    const names = Object.keys(freshness?.types ?? {});
    show(select, names, () => [h("option", { value: "" }, "all records"), names.map((name) => h("option", { value: name }, typeNames(name)))]);
    if (!names.includes(type)) type = "";
    select.value = type;
    select.hidden = names.length === 0;
    show(place.fresh, [freshness, type, status?.types], () => fresh(freshness, status, type));
    show(place.work, status, () => work(status));
    show(place.wrong, [status?.process?.errors, status?.queue.dead, dead], () => wrong(status, dead));
  }
  async function ask() {
    compare.disabled = true;
    compare.textContent = "Comparing…";
    try {
      coverage = await data("coverage.json?read=1", signal);
      for (let i = 0; i < 600 && (coverage.reading || !coverage.at) && !coverage.error; ++i) {
        await new Promise((done) => setTimeout(done, 300));
        coverage = await data("coverage.json", signal);
      }
      say("Compared");
    } finally {
      compare.disabled = false;
      compare.textContent = "Compare again";
      draw();
    }
  }
  async function refresh() {
    const [newer, letters, ages] = await Promise.all([data("status.json", signal),
      (seen?.status?.queue.dead ?? 0) > 0 || dead.length > 0 ? data("dead.json", signal) : [], data("freshness.json", signal)]);
    [seen, dead, freshness] = [newer, letters, ages];
    draw();
  }
  draw();
  // What was read long ago, or is not yet, is asked for again at once; then every few seconds.
  const stale = !seen || !seen.counted_at || Date.now() - Date.parse(seen.at) > 5000;
  if (stale) setTimeout(() => refresh().catch(() => {}), 400);
  every(3000, signal, refresh);
}
const fillClass = (name, element) => { element.classList.add(name); return element; };

// --- routes ---

const first = JSON.parse(document.getElementById("first").textContent || "null") ?? {};
first.dead ??= [];
export const facts = first.facts ?? {};
const views = {
  overview: { title: "Overview", load: async () => overview },
  changes: { title: "Changes", load: async () => (await import("/changes.js")).changes },
  record: { title: "Records", load: async () => (await import("/record.js")).record },
};
let leave = new AbortController();

async function route(event) {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").map(decodeURIComponent);
  const name = parts[0] === "" ? "overview" : parts[0];
  const view = views[name];
  const main = document.getElementById("main");
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  for (const link of document.querySelectorAll("nav a[data-view]"))
    link.dataset.view === name ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  document.title = `${view?.title ?? "Not found"} · TMDB mirror`;
  if (!view) {
    main.replaceChildren(h("h1", {}, "There is no such page"), h("p", {}, h("a", { href: "#/" }, "The overview")));
  } else {
    try {
      const draw = await view.load();
      if (signal.aborted) return;
      await draw(main, parts.slice(1), signal, new URLSearchParams(query));
    } catch (error) {
      if (signal.aborted) return;
      main.replaceChildren(h("h1", {}, view.title), note("bad", "This could not be shown.", h("p", {}, foreign(error.message))));
    }
  }
  if (event && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
}

function theme() {
  const button = document.getElementById("theme");
  const kinds = ["system", "light", "dark"];
  let kind = "system";
  try { kind = localStorage.getItem("theme") ?? "system"; } catch { /* kept for this page alone */ }
  const set = () => {
    kind === "system" ? delete document.documentElement.dataset.theme : document.documentElement.dataset.theme = kind;
    button.textContent = "Theme: " + kind;
  };
  button.addEventListener("click", () => {
    kind = kinds[(kinds.indexOf(kind) + 1) % kinds.length];
    try { localStorage.setItem("theme", kind); } catch { /* as above */ }
    set();
  });
  set();
}

document.querySelector(".skip").addEventListener("click", (event) => {  // its target is not a route
  event.preventDefault();
  document.getElementById("main").focus();
});
document.getElementById("about").textContent = "tmdb-data-collector " + (facts.version ?? "");
theme();
addEventListener("hashchange", route);
requestAnimationFrame(() => setTimeout(route));  // behind the first frame: header and navigation do not wait for the view
