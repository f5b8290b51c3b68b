// SPDX-License-Identifier: MIT
// Says how soon the dashboard's first view is painted, and beside it the least that this browser needs: a line of text.
// Milliseconds from the navigation to the first contentful paint, in turns: each load in a profile of its own, for which
// the browser starts a process, too; and all in one tab, as a person has it, without what the browser has kept.
import http from "node:http";

import { launch } from "./page.mjs";
import { World } from "./world.mjs";

const kLoads = 30;
const viewport = { width: 1100, height: 900 };

const line = http.createServer((_, answer) => answer.end("<!DOCTYPE html><title>A line</title><p>A line of text"));
await new Promise((listening) => line.listen(0, "127.0.0.1", listening));
const world = await World.make();
const browser = await launch();
try {
  await world.grow("grown");
  const ours = await world.serve("grown");
  const urls = { "the dashboard": ours.url + "/", "a line of text": `http://127.0.0.1:${line.address().port}/` };
  const paints = new Map();
  const load = async (what, page, url) => {
    await page.goto(url);
    const paint = await page.evaluate(() => new Promise((told) => new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") told(entry.startTime);
    }).observe({ type: "paint", buffered: true })));
    paints.set(what, [...(paints.get(what) ?? []), paint]);
  };
  const tab = await (await browser.newContext({ viewport })).newPage();
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  for (let turn = 0; turn < kLoads; ++turn) {
    for (const [name, url] of Object.entries(urls)) {
      const context = await browser.newContext({ viewport });
      await load(name + ", a new profile", await context.newPage(), url);
      await context.close();
      await load(name + ", an open tab", tab, url);
    }
  }
  for (const [what, times] of [...paints].sort()) {
    times.sort((a, b) => a - b);
    const at = (share) => Math.round(times[Math.floor(share * (times.length - 1))]);
    console.log(`${what}: first paint after ${at(0.5)} ms (median of ${kLoads}; ${at(0)} to ${at(1)}; ` +
      `nine of ten within ${at(0.9)})`);
  }
} finally {
  await browser.close();
  await world.close();
  line.close();
}
