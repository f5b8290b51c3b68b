#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The current view of every record of a mirror, kept in an SQLite database. Run it again for what is new:

    follow.py view.db ./tmdb-collector --data-dir=data
"""
import json, sqlite3, subprocess, sys


def patched(body, patch):
    """The body with an RFC 6902 patch of `replace` and `move` applied. (Numbers are read and printed again.)"""
    document = json.loads(body)
    for operation in patch:
        *way, last = (step.replace("~1", "/").replace("~0", "~") for step in operation["path"][1:].split("/"))
        at = document
        for step in way:
            at = at[int(step) if isinstance(at, list) else step]
        if operation["op"] == "move":  # within its list
            at.insert(int(last), at.pop(int(operation["from"].rsplit("/", 1)[1])))
        else:
            at[int(last) if isinstance(at, list) else last] = operation["value"]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


view = sqlite3.connect(sys.argv[1])
view.execute("CREATE TABLE IF NOT EXISTS record (type, id, version, fetched_at, data, begun, PRIMARY KEY (type, id))")
view.execute("CREATE TABLE IF NOT EXISTS reached (type PRIMARY KEY, seq)")
reached = dict(view.execute("SELECT type, seq FROM reached"))

since = ",".join(f"{type}={seq}" for type, seq in reached.items()) or "0"
feed = subprocess.Popen([*sys.argv[2:], "changes", f"--since={since}"], stdout=subprocess.PIPE)
for line in feed.stdout:
    change = json.loads(line)
    key = (change["type"], change["id"])
    seen = (change["version"], change["fetched_at"])
    row = view.execute("SELECT begun FROM record WHERE type = ? AND id = ?", key).fetchone() or (None,)
    if change["change"] in ("delete", "purge"):
        view.execute("DELETE FROM record WHERE type = ? AND id = ?", key)
    elif change["change"] != "verified":  # that says: TMDB had nothing new of change["ids"], or nothing at all
        data = None
        if change["data"] is not None:
            data = line[line.index(b'"data":') + 7 : line.rindex(b"}")].decode()  # TMDB's bytes, as they came
        elif row[0]:  # new numbers, against the body that began the version; without it the next fetch heals
            data = patched(row[0], change["patch"])
        begun = row[0] if change["change"] == "stats" else data
        if data:
            view.execute("REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?)", (*key, *seen, data, begun))
    reached[change["type"]] = change["seq"]

if feed.wait() not in (0, 1):  # 2: nothing to go on from (it said why), 3: the store is unusable
    sys.exit("the feed ended early: nothing was taken over")
view.executemany("REPLACE INTO reached VALUES (?, ?)", reached.items())
view.commit()
