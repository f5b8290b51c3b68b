"""The SQL of a page of the docs over a folder of tables, each question three times on one core: its number, the best time
in milliseconds and its rows. TABLES PAGE"""
import os
import re
import sys
import time

import duckdb

tables, page = sys.argv[1:]
con = duckdb.connect(config={"threads": 1})
os.chdir(tables)
con.execute(open("views.sql").read())
for number, sql in enumerate(re.findall(r"```sql\n(.*?)```", open(page).read(), re.S), 1):
    best = 1e9
    for _ in range(3):
        started = time.perf_counter()
        rows = con.execute(sql).fetch_arrow_table().num_rows
        best = min(best, time.perf_counter() - started)
    print(number, f"{best * 1000:.0f}", rows)
