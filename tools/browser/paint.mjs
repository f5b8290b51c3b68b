// SPDX-License-Identifier: MIT
// Says how soon the dashboard's first view is painted, and beside it the least that this browser needs: a line of text.
// Milliseconds from the navigation to the first contentful paint, each load in a profile of its own, in turns.
import http from "node:http";

import { launch } from "./page.mjs";
import { World } from "./world.mjs";

const kLoads = 30;

const line = http.createServer((_, answer) => answer.end("<!DOCTYPE html><title>A line</title><p>A line of text"));
await new Promise((listening) => line.listen(0, "127.0.0.1", listening));
const world = await World.make();
const browser = await launch();
try {
  await world.grow("grown");
  const ours = await world.serve("grown");
  const urls = { "the dashboard": ours.url + "/", "a line of text": `http://127.0.0.1:${line.address().port}/` };
  const paints = Object.fromEntries(Object.keys(urls).map((name) => [name, []]));
  for (let load = 0; load < kLoads; ++load) {
    for (const [name, url] of Object.entries(urls)) {
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      await page.goto(url);
      paints[name].push(await page.evaluate(() => new Promise((told) => new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") told(entry.startTime);
      }).observe({ type: "paint", buffered: true }))));
      await context.close();
    }
  }
  for (const [name, times] of Object.entries(paints)) {
    times.sort((a, b) => a - b);
    const at = (share) => Math.round(times[Math.floor(share * (times.length - 1))]);
    console.log(`${name}: first paint after ${at(0.5)} ms (median of ${kLoads}; ${at(0)} to ${at(1)}; nine of ten within ${at(0.9)})`);
  }
} finally {
  await browser.close();
  await world.close();
  line.close();
}
