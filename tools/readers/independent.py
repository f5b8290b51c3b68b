# SPDX-License-Identifier: MIT
"""independent.py DATA_DIR: reads the mirror's segments itself and makes from TMDB's JSON, without our program and its
spec, what movies, movie_cast, movie_translations, tv_translations, tv_cast, episodes and tv_shows should have; compares
all of it with the Parquet files of the newest generation. Says what differs and exits 1, else the rows compared."""

import datetime
import json
import sys
from pathlib import Path

import duckdb
import pyarrow

data = Path(sys.argv[1])


def resolve(document, path):
    """The list or object that holds the last step of a JSON pointer, and that step."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    for step in steps[:-1]:
        document = document[int(step) if isinstance(document, list) else step]
    return document, int(steps[-1]) if isinstance(document, list) else steps[-1]


def patched(document, patch):
    """RFC 6902, as far as numbers need it: replace and move."""
    for change in patch:
        holder, last = resolve(document, change["path"])
        if change["op"] == "replace":
            holder[last] = change["value"]
        elif change["op"] == "move":
            source, taken = resolve(document, change["from"])
            holder.insert(last, source.pop(taken))
        else:
            sys.exit(f"a patch with {change['op']}")
    return document


def records(kind):
    """The newest state of each live record: its envelope, and TMDB's body."""
    base, newest = {}, {}
    for path in sorted((data / "records" / kind).rglob("*.jsonl.zst")):
        text = pyarrow.input_stream(str(path), compression="zstd").read().decode()
        for line in text.split("\n"):
            if not line:
                continue
            line = json.loads(line)
            if line["id"] is None:
                continue
            if line["change"] != "stats":
                base[line["id"], line["version"]] = line["data"]
            old = newest.get(line["id"])
            rank = (line["version"], line["fetched_at"])
            if old is None or rank >= (old["version"], old["fetched_at"]):
                newest[line["id"]] = line
    for number, line in sorted(newest.items()):
        body = line["data"]
        if line.get("patch"):
            body = patched(json.loads(json.dumps(base[number, line["version"]])), line["patch"])
        if body is not None:
            yield line, body


def text(value):
    return value if isinstance(value, str) and value else None


def day(value):
    try:
        return datetime.date.fromisoformat(value) if text(value) else None
    except ValueError:
        return None


def at(document, *steps):
    for step in steps:
        document = document.get(step) if isinstance(document, dict) else None
    return document


def real(value):
    return None if value is None else float(value)


def person(one):
    return (one.get("id"), text(one.get("name")), one.get("gender"), text(one.get("known_for_department")),
            real(one.get("popularity")), text(one.get("profile_path")), one.get("adult"))


PERSON = "person_id, name, gender, known_for_department, popularity, profile_path, adult"
tables = {}  # name: (columns, rows)


def table(name, columns):
    return tables.setdefault(name, (columns, []))[1]


def translations(kind, key, title):
    rows = table(f"{kind}_translations", f"{key}, position, language, country, language_name, title, overview, tagline")
    return lambda number, body: rows.extend(
        (number, i, text(one.get("iso_639_1")), text(one.get("iso_3166_1")), text(one.get("name")),
         text(at(one, "data", title)), text(at(one, "data", "overview")), text(at(one, "data", "tagline")))
        for i, one in enumerate(at(body, "translations", "translations") or []))


def films():
    movies = table("movies", "movie_id, title, original_title, status, release_date, runtime, budget, revenue, "
                   "popularity, vote_average, vote_count, adult, imdb_id, collection_id, collection_name, overview, "
                   "tagline, version")
    cast = table("movie_cast", f"movie_id, position, credit_id, character_name, cast_order, cast_id, {PERSON}")
    translate = translations("movie", "movie_id", "title")
    for line, body in records("movie"):
        movies.append((
            line["id"], text(body.get("title")), text(body.get("original_title")), text(body.get("status")),
            day(body.get("release_date")), body.get("runtime"), body.get("budget"), body.get("revenue"),
            real(body.get("popularity")), real(body.get("vote_average")), body.get("vote_count"), body.get("adult"),
            text(body.get("imdb_id")) or text(at(body, "external_ids", "imdb_id")),
            at(body, "belongs_to_collection", "id"), text(at(body, "belongs_to_collection", "name")),
            text(body.get("overview")), text(body.get("tagline")), line["version"]))
        for i, one in enumerate(at(body, "credits", "cast") or []):
            cast.append((line["id"], i, text(one.get("credit_id")), text(one.get("character")), one.get("order"),
                         one.get("cast_id"), *person(one)))
        translate(line["id"], body)


def shows():
    rows = table("tv_shows", "tv_id, name, original_name, status, first_air_date, last_air_date, number_of_seasons, "
                 "number_of_episodes, in_production, popularity, vote_count, version")
    cast = table("tv_cast", f"tv_id, position, credit_id, character_name, episode_count, cast_order, {PERSON}")
    translate = translations("tv", "tv_id", "name")
    for line, body in records("tv"):
        rows.append((
            line["id"], text(body.get("name")), text(body.get("original_name")), text(body.get("status")),
            day(body.get("first_air_date")), day(body.get("last_air_date")), body.get("number_of_seasons"),
            body.get("number_of_episodes"), body.get("in_production"), real(body.get("popularity")),
            body.get("vote_count"), line["version"]))
        position = 0
        for one in at(body, "aggregate_credits", "cast") or []:
            for role in one.get("roles") or [{}]:
                cast.append((line["id"], position, text(role.get("credit_id")), text(role.get("character")),
                             role.get("episode_count"), one.get("order"), *person(one)))
                position += 1
        translate(line["id"], body)


def seasons():
    rows = table("episodes", "tv_id, season_number, position, episode_id, episode_number, name, overview, air_date, "
                 "runtime, vote_average, vote_count, still_path")
    for line, body in records("season"):
        for i, one in enumerate(body.get("episodes") or []):
            rows.append((line["tv_id"], line["season_number"], i, one.get("id"), one.get("episode_number"),
                         text(one.get("name")), text(one.get("overview")), day(one.get("air_date")), one.get("runtime"),
                         real(one.get("vote_average")), one.get("vote_count"), text(one.get("still_path"))))


films()
shows()
seasons()
folder = data / "tables"
generation = json.loads((folder / "manifest.json").read_text())["generation"]
manifest = json.loads((folder / f"manifests/{generation:09}.json").read_text())["tables"]
differing = total = 0
for name, (columns, rows) in tables.items():
    files = [str(folder / file["path"]) for file in manifest[name]["files"]]
    found = duckdb.sql(f"SELECT {columns} FROM read_parquet({files})").fetchall() if files else []
    total += len(rows)
    wrong = set(rows) ^ set(found)
    if wrong or len(rows) != len(found) or len(set(rows)) != len(rows):
        differing += 1
        print(f"{name}: {len(rows)} rows of the JSON, {len(found)} of the table, {len(wrong)} in one alone, as:")
        for row in sorted(wrong, key=str)[:4]:
            print("  ", "JSON " if row in set(rows) else "table", row)
if differing or total == 0:
    sys.exit(f"{differing} tables differ")
print(f"{len(tables)} tables, {total} rows, each as the JSON has it")
