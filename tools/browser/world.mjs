// SPDX-License-Identifier: MIT
// Mirrors for the tests of the dashboard: the built program fills them from tmdb-sim, through a front that spoils what a
// test wants spoiled; then it serves them.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const built = process.env.TMDBC_BINARY_DIR;
const collector = path.join(built, "tmdb-collector");

// Titles as nobody sane would give them, but anybody may.
export const kHostile = "<script>window.hacked=1</script><img src=x onerror=\"window.hacked=1\">";
export const kBackwards = "\u202egnp.exe \u2066is\u202e this";
export const kLong = "Aaargh".repeat(120);

const titles = new Map([["/3/movie/2", kHostile], ["/3/movie/4", kBackwards], ["/3/movie/5", kLong]]);
const kRefused = new Set(["/3/movie/3"]);  // answered 400: a dead letter

// TMDB as the program sees it: tmdb-sim, but for what is named above.
async function front(sim) {
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, sim);
    try {
      if (kRefused.has(pathname)) return void response.writeHead(400, { "Content-Type": "application/json" })
        .end('{"success":false,"status_code":5,"status_message":"Invalid parameters."}');
      const headers = { ...request.headers };
      delete headers.host;
      if (titles.has(pathname)) delete headers["accept-encoding"];
      const from = http.request(sim + request.url, { headers }, async (answer) => {
        const parts = [];
        for await (const part of answer) parts.push(part);
        let body = Buffer.concat(parts);
        const kept = { ...answer.headers };
        delete kept["transfer-encoding"];
        delete kept.connection;
        if (titles.has(pathname) && answer.statusCode === 200) {
          body = Buffer.from(body.toString().replace(/"title":"[^"]*"/, () => '"title":' + JSON.stringify(titles.get(pathname))));
          delete kept.etag;
        }
        kept["content-length"] = String(body.length);
        response.writeHead(answer.statusCode, kept).end(body);
      });
      from.on("error", () => response.destroy());
      from.end();
    } catch {
      response.destroy();
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

export class World {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "dashboard-"));
  processes = [];

  // TMDB's clock begins at `epoch`.
  static async make(epoch = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10) + "T09:00:00Z") {
    const world = new World();
    const portFile = path.join(world.folder, "port");
    world.start(path.join(built, "sim/tmdb-sim"), ["--port=0", "--port-file=" + portFile, "--quiet", "--rate=0", "--movies=90", "--shows=6",
      "--people=40", "--collections=0", "--companies=0", "--networks=0", "--keywords=0", "--adult=0", "--id-gaps=0", "--huge-show=600", "--gone=3",
      "--epoch=" + epoch]);
    await until(() => fs.existsSync(portFile));
    world.sim = "http://127.0.0.1:" + fs.readFileSync(portFile, "utf8").trim();
    world.front = await front(world.sim);
    const at = `http://127.0.0.1:${world.front.address().port}`;
    world.env = { ...process.env, TMDB_API_KEY: "0123456789abcdef0123456789abcdef", TMDB_API_BASE_URL: at + "/3",
      TMDB_EXPORT_BASE_URL: at + "/p/exports", RATE_LIMIT_REQUESTS: "500", COLLECTOR_CONCURRENCY: "20", LOG_LEVEL: "error" };
    return world;
  }

  start(program, words, env) {
    const child = spawn(program, words, { env: env ?? process.env, cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    child.said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => { child.said += text; });
    this.processes.push(child);
    return child;
  }

  data(name) { return path.join(this.folder, name); }
  // The exit code, whatever it is: a run that leaves something undone says 1.
  async collect(name, ...words) {
    try {
      await run(collector, [...words, "--data-dir=" + this.data(name)], { env: this.env, cwd: this.folder });
      return 0;
    } catch (error) {
      if (typeof error.code !== "number" || error.code > 1) throw new Error(`${words[0]}: ${error.stderr || error}`);
      return error.code;
    }
  }
  // False: that id is one of those that TMDB lists and does not have.
  async edit(kind, id, what) {
    return (await fetch(`${this.sim}/sim/edit?kind=${kind}&id=${id}&what=${what}`)).ok;
  }
  // TMDB's clock goes on, and with it come the next exports.
  async pass(hours) { await fetch(`${this.sim}/sim/advance?hours=${hours}`); }
  copy(from, to) { fs.cpSync(this.data(from), this.data(to), { recursive: true }); }

  // A mirror with a past: two runs, between which films and shows were edited and some went.
  async grow(name) {
    await this.collect(name, "run", "--once");
    await this.pass(3);
    for (let id = 10; id < 20; ++id) await this.edit("movie", id, id % 2 ? "title" : "overview");
    await this.edit("tv", 2, "cast");
    await this.edit("movie", 21, "delete");
    await this.edit("movie", 22, "delete");
    await this.pass(30);
    await this.collect(name, "run", "--once");
  }

  async serve(name) {
    const child = this.start(collector, ["serve", "--listen=127.0.0.1:0", "--data-dir=" + this.data(name)], this.env);
    await until(() => /http:\/\/[^\s/]+/.test(child.said) || child.exitCode !== null);
    const found = child.said.match(/http:\/\/[^\s/]+/);
    if (!found) throw new Error("serve: " + child.said);
    return { url: found[0], stop: () => this.end(child) };
  }

  async end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
  async close() {
    this.front.close();
    this.front.closeAllConnections();
    for (const child of this.processes.reverse()) await this.end(child);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function until(holds, what = "it", milliseconds = 60_000) {
  const end = Date.now() + milliseconds;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${milliseconds / 1000} s`);
    await new Promise((done) => setTimeout(done, 25));
  }
}
