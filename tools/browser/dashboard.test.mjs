// SPDX-License-Identifier: MIT
// The dashboard in a browser, over mirrors that the built program has filled.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";

import { launch, open, overhang, violations } from "./page.mjs";
import { kHostile, kLong, until, World } from "./world.mjs";

let world, browser, grown, page;
let server;  // of one test alone

before(async () => {
  [world, browser] = await Promise.all([World.make(), launch()]);
  await world.grow("grown");
  grown = await world.serve("grown");
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  await world?.close();
});

afterEach(async () => {
  const wrongs = page?.wrongs ?? [];
  await page?.context().close();
  page = undefined;
  await server?.stop();  // not before the page is closed: it goes on asking
  server = undefined;
  assert.deepEqual(wrongs, []);
});

const status = (name) => JSON.parse(execFileSync(path.join(process.env.TMDBC_BINARY_DIR, "tmdb-collector"),
  ["status", "--json", "--data-dir=" + world.data(name)]).toString());
const counted = (n) => n.toString().replace(/\B(?=(\d{3})+$)/g, "\u202f");
const main = () => page.locator("main");

async function visit(server, hash, options) {
  page = await open(browser, server.url, options);
  page.expected = options?.expected;
  await page.go(hash);
  return page;
}

test("the first view is two requests and less than 50 KB", async () => {
  page = await open(browser, grown.url);
  let bytes = 0;
  page.on("requestfinished", async (request) => { bytes += (await request.sizes()).responseBodySize; });
  await page.goto(grown.url + "/", { waitUntil: "load" });
  await page.waitForSelector("text=Is it complete?");
  assert.deepEqual(page.asked.slice(0, 2).sort(), ["/", "/app.js"]);
  assert.equal(page.asked.slice(2).filter((one) => !one.startsWith("/dashboard/")).length, 0);
  await until(() => bytes > 5000, "the sizes");
  assert.ok(bytes < 50_000, `${bytes} bytes`);
});

test("the frame of the page waits for no script, and does not jump when the view comes", async () => {
  page = await open(browser, grown.url);
  let release;
  const held = new Promise((go) => { release = go; });
  await page.route("**/app.js", async (route) => { await held; await route.fallback(); });
  await page.goto(grown.url + "/", { waitUntil: "commit" });
  await page.evaluate(() => {
    window.jumped = 0;
    new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.jumped += entry.value; })
      .observe({ type: "layout-shift", buffered: true });
    return new Promise((painted) => new PerformanceObserver(painted).observe({ type: "paint", buffered: true }));
  });
  assert.ok(await page.getByRole("link", { name: "Changes" }).isVisible());
  // Read two frames after the view was drawn: what the server has newer makes it grow later.
  const jumped = page.evaluate(() => new Promise((told) => new MutationObserver(() => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => told(window.jumped))));
  }).observe(document.getElementById("main"), { childList: true })));
  release();
  assert.equal(await jumped, 0);
});

test("the overview says what status says", async () => {
  const { types, queue } = status("grown");
  await visit(grown, "");
  await page.waitForSelector(".type");
  for (const [type, name] of [["movie", "Films"], ["tv", "Shows"], ["season", "Seasons"], ["person", "People"]]) {
    const text = await page.locator(".type", { has: page.getByRole("heading", { name }) }).innerText();
    assert.match(text, new RegExp(`${counted(types[type].live)} stored`));
    if (types[type].tombstones > 0) assert.match(text, new RegExp(`${types[type].tombstones} deleted there`));
    if (types[type].missing > 0) assert.match(text, new RegExp(`${types[type].missing} not at TMDB`));
  }
  assert.equal(types.movie.tombstones, 2);
  assert.equal(queue.dead, 1);
  const text = await main().innerText();
  assert.match(text, /No process is at work/);
  assert.match(text, /1 dead letter/);
  assert.match(text, /get movie:3: HTTP 400/);
  assert.match(text, new RegExp("tmdb-collector queue redrive --data-dir=" + world.data("grown")));
  const live = Object.values(types).reduce((sum, type) => sum + type.live, 0);
  assert.match(await page.locator(".hist").getAttribute("aria-label"), new RegExp(`< 1 d: ${counted(live)}$`));
});

test("every id is compared with the exports when that is asked for", async () => {
  await visit(grown, "");
  await page.getByRole("button", { name: "Compare every id" }).click();
  await page.waitForSelector("text=Every id of the exports, compared");
  const text = await main().innerText();
  assert.match(text, /missing\s+1 \(3\)/);  // the dead letter
});

test("a change is in the feed while one looks", async () => {
  await visit(grown, "#/changes");
  await page.waitForSelector(".change");
  const before = await page.locator(".change").first().innerText();
  const at = await page.locator(".change .kind.update").count();
  assert.ok(at > 0, "the edits are there");
  assert.ok(await world.edit("movie", 40, "title") || await world.edit("movie", 41, "title"));
  await world.pass(1);
  await world.collect("grown", "run", "--once");
  await until(async () => await page.locator(".change .kind.update").count() > at, "the change");
  assert.notEqual(await page.locator(".change").first().innerText(), before);
  await until(async () => /title/.test(await page.locator(".change", { has: page.locator(".kind.update") }).first().innerText()),
    "what changed");
  await page.getByLabel("Show", { exact: true }).selectOption("person");
  await until(async () => (await page.locator(".change > :nth-child(4)").allInnerTexts()).every((type) => type === "person"), "people alone");
});

test("what an update changed is one step away", async () => {
  await visit(grown, "#/changes?type=movie");
  const updated = page.locator(".change", { has: page.locator(".kind.update") }).filter({ hasText: "overview" }).first();
  await updated.click();
  await page.waitForSelector(".diff li");
  assert.match(await page.locator(".diff").innerText(), /~ overview: /);
  await page.getByRole("link", { name: "All versions" }).click();
  await page.waitForSelector(".version");
  assert.equal(await page.locator(".version").count(), 2);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.waitForSelector(".diff li");
});

test("a record is found by its id, and its JSON is there in pieces", async () => {
  await visit(grown, "#/record");
  await page.keyboard.type("tv/1");  // the box has the focus
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tabs");
  assert.match(await main().innerText(), /seasons/);
  await page.getByRole("link", { name: "JSON" }).click();
  await page.waitForSelector(".json");
  assert.equal(await page.locator(".json details details > div > *").count(), 0);  // nothing that was not asked for
  await page.locator("summary", { hasText: "seasons:" }).click();
  await page.waitForSelector("text=[ ");
  await page.getByLabel("A title, or an id").fill("season 1/season/1");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector("h1").textContent.includes("Season 1"));
  await page.getByRole("link", { name: "JSON" }).click();
  const episodes = page.locator("summary", { hasText: "episodes:" });
  await episodes.click();
  const some = await page.locator(".json details details > div > details").count();
  assert.ok(some <= 100, `${some} at once`);
  await page.getByRole("button", { name: /^100 more of/ }).click();
  assert.ok(await page.locator(".json details details > div > details").count() > some);
});

test("a title is found with a letter wrong", async () => {
  const headers = { "Sec-Fetch-Site": "same-origin" };
  await until(async () => (await fetch(grown.url + "/dashboard/suggest.json?q=x", { headers })).ok, "the index of titles");
  const { card: { title } } = await (await fetch(grown.url + "/dashboard/record.json?type=movie&id=10", { headers })).json();
  const word = title.split(/[^a-z]+/i).reduce((a, b) => b.length > a.length ? b : a);
  const wrong = title.replace(word, word.slice(0, 2) + (word[2] === "x" ? "z" : "x") + word.slice(3));
  await visit(grown, "#/record");
  await page.keyboard.type(wrong);
  await page.locator(".found li", { hasText: title }).first().waitFor();
});

test("titles are offered while one types", async () => {
  page = await open(browser, grown.url);
  const asked = [];
  await page.route("**/dashboard/suggest.json*", (route) => {
    asked.push(new URL(route.request().url()).searchParams.get("q"));
    return route.fulfill({ json: [{ type: "movie", id: 10, title: "<i>Ten</i>", year: "1999" }, { type: "tv", id: 2, title: "Two", year: "" }] });
  });
  await page.go("#/record");
  await page.keyboard.type("teen", { delay: 10 });
  await page.locator(".found li").nth(1).waitFor();
  assert.deepEqual(asked, ["teen"]);  // once, when the typing rests
  assert.equal(await page.locator(".found li").first().innerText(), "<i>Ten</i>\nfilm, 1999");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator(".found li[aria-selected=true]").innerText(), "Two\nshow");
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".found li").count(), 0);
  await page.keyboard.type("s");
  await page.locator(".found li").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".card");
  assert.equal(new URL(page.url()).hash, "#/record/movie/10");
});

test("a record that is not there, or gone, is told as such", async () => {
  await visit(grown, "#/record/movie/999999", { expected: /404/ });
  await page.waitForSelector("text=It is not here.");
  await page.go("#/record/movie/21");
  await page.waitForSelector("text=TMDB says it is gone");
  await page.getByRole("link", { name: "History" }).click();
  await page.waitForSelector(".kind.delete");
  page.expected = /400/;
  await page.go("#/record/movie/x'y");
  await page.waitForSelector("text=It is not here.");
});

test("titles are text, whatever they say", async () => {
  await visit(grown, "#/record/movie/2");
  await page.waitForSelector(".tabs");
  assert.ok((await page.locator("h1").innerText()).startsWith(kHostile));
  for (const tab of ["JSON", "History"]) {
    await page.getByRole("link", { name: tab }).click();
    await page.waitForSelector(tab === "JSON" ? ".json" : ".version");
  }
  await page.go("#/changes?type=movie");
  await page.waitForSelector(".change");
  await page.getByText(kHostile).waitFor();
  await page.go("#/record/movie/4");
  await page.waitForSelector(".tabs");
  assert.ok((await page.locator("h1").textContent()).startsWith("gnp.exe is this"));
  // The year stands behind the title, not within what the title turns around.
  const order = await page.evaluate(() => {
    const [title, year] = document.querySelector("h1").children;
    return [title.getBoundingClientRect().right, year?.getBoundingClientRect().left, getComputedStyle(title).unicodeBidi];
  });
  assert.ok(order[1] === undefined || order[0] <= order[1] + 1, order.join());
  assert.equal(order[2], "isolate");
  await page.getByRole("link", { name: "JSON" }).click();
  await page.waitForSelector(".json");
  assert.match(await page.locator(".json").innerText(), /\\u202egnp\.exe \\u2066is\\u202e this/);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("main img, main script").count(), 0);
});

test("a title of 720 characters stays within a phone", async () => {
  await visit(grown, "#/record/movie/5", { width: 360 });
  await page.waitForSelector(".tabs");
  assert.ok((await page.locator("h1").innerText()).includes(kLong.slice(0, 30)));
  assert.equal(await overhang(page), 0);
  await page.go("#/changes?type=movie");
  await page.waitForSelector(".change");
  assert.equal(await overhang(page), 0);
});

const kViews = [["", ".type"], ["#/changes", ".change"], ["#/record", "#q"], ["#/record/movie/10", ".card"], ["#/record/tv/1/json", ".json"],
  ["#/record/movie/10/history", ".version"], ["#/record/movie/10/diff/1,2", ".diff li"], ["#/nowhere", "h1"]];
for (const [hash, there] of kViews) {
  for (const [scheme, width] of [["light", 1100], ["dark", 360], ...hash === "" ? [["dark", 1100], ["light", 360]] : []]) {
    test(`${hash || "the overview"}, ${scheme}, ${width} px wide: axe-core finds nothing, nothing sticks out`, async () => {
      await visit(grown, hash, { scheme, width });
      await page.waitForSelector(there);
      assert.deepEqual(await violations(page), []);
      assert.equal(await overhang(page), 0);
      const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
      assert.equal(ground[0] < 128, scheme === "dark");
    });
  }
}

test("the keyboard is enough", async () => {
  await visit(grown, "");
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  const shown = await page.evaluate(() => document.activeElement.getBoundingClientRect().top >= 0 && getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(shown, "solid");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  assert.equal(new URL(page.url()).hash, "");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(), "Changes");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".change");
  for (let i = 0; i < 12 && !await page.evaluate(() => document.activeElement.matches(".change")); ++i) await page.keyboard.press("Tab");
  const key = () => page.evaluate(() => document.activeElement.dataset.key);
  const top = await key();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await key(), top);
  await page.keyboard.press("End");
  const last = await key();
  await page.keyboard.press("Home");
  assert.equal(await key(), top);
  assert.notEqual(last, top);
  await page.keyboard.press("ArrowDown");
  const second = await key();
  await page.waitForTimeout(3500);  // a look at the feed moves no focus
  assert.equal(await key(), second);
  await page.keyboard.press("Tab");
  assert.ok(!await page.evaluate(() => document.activeElement.matches(".change")), "one stop of Tab for the whole list");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await key(), second);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".tabs");
});

test("nothing moves, and the theme that was chosen stays", async () => {
  await visit(grown, "", { scheme: "light" });
  await page.waitForSelector(".type");
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  const dark = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g)[0] < 128);
  assert.equal(await dark(), false);
  const theme = page.getByRole("button", { name: /^Theme/ });
  await theme.click();
  await theme.click();
  assert.equal(await theme.innerText(), "Theme: dark");
  assert.equal(await dark(), true);
  await page.reload();
  await page.waitForSelector(".type");
  assert.equal(await dark(), true);
});

test("an empty mirror says how it fills", async () => {
  await world.collect("empty", "harvest", "--limit=0");
  server = await world.serve("empty");
  await visit(server, "");
  await page.waitForSelector("text=This mirror is empty.");
  assert.match(await main().innerText(), /tmdb-collector run/);
  assert.deepEqual(await violations(page), []);
  await page.go("#/changes");
  await page.waitForSelector("text=Nothing has been written yet.");
  page.expected = /ERR_CONNECTION_REFUSED/;
  await server.stop();
  await page.waitForSelector("text=The server does not answer");
});

test("a mirror that grows says how fast, and how long it takes", async () => {
  await world.collect("growing", "harvest");
  const env = { ...world.env, RATE_LIMIT_REQUESTS: "2" };
  const collecting = world.start(path.join(process.env.TMDBC_BINARY_DIR, "tmdb-collector"), ["collect", "--data-dir=" + world.data("growing")], env);
  await until(() => status("growing").process?.settled > 2, "something stored");
  server = await world.serve("growing");
  await visit(server, "", { width: 360 });
  await page.waitForSelector("text=requests a second");
  await until(async () => /time left\s+\d+ (second|minute)/.test(await main().innerText()), "how long it takes");
  const text = await main().innerText();
  assert.match(text, /collect \(\d+\), began/);
  assert.match(text, /\d+ waiting/);
  assert.doesNotMatch(text, /No process is at work/);
  const stored = async () => Number((await page.locator(".type .details").first().innerText()).match(/^\d+/)[0]);
  await page.goto(server.url + "/#/changes");
  await page.waitForSelector(".change");  // before its segment is sealed
  const changes = await page.locator(".change").count();
  await until(async () => await page.locator(".change").count() > changes, "more changes");
  await page.goto(server.url + "/#/");
  await page.waitForSelector(".type");
  await until(async () => await stored() > 0, "what is stored");
  assert.deepEqual(await violations(page), []);
  await world.end(collecting);
  await until(async () => /No process is at work/.test(await main().innerText()), "the end");
});

test("damage is told with what can be done, and the rest is shown", async () => {
  world.copy("grown", "broken");
  const file = path.join(world.data("broken"), "records/movie/000/000/001.jsonl.zst");
  const bytes = fs.readFileSync(file);
  bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 64);
  fs.chmodSync(file, 0o644);
  fs.writeFileSync(file, bytes);
  server = await world.serve("broken");
  await visit(server, "");
  await page.waitForSelector("text=A part of the store is damaged.");
  const text = await main().innerText();
  assert.match(text, /records\/movie\/000\/000\/001\.jsonl\.zst at byte/);
  assert.match(text, /tmdb-collector verify --deep/);
  assert.match(text, /Films/);
  assert.deepEqual(await violations(page), []);
  await page.go("#/record/tv/2");
  await page.waitForSelector(".card");
  page.expected = /500/;
  let told = false;
  for (let id = 50; id < 90 && !told; ++id) {
    await page.go("#/record/movie/" + id);
    await page.waitForSelector(".note, .card");
    told = await page.locator("text=cannot be read").count() > 0;
  }
  assert.ok(told, "no film was damaged");
  assert.deepEqual(await violations(page), []);
});

test("held deletions ask for a decision", async () => {
  world.copy("grown", "held");
  for (let id = 30; id < 70; ++id) await world.edit("movie", id, "delete");
  await world.pass(30);
  await world.collect("held", "run", "--once", "--accept-export");
  const held = status("held").types.movie.held_deletions;
  assert.ok(held > 20, `${held} held`);
  server = await world.serve("held");
  await visit(server, "");
  await page.waitForSelector(`text=${held} deletions wait for you.`);
  assert.match(await main().innerText(), /tmdb-collector run --once --accept-deletions/);
  assert.deepEqual(await violations(page), []);
});
