#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""soak_serve.py BUILD [SECONDS=300]: `serve` of the real program beside `run`, under load, over a mirror of tmdb-sim
that changes. Films, shows and persons are edited all the time; the writer is now and then killed or ended, records are
deleted and come back, segments are compacted; `serve` is killed with SIGKILL TMDBC_KILLS times (10) and started again,
and files of its title index are cut off while it uses them. All from TMDBC_SEED (1) and TMDBC_FILMS (1200), but for
what the machine's pace decides. An answer must be a state in which the simulator had that record, and never an older
one than was seen before; no answer is a 5xx, but 503 while the index is built. In the last third of the time nobody
kills it: in the second half of that its private memory must not grow by more than 5 percent and a MiB. What it may
hold is bounded, and fills first: 4 MiB of answers, one of inflated pieces, 8 of rows, SQLite's pages, and the title
index's news, those of the EDITED ids of each type (it writes a file when a type has news of 1,000). In the end every
record is compared with the truth, changed titles are searched for, and the store is verified. Exit status 1, and a
sentence, when anything is not so. BUILD has tmdb-collector and sim/tmdb-sim. Not a part of the suite."""

import collections
import datetime
import gzip
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BUILD = pathlib.Path(sys.argv[1]).resolve()
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 300.0
KILLS = int(os.environ.get("TMDBC_KILLS", 10))
SEED = int(os.environ.get("TMDBC_SEED", 1))
FILMS = int(os.environ.get("TMDBC_FILMS", 1200))
SHOWS, PERSONS = FILMS // 30, FILMS // 2
EDITED = 40  # of each type
NAMESPACES = {
    "movie": "alternative_titles credits external_ids images keywords release_dates reviews translations videos "
    "watch/providers",
    "tv": "aggregate_credits alternative_titles content_ratings episode_groups external_ids images keywords reviews "
    "screened_theatrically translations videos watch/providers",
    "person": "combined_credits external_ids images translations",
}
EDITS = {
    "movie": ["overview", "title", "runtime", "cast"],
    "tv": ["overview", "title", "episode-add"],
    "person": ["overview"],
}


class Failure(Exception):
    pass


def say(text):
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


class World:
    """The simulator, and every state that each record was in since the start."""

    def __init__(self, folder):
        port = folder / "sim-port"
        self.process = subprocess.Popen(
            [
                BUILD / "sim" / "tmdb-sim",
                "--port=0",
                f"--port-file={port}",
                "--quiet",
                "--rate=0",
                "--connections=0",
                f"--seed={SEED}",
                f"--movies={FILMS}",
                f"--shows={SHOWS}",
                f"--people={PERSONS}",
                "--collections=20",
                "--companies=20",
                "--networks=5",
                "--keywords=50",
                "--huge-show=200",
            ]
        )
        while not port.exists() or not port.read_text().strip():
            time.sleep(0.02)
        self.url = f"http://127.0.0.1:{port.read_text().strip()}"
        self.lock = threading.Lock()
        self.states = {}  # (kind, id) -> the bodies it has had; None: gone
        self.seen = {}  # (kind, id) -> the index of the newest that was served; guarded by lock
        self.edits = collections.Counter()
        day = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=8)
        self.ids = {}
        for kind in ("movie", "tv", "person"):
            name = {"tv": "tv_series"}.get(kind, kind)
            export = urllib.request.urlopen(f"{self.url}/p/exports/{name}_ids_{day:%m_%d_%Y}.json.gz").read()
            self.ids[kind] = [json.loads(line)["id"] for line in gzip.decompress(export).splitlines()]
            for one in self.ids[kind]:
                self.states[kind, one] = [self.truth(kind, one)]

    def truth(self, kind, one):
        """What serve should say of it without appends; None when it is gone."""
        try:
            body = json.loads(urllib.request.urlopen(f"{self.url}/sim/truth?type={kind}&id={one}").read())
        except urllib.error.HTTPError:
            return None
        for name in NAMESPACES[kind].split():
            body.pop(name, None)
        return {name: value for name, value in body.items() if not name.startswith("season/")}

    def edit(self, kind, one, what):
        with self.lock:
            try:
                urllib.request.urlopen(f"{self.url}/sim/edit?kind={kind}&id={one}&what={what}").read()
            except urllib.error.HTTPError:
                return False  # it is gone, or not gone
            now = self.truth(kind, one)
            if now != self.states[kind, one][-1]:
                self.states[kind, one].append(now)
            self.edits[f"{kind} {what}"] += 1
        return True

    def judge(self, kind, one, body):
        """What is wrong, or '': `body` is a state of it, and none from before what was served already."""
        with self.lock:
            states = self.states[kind, one]
            # States may repeat (deleted, restored): the newest that fits is what it is taken for at least.
            fits = [i for i, state in enumerate(states) if state == body]
            if not fits:
                return "an answer that was never true"
            last = self.seen.get((kind, one), 0)
            if fits[-1] < last:
                return f"state {fits[-1]} after state {last}"
            self.seen[kind, one] = min(i for i in fits if i >= last)
            return ""


class Served:
    """`serve` on one port, killed and started again."""

    def __init__(self, env, port, folder):
        self.env, self.port, self.log = env, port, open(folder / "serve.log", "w")
        self.ready = threading.Event()
        self.starts = []  # seconds to the first answer
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "tmdb-collector", "serve", f"--listen=127.0.0.1:{self.port}"],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
        )
        at = time.monotonic()
        while True:
            try:
                if get(self.port, "/healthz")[0] == 200:
                    break
            except OSError:
                pass
            if self.process.poll() is not None:
                raise Failure(f"serve ended by itself: {self.process.returncode}")
            if time.monotonic() - at > 60:
                raise Failure("serve does not answer a minute after its start")
            time.sleep(0.02)
        self.starts.append(time.monotonic() - at)
        self.ready.set()

    def kill(self):
        self.ready.clear()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.start()

    def private_kb(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("RssAnon"):
                return int(line.split()[1])
        return 0


def get(port, path, connection=None):
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    own.request("GET", path)
    answer = own.getresponse()
    body = answer.read()
    if connection is None:
        own.close()
    return answer.status, body


class Load(threading.Thread):
    """A client with one connection that asks for anything, and judges what can be judged."""

    def __init__(self, world, served, stop, number, failures):
        super().__init__(daemon=True)
        self.world, self.served, self.stop, self.failures = world, served, stop, failures
        self.random = random.Random(SEED * 100 + number)
        self.statuses = collections.Counter()
        self.judged = self.cut = 0
        self.times = []

    def target(self):
        pick, ids = self.random.random(), self.world.ids
        kind = self.random.choice(["movie", "movie", "movie", "tv", "person"])
        one = self.random.choice(ids[kind][:400] if self.random.random() < 0.7 else ids[kind])
        if pick < 0.6:
            return f"/3/{kind}/{one}", (kind, one)
        if pick < 0.7:
            return (
                f"/3/movie/{one}?append_to_response=credits,images,keywords&language=de-DE",
                None,
            )
        if pick < 0.75:
            return f"/3/tv/{self.random.choice(ids['tv'])}/season/1", None
        if pick < 0.9:
            return (
                "/3/search/multi?query="
                + urllib.parse.quote(self.random.choice("a b e t the de man st lo q new w".split())),
                None,
            )
        return (
            self.random.choice(
                [
                    "/3/discover/movie?with_genres=28&sort_by=vote_count.desc",
                    "/3/movie/popular",
                    "/3/trending/all/day",
                    "/3/movie/changes",
                    "/3/genre/movie/list",
                    "/3/nothing",
                    "/3/find/tt0137523?external_source=imdb_id",
                ]
            ),
            None,
        )

    def run(self):
        connection = None
        while not self.stop.is_set():
            self.served.ready.wait(1)
            path, record = self.target()
            pid = self.served.process.pid
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=30)
                at = time.monotonic()
                status, body = get(self.served.port, path, connection)
                self.times.append(time.monotonic() - at)
            except (OSError, http.client.HTTPException) as error:
                connection = None
                if self.served.ready.is_set() and pid == self.served.process.pid and self.served.process.poll() is None:
                    time.sleep(0.2)
                    if (
                        self.served.ready.is_set()
                        and pid == self.served.process.pid
                        and not isinstance(error, ConnectionError)
                    ):
                        self.failures.append(f"GET {path}: {error!r} of a server that nobody had killed")
                self.cut += 1
                continue
            self.statuses[status] += 1
            if status >= 500 and not (status == 503 and json.loads(body).get("status_code") == 9):
                self.failures.append(f"GET {path}: {status} {body[:200]!r}")
            if record and status in (200, 404):
                wrong = self.world.judge(*record, json.loads(body) if status == 200 else None)
                if wrong:
                    self.failures.append(f"GET {path}: {wrong}: {body[:300]!r}")
                self.judged += 1


def command(env, *arguments, ok=(0,)):
    done = subprocess.run([BUILD / "tmdb-collector", *arguments], env=env, capture_output=True, text=True)
    if done.returncode not in ok:
        raise Failure(f"{' '.join(arguments)}: exit {done.returncode}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout


def writer(world, env, stop, counts, failures, randomly):
    """`run` for a while; then, killed or ended, what only commands can bring; now and then a compaction."""
    try:
        while not stop.is_set():
            daemon = subprocess.Popen(
                [BUILD / "tmdb-collector", "run"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            until = time.monotonic() + randomly.uniform(15, 40)
            while time.monotonic() < until and not stop.is_set():
                kind = randomly.choice(["movie", "movie", "tv", "person"])
                world.edit(kind, randomly.choice(world.ids[kind][:EDITED]), randomly.choice(EDITS[kind]))
                time.sleep(0.15)
                if daemon.poll() is not None:
                    raise Failure(f"run ended by itself: {daemon.returncode}")
            if randomly.random() < 0.5:
                daemon.send_signal(signal.SIGKILL)
                counts["run killed"] += 1
            else:
                daemon.send_signal(signal.SIGTERM)
                counts["run ended"] += 1
            daemon.wait()
            films = randomly.sample(world.ids["movie"][: max(12, FILMS // 20)], 12)  # more gone at once would be held
            changed = [
                one
                for one in films
                if world.edit("movie", one, randomly.choice(["stats", "stats", "delete", "restore"]))
            ]
            if changed:
                ids = ",".join(map(str, changed))
                command(env, "harvest", "--mode=ids", "--types=movie", f"--ids={ids}", ok=(0, 1))
                command(env, "collect", ok=(0, 1))
            if randomly.random() < 0.5:
                command(env, "compact")
                counts["compactions"] += 1
    except Failure as failure:
        failures.append(str(failure))


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="soak_serve_"))
    world = World(folder)
    stop, failures, counts = threading.Event(), [], collections.Counter()
    randomly = random.Random(SEED)
    data = folder / "data"
    env = {
        **os.environ,
        "TMDB_API_KEY": "0123456789abcdef0123456789abcdef",
        "TMDB_API_BASE_URL": world.url + "/3",
        "TMDB_EXPORT_BASE_URL": world.url + "/p/exports",
        "DATA_DIR": str(data),
        "RATE_LIMIT_REQUESTS": "200",
        "COLLECTOR_CONCURRENCY": "20",
        "COLLECTION_INTERVAL": "1",
        "LOG_LEVEL": "warn",
        "SERVE_CACHE_BYTES": str(4 << 20),
    }
    served = None
    try:
        say(f"{sum(map(len, world.ids.values()))} records to mirror, in {folder}")
        command({**env, "RATE_LIMIT_REQUESTS": "1000"}, "run", "--once", ok=(0, 1))
        port = 20_000 + os.getpid() % 10_000
        served = Served(env, port, folder)
        begun = time.monotonic()
        say(f"serving at http://127.0.0.1:{port}, private memory {served.private_kb() / 1024:.1f} MiB")
        loads = [Load(world, served, stop, number, failures) for number in range(3)]
        write = threading.Thread(
            target=writer, args=(world, env, stop, counts, failures, random.Random(SEED + 1)), daemon=True
        )
        for thread in (*loads, write):
            thread.start()
        for kill in range(KILLS):
            time.sleep(2 / 3 * SECONDS / KILLS * randomly.uniform(0.3, 1.0))
            if failures:
                raise Failure(failures[0])
            if kill % 3 == 2:  # nobody may do this; somebody will
                files = sorted((data / "serve").glob("*.idx"), key=lambda path: -path.stat().st_size)
                for path in files[:2]:
                    os.truncate(path, path.stat().st_size // 2)
                counts["index files cut off"] += len(files[:2])
                get(port, "/3/search/multi?query=a")
                time.sleep(3)
                if served.process.poll() is not None:
                    raise Failure(f"serve did not survive the cut: {served.process.returncode}")
            before = served.private_kb()
            served.kill()
            counts["serve killed"] += 1
            say(
                f"serve killed at {before / 1024:.1f} MiB; {served.starts[-1]:.2f} s until it was back; "
                f"so far {dict(counts)}"
            )
        memory = []
        while time.monotonic() - begun < SECONDS:
            time.sleep(1)
            memory.append(served.private_kb())
            if failures:
                raise Failure(failures[0])
            if served.process.poll() is not None:
                raise Failure(f"serve ended by itself: {served.process.returncode}")
        stop.set()
        say("the end: comparing")
        for thread in (*loads, write):
            thread.join(120)
        if failures:
            raise Failure(failures[0])
        # What no feed lists (new numbers, deletions) by its id; then all must be as it is there.
        for kind, ids in world.ids.items():
            for at in range(0, len(ids), 1000):
                command(
                    env,
                    "harvest",
                    "--mode=ids",
                    f"--types={kind}",
                    "--ids=" + ",".join(map(str, ids[at : at + 1000])),
                    ok=(0, 1),
                )
        command({**env, "RATE_LIMIT_REQUESTS": "1000"}, "collect", ok=(0, 1))
        time.sleep(2)
        compared = 0
        for kind, ids in world.ids.items():
            for one in ids:
                status, body = get(port, f"/3/{kind}/{one}")
                if (json.loads(body) if status == 200 else None) != world.states[kind, one][-1] or status not in (
                    200,
                    404,
                ):
                    raise Failure(f"in the end /3/{kind}/{one} is not the truth: {status} {body[:300]!r}")
                compared += 1
        searched = 0
        for one in [
            one for one in world.ids["movie"] if len(world.states["movie", one]) > 1 and world.states["movie", one][-1]
        ][:200]:
            body = world.states["movie", one][-1]
            query = urllib.parse.urlencode({"query": body["title"], "include_adult": "true"})
            rows = [
                row
                for page in (1, 2, 3)
                for row in json.loads(get(port, f"/3/search/movie?{query}&page={page}")[1])["results"]
            ]
            if one not in [row["id"] for row in rows]:
                raise Failure(f"in the end movie:{one} is not found by its title {body['title']!r}")
            searched += 1
        command(env, "verify", "--deep")
        # What fills first is no growth.
        half = memory[len(memory) // 2 :] or memory
        third = len(half) // 3 + 1
        first, last = (sorted(part)[len(part) // 2] for part in (half[:third], half[-third:]))
        times = sorted(time for load in loads for time in load.times)
        statuses = sum((load.statuses for load in loads), collections.Counter())
        print(
            f"{SECONDS:.0f} s: {sum(statuses.values()):,} answers by status {dict(sorted(statuses.items()))}, "
            f"{sum(load.judged for load in loads):,} judged, {sum(load.cut for load in loads)} connections cut by kills"
        )
        print(
            f"p50 {times[len(times) // 2] * 1000:.2f} ms, p99 {times[len(times) * 99 // 100] * 1000:.2f} ms, "
            "as clients in Python see it"
        )
        print(f"{sum(world.edits.values())} edits; {dict(counts)}")
        print(
            f"start to /healthz: median {sorted(served.starts)[len(served.starts) // 2]:.2f} s, "
            f"longest {max(served.starts):.2f} s"
        )
        print(
            f"in the end {compared} records are the truth, {searched} changed titles are found, "
            "verify --deep finds nothing"
        )
        print(
            f"private memory in its last life of {len(memory)} s, MiB: "
            + " ".join(f"{one / 1024:.1f}" for one in memory[:: max(1, len(memory) // 20)])
            + f"; in the second half {first / 1024:.1f} and then {last / 1024:.1f}"
        )
        if last > 1.05 * first + 1024:
            raise Failure("private memory grew by more than 5 percent and a MiB")
    except Failure as failure:
        stop.set()
        print(f"soak_serve: {failure}\nthe folder is kept: {folder}", file=sys.stderr)
        sys.exit(1)
    finally:
        stop.set()
        for process in (served.process if served else None, world.process):
            if process:
                process.kill()
                process.wait()
    shutil.rmtree(folder)


main()
