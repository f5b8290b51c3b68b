#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill_tables.py BUILD: `tables` of the real program, killed with SIGKILL at random moments, over a mirror of tmdb-sim
that changes: TMDBC_KILLS times (200), from TMDBC_SEED (1). After each kill every file that the newest generation names
is whole by its sha256, and Delta's logs and `latest` name none that is missing; at the end the files are, to the byte,
those that a build from nothing makes. Not a part of the suite: it takes a quarter of an hour. BUILD has tmdb-collector
and sim/tmdb-sim; DUCKDB_LIBRARY says where DuckDB is."""
import datetime
import gzip
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BUILD = pathlib.Path(sys.argv[1]).resolve()
KILLS = int(os.environ.get("TMDBC_KILLS", 200))
RANDOM = random.Random(int(os.environ.get("TMDBC_SEED", 1)))


def run(env, *arguments):
    done = subprocess.run([BUILD / "tmdb-collector", *arguments], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def newest(tables):
    names = sorted(path.name for path in (tables / "manifests").glob("*.json"))
    return json.loads((tables / "manifests" / names[-1]).read_text()) if names else None


def parts(manifest):
    """By table and part of it the hash of the file; what was published when is each folder's own."""
    return {(name, file["path"].split("/")[1].split(".")[0]): file["sha256"]
            for name, table in manifest["tables"].items() if name != "snapshots" for file in table["files"]}


def check(tables, after):
    manifest = newest(tables)
    if manifest is None:
        return 0
    for name, table in manifest["tables"].items():
        for file in table["files"]:
            if hashlib.sha256((tables / file["path"]).read_bytes()).hexdigest() != file["sha256"]:
                sys.exit(f"after kill {after}: {file['path']} is not the one that was written")
        live = set()
        for entry in sorted((tables / name / "_delta_log").glob("*[0-9].json")):
            for line in entry.read_text().splitlines():
                action = json.loads(line)
                live.update([action["add"]["path"]] if "add" in action else [])
                live.difference_update([action["remove"]["path"]] if "remove" in action else [])
        for path in live:
            if not (tables / name / path).exists():
                sys.exit(f"after kill {after}: the log of {name} names {path}, which is not there")
    for path in (tables / "latest").glob("*/*.parquet"):
        path.stat()
    return manifest["generation"]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kill_tables_"))
    port = folder / "port"
    sim = subprocess.Popen([BUILD / "sim" / "tmdb-sim", "--port=0", f"--port-file={port}", "--quiet", "--rate=0",
                            "--connections=0", "--movies=300", "--shows=30", "--people=300", "--collections=20",
                            "--companies=20", "--networks=5", "--keywords=50"])
    try:
        while not port.exists() or not port.read_text().strip():
            time.sleep(0.02)
        url = f"http://127.0.0.1:{port.read_text().strip()}"
        data = folder / "data"
        tables = data / "tables"
        env = {**os.environ, "TMDB_API_KEY": "0123456789abcdef0123456789abcdef", "TMDB_API_BASE_URL": url + "/3",
               "TMDB_EXPORT_BASE_URL": url + "/p/exports", "DATA_DIR": str(data), "RATE_LIMIT_REQUESTS": "1000",
               "LOG_LEVEL": "error", "MEDIA_TYPES": "movie,tv,person,collection,company,network,keyword"}
        run(env, "run", "--once")
        day = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=8)
        ids = {}
        for kind in ("movie", "person"):
            export = urllib.request.urlopen(f"{url}/p/exports/{kind}_ids_{day:%m_%d_%Y}.json.gz").read()
            ids[kind] = [json.loads(line)["id"] for line in gzip.decompress(export).splitlines()]
        kills = ended = 0
        whole = 1.0  # seconds that a publish takes that nobody kills
        begun = time.monotonic()
        while kills < KILLS:
            for kind, event in (("movie", "overview"), ("movie", "cast"), ("person", "cast"), ("movie", "delete")):
                one = RANDOM.choice(ids[kind])
                if event == "delete" and RANDOM.random() < 0.7:
                    continue
                try:
                    urllib.request.urlopen(f"{url}/sim/edit?kind={kind}&id={one}&what={event}").read()
                except urllib.error.HTTPError:
                    continue  # it is gone
                run(env, "harvest", "--mode=ids", f"--types={kind}", f"--ids={one}")
            run(env, "collect", "--accept-deletions")
            for _ in range(1 + RANDOM.randrange(4)):  # kills without news between them: what was begun is taken up
                program = subprocess.Popen([BUILD / "tmdb-collector", "tables"], env=env, stdout=subprocess.DEVNULL)
                at = time.monotonic()
                try:
                    code = program.wait(timeout=RANDOM.random() * whole)
                    ended += 1
                    if code != 0:
                        sys.exit(f"tables: exit {code} after {kills} kills")
                    whole = max(time.monotonic() - at, 0.3)
                    break
                except subprocess.TimeoutExpired:
                    program.send_signal(signal.SIGKILL)
                    program.wait()
                    kills += 1
                    whole = min(1.1 * whole, 10)
                check(tables, kills)
        run(env, "tables")
        generation = check(tables, kills)
        follows = parts(newest(tables))
        shutil.move(tables, folder / "followed")
        run(env, "tables")
        if parts(newest(tables)) != follows:
            sys.exit(f"after {kills} kills the tables are not those of a build: {folder} has both")
        print(f"{kills} kills, {ended} publishes that ended, generation {generation}, "
              f"{len(follows)} files as a build makes them, in {time.monotonic() - begun:.0f} s")
        shutil.rmtree(folder)
    finally:
        sim.terminate()
        sim.wait()


main()
