"""What a person does with Python and pandas: five tables of films out of the segments. SEGMENTS_GLOB FOLDER"""
import glob
import json
import subprocess
import sys

import pandas

segments, folder = sys.argv[1:]
ROOT = "title original_title original_language status release_date runtime budget revenue popularity vote_average " \
       "vote_count adult overview tagline homepage imdb_id"
PARTS = {"movie_cast": (("credits", "cast"), "credit_id character order id name gender popularity"),
         "movie_crew": (("credits", "crew"), "credit_id department job id name gender popularity"),
         "movie_genres": (("genres",), "id name"), "movie_keywords": (("keywords", "keywords"), "id name")}
films = {}
for segment in sorted(glob.glob(segments)):
    text = subprocess.Popen(["zstd", "-dcq", segment], stdout=subprocess.PIPE)
    for line in text.stdout:
        record = json.loads(line)
        if record.get("data") and "id" in record:
            body = record["data"]
            rows = {"movies": [[record["id"], *(body.get(name) for name in ROOT.split())]]}
            for table, (path, names) in PARTS.items():
                part = body
                for name in path:
                    part = (part or {}).get(name)
                rows[table] = [[record["id"], *(element.get(name) for name in names.split())] for element in part or []]
            films[record["id"]] = rows
    text.wait()
for table, names in [("movies", ROOT), *((table, names) for table, (_, names) in PARTS.items())]:
    rows = [row for film in sorted(films) for row in films[film][table]]
    pandas.DataFrame(rows, columns=["movie_id", *names.split()]).to_parquet(f"{folder}/{table}.parquet", compression="zstd")
