// SPDX-License-Identifier: MIT
// Writes docs/images/dashboard-*.png, out of a mirror of tmdb-sim that is filling.
import fs from "node:fs";
import path from "node:path";

import { launch, open } from "./page.mjs";
import { until, World } from "./world.mjs";

const images = path.join(process.env.TMDBC_SOURCE_DIR, "docs/images");
const collector = path.join(process.env.TMDBC_BINARY_DIR, "tmdb-collector");
fs.mkdirSync(images, { recursive: true });

// grow() lets 33 hours pass: then TMDB's clock and this machine's agree.
const world = await World.make(new Date(Date.now() - 33 * 3_600_000).toISOString().slice(0, 19) + "Z");
const browser = await launch();
try {
  await world.grow("data");
  const env = { ...world.env, DATA_DIR: world.data("data") };  // so that no path of this machine is in the pictures
  await world.collect("data", "harvest", "--ids=" + Array.from({ length: 60 }, (_, i) => i + 30), "--types=movie").catch(() => {});
  world.start(collector, ["collect"], { ...env, RATE_LIMIT_REQUESTS: "3" });
  const server = world.start(collector, ["serve", "--listen=127.0.0.1:0"], { ...env, RATE_LIMIT_REQUESTS: "3" });
  await until(() => /http:\/\/[^\s/]+/.test(server.said), "serve");
  const url = server.said.match(/http:\/\/[^\s/]+/)[0];
  const shots = [
    ["overview", "#/", ".type", { scheme: "light", width: 1000, height: 780 }],
    ["changes", "#/changes?type=movie", ".kind.update", { scheme: "dark", width: 1000, height: 640 }],
    ["record", "#/record/movie/10", ".card", { scheme: "light", width: 360, height: 700 }],
  ];
  for (const [name, hash, there, how] of shots) {
    const page = await open(browser, url, how);
    await page.go(hash);
    await page.waitForSelector(there);
    await page.waitForTimeout(3500);  // the titles, and a rate
    const file = path.join(images, `dashboard-${name}.png`);
    await page.screenshot({ path: file });
    console.log(`${file}: ${fs.statSync(file).size} bytes`);
    await page.context().close();
  }
} finally {
  await browser.close();
  await world.close();
}
