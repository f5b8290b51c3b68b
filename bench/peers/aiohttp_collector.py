#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A peer for the benchmark: what a good afternoon of Python makes of the same job.

Reads the export, fetches each movie with everything appended over 20 connections, parses the JSON, checks the id, keeps
the body as a gzip file per record and its id in SQLite in batches of 100.
"""
import asyncio
import gzip
import json
import os
import sqlite3
import sys

import aiohttp

APPENDS = "alternative_titles,credits,external_ids,images,keywords,release_dates,reviews,translations,videos,watch/providers"


async def main(api, export_url, out):
    os.makedirs(out, exist_ok=True)
    db = sqlite3.connect(os.path.join(out, "done.db"))
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE IF NOT EXISTS done(id INTEGER PRIMARY KEY)")
    connector = aiohttp.TCPConnector(limit=20)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as session:
        async with session.get(export_url) as response:
            lines = gzip.decompress(await response.read()).splitlines()
        queue = sorted((json.loads(line) for line in lines), key=lambda row: -row["popularity"])
        ids = iter([row["id"] for row in queue])
        batch = []

        async def worker():
            for movie in ids:
                url = f"{api}/movie/{movie}?append_to_response={APPENDS}&api_key=0123456789abcdef0123456789abcdef"
                async with session.get(url, headers={"Accept-Encoding": "gzip"}) as response:
                    body = await response.read()
                    if response.status == 404:
                        continue
                    response.raise_for_status()
                if json.loads(body)["id"] != movie:
                    raise ValueError(f"asked for {movie}")
                with gzip.open(os.path.join(out, f"{movie}.json.gz"), "wb", compresslevel=6) as file:
                    file.write(body)
                batch.append((movie,))
                if len(batch) >= 100:
                    db.executemany("INSERT OR REPLACE INTO done VALUES(?)", batch)
                    db.commit()
                    batch.clear()

        await asyncio.gather(*(worker() for _ in range(20)))
        db.executemany("INSERT OR REPLACE INTO done VALUES(?)", batch)
        db.commit()
    print(db.execute("SELECT count(*) FROM done").fetchone()[0])


asyncio.run(main(*sys.argv[1:4]))
