"""What a person does with DuckDB alone: five tables of films out of the segments. SEGMENTS_GLOB FOLDER"""
import sys

import duckdb

segments, folder = sys.argv[1:]
con = duckdb.connect(config={"threads": 1})
con.execute(f"""
CREATE TEMP TABLE lines AS
SELECT data FROM read_json('{segments}', format = 'newline_delimited', maximum_object_size = 134217728,
    columns = {{type: 'VARCHAR', id: 'BIGINT', version: 'BIGINT', change: 'VARCHAR', data: 'JSON'}})
WHERE data IS NOT NULL QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC) = 1""")
NAMED = {"movie_genres": ("$.genres", "id name"), "movie_keywords": ("$.keywords.keywords", "id name"),
         "movie_cast": ("$.credits.cast", "credit_id character order id name gender popularity"),
         "movie_crew": ("$.credits.crew", "credit_id department job id name gender popularity")}
ROOT = "title original_title original_language status release_date runtime budget revenue popularity vote_average " \
       "vote_count adult overview tagline homepage imdb_id"
columns = ", ".join(f"data->>'$.{name}' AS {name}" for name in ROOT.split())
con.execute(f"COPY (SELECT (data->>'$.id')::BIGINT AS movie_id, {columns} FROM lines ORDER BY 1) "
            f"TO '{folder}/movies.parquet' (COMPRESSION zstd)")
for table, (path, names) in NAMED.items():
    columns = ", ".join(f"""e->>'$.{name}' AS "{name}" """ for name in names.split())
    con.execute(f"COPY (SELECT movie_id, {columns} FROM (SELECT (data->>'$.id')::BIGINT AS movie_id, "
                f"unnest((data->'{path}')::JSON[]) AS e FROM lines) ORDER BY 1) TO '{folder}/{table}.parquet' (COMPRESSION zstd)")
