// SPDX-License-Identifier: MIT
// A browser, and what a test asks of a page in it.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const fetched = createRequire(path.join(process.env.TMDBC_BROWSER, "package.json"));
const { chromium } = fetched("playwright-core");
const axe = fs.readFileSync(fetched.resolve("axe-core/axe.min.js"), "utf8");

export const launch = () => chromium.launch({
  executablePath: process.env.TMDBC_CHROMIUM,
  // Containers often forbid what its sandbox is made of, and it sees nothing here but our own page.
  chromiumSandbox: false,
});

// A page in a profile of its own. What it must never do ends in `wrongs`: errors, refusals of its own policy, requests
// to anywhere but `url`.
export async function open(browser, url, { scheme = "light", width = 1100, height = 900 } = {}) {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height }, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.wrongs = [];
  page.asked = [];
  page.setDefaultTimeout(60_000);
  await context.route("**/*", (route) => {
    const target = route.request().url();
    page.asked.push(target.slice(url.length));
    if (target.startsWith(url + "/") || target.startsWith("data:")) return route.continue();
    page.wrongs.push("asked " + target);
    return route.abort();
  });
  page.on("pageerror", (error) => page.wrongs.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !page.expected?.test(message.text())) page.wrongs.push(message.text());
  });
  page.go = async (hash) => {
    await page.goto(url + "/" + hash);
    await page.waitForSelector("h1");
  };
  return page;
}

// What axe-core finds wrong, a line each.
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`));
}

// By how much the page is wider than the window.
export const overhang = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
