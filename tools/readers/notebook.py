# SPDX-License-Identifier: MIT
"""notebook.py NOTEBOOK TABLES PICTURES: runs a notebook over a folder of tables. Exits 1 where a cell fails, a question has
no rows or there are not so many pictures."""

import os
import sys

import nbclient
import nbformat

path, tables, pictures = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["TMDB_TABLES"] = os.path.abspath(tables)
notebook = nbformat.read(path, as_version=4)
try:
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
except nbclient.exceptions.CellExecutionError as error:
    sys.exit(f"notebook.py: {path}: {error}")
drawn = 0
for number, cell in enumerate(notebook.cells):
    if cell.cell_type != "code":
        continue
    shown = [output.get("data", {}) for output in cell.outputs]
    drawn += sum("image/png" in data for data in shown)
    answers = [data["text/plain"] for data in shown if "text/html" in data]
    if len(answers) != 1 or answers[0].startswith("Empty DataFrame"):
        sys.exit(f"notebook.py: {path}: cell {number} shows no rows:\n{cell.source}")
if drawn != pictures:
    sys.exit(f"notebook.py: {path}: {drawn} pictures, not {pictures}")
print(f"{path}: every question has an answer, {drawn} pictures")
