#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The current view of every record of a mirror, kept in an SQLite database. Run it again for what is new:

    follow.py view.db ./tmdb-collector --data-dir=data
"""
import json, sqlite3, subprocess, sys

view = sqlite3.connect(sys.argv[1])
view.execute("CREATE TABLE IF NOT EXISTS record (type, id, version, fetched_at, data, PRIMARY KEY (type, id))")
view.execute("CREATE TABLE IF NOT EXISTS reached (type PRIMARY KEY, seq)")
reached = dict(view.execute("SELECT type, seq FROM reached"))

since = ",".join(f"{type}={seq}" for type, seq in reached.items()) or "0"
feed = subprocess.Popen([*sys.argv[2:], "changes", f"--since={since}"], stdout=subprocess.PIPE)
for line in feed.stdout:
    change = json.loads(line)
    key = (change["type"], change["id"])
    if change["data"] is None:  # delete, purge
        view.execute("DELETE FROM record WHERE type = ? AND id = ?", key)
    else:
        data = line[line.index(b'"data":') + 7 : line.rindex(b"}")].decode()  # TMDB's bytes, as they came
        view.execute("REPLACE INTO record VALUES (?, ?, ?, ?, ?)", (*key, change["version"], change["fetched_at"], data))
    reached[change["type"]] = change["seq"]

if feed.wait() not in (0, 1):  # 2: nothing to go on from (it said why), 3: the store is unusable
    sys.exit("the feed ended early: nothing was taken over")
view.executemany("REPLACE INTO reached VALUES (?, ?)", reached.items())
view.commit()
