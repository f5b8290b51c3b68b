# SPDX-License-Identifier: MIT
"""check.py TABLES NODE_FOLDER [DOCS PROGRAM]: reads a folder of tables with everything that claims to read Parquet and
Delta, and compares what they found: for each table the number of rows and a sum of the hashes of its rows, so that the
order does not matter and a value that one reader sees otherwise does. The reference is DuckDB over the list of files of
the manifest. With DOCS, a page of the documentation: its blocks of Python are run, and its blocks of SQL by DuckDB over
views.sql and by PROGRAM's sql, which must give the same rows.

Says what disagrees, or warns, and exits 1; else prints one line a reader."""

import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import deltalake
import duckdb
import duckdb_extension_delta
import frictionless
import mlcroissant
import pandas
import polars
import pyarrow
import pyarrow.compute
import pyarrow.parquet

ARROW = {
    "VARCHAR": pyarrow.string(),
    "BIGINT": pyarrow.int64(),
    "DOUBLE": pyarrow.float64(),
    "BOOLEAN": pyarrow.bool_(),
    "DATE": pyarrow.int32(),
    "TIMESTAMPTZ": pyarrow.int64(),
}
failures = []


def fail(reader, table, words):
    failures.append(f"{reader}: {table}: {words}")


def plain(column, kind):
    """As lists of int, float, str, bool and None: days, and milliseconds."""
    if kind == "DATE":
        column = column.cast(pyarrow.date32()).cast(pyarrow.int32())
    if kind == "TIMESTAMPTZ":
        if column.type.tz is None:
            raise ValueError("an instant without a time zone")
        column = column.cast(pyarrow.timestamp("us", "UTC")).cast(pyarrow.int64())
        return [None if micros is None else micros // 1000 for micros in column.to_pylist()]
    return column.cast(ARROW[kind]).to_pylist()


def cell(value, kind):
    """One value as text; check.mjs has the same."""
    if value is None:
        return "N"
    if kind == "DOUBLE":
        return "d" + struct.pack(">d", value).hex()
    if kind == "BOOLEAN":
        return "T" if value else "F"
    return kind[0] + str(value)


def digest(table, columns):
    """(rows, sum of the rows' hashes) of an Arrow table."""
    if table.column_names != [name for name, _ in columns]:
        raise ValueError(f"the columns are {table.column_names}")
    cells = []
    for i, (_, kind) in enumerate(columns):
        cells.append([cell(value, kind) for value in plain(table.column(i), kind)])
    total = 0
    for row in zip(*cells):
        total += int.from_bytes(hashlib.sha256("\x1f".join(row).encode()).digest()[:8], "big")
    return table.num_rows, f"{total % 2**64:016x}"


class Folder:
    def __init__(self, path):
        self.path = Path(path).resolve()
        generation = json.loads((self.path / "manifest.json").read_text())["generation"]
        self.manifest = self.read_manifest(generation)
        self.columns = {}
        for row in json.loads((self.path / "dictionary.json").read_text()):
            self.columns.setdefault(row["table_name"], []).append((row["column_name"], row["type"]))
        self.tables = [name for name in self.columns if self.files(name)]
        if len(self.tables) == 0:
            raise SystemExit(f"{path}: no table has a file")

    def read_manifest(self, generation):
        return json.loads((self.path / f"manifests/{generation:09}.json").read_text())

    def files(self, table, manifest=None):
        files = (manifest or self.manifest)["tables"].get(table, {"files": []})["files"]
        return [str(self.path / file["path"]) for file in files]

    def version(self, table, manifest=None):
        return (manifest or self.manifest)["tables"][table]["delta_version"]


def by_duckdb(files):
    return duckdb.read_parquet(files, union_by_name=True, hive_partitioning=False).to_arrow_table()


def parquet_readers(folder):
    return {
        "duckdb " + duckdb.__version__: by_duckdb,
        "pyarrow " + pyarrow.__version__: lambda files: pyarrow.concat_tables(
            pyarrow.parquet.ParquetFile(file).read() for file in files
        ),
        "polars " + polars.__version__: lambda files: polars.read_parquet(files, hive_partitioning=False).to_arrow(),
        "pandas " + pandas.__version__: lambda files: pyarrow.Table.from_pandas(
            pandas.concat(pandas.read_parquet(file, dtype_backend="pyarrow", partitioning=None) for file in files),
            preserve_index=False,
        ),
    }


def delta_readers():
    connection = duckdb.connect(config={"allow_unsigned_extensions": "false"})
    extension = next(Path(duckdb_extension_delta.__file__).parent.rglob("delta.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET TimeZone = 'UTC'")
    return {
        "deltalake " + deltalake.__version__: lambda path, version: pyarrow.table(
            deltalake.DeltaTable(path, version=version).to_pyarrow_table()
        ),
        "polars.scan_delta": lambda path, version: polars.scan_delta(path, version=version).collect().to_arrow(),
        "duckdb delta_scan": lambda path, version: connection.execute(
            f"SELECT * FROM delta_scan('file://{path}', version = {version})"
        ).to_arrow_table(),
    }


def compare(name, table, reference, read, columns):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = digest(read(), columns)
        except BaseException as error:  # what a reader throws is what it says of our files; Rust's panics are this
            if isinstance(error, KeyboardInterrupt):
                raise
            return fail(name, table, f"{type(error).__name__}: {error}")
        if found != reference:
            fail(name, table, f"{found} and not {reference}")
        for warning in caught:
            if not issubclass(warning.category, DeprecationWarning):
                fail(name, table, f"warns: {warning.message}")


def check_parquet(folder):
    references = {table: digest(by_duckdb(folder.files(table)), folder.columns[table]) for table in folder.tables}
    for name, read in parquet_readers(folder).items():
        for table in folder.tables:
            compare(name, table, references[table], lambda: read(folder.files(table)), folder.columns[table])
        print(f"{name}: {len(folder.tables)} tables")
    latest = folder.path / "latest"
    if latest.exists():
        for table in folder.tables:
            files = sorted(str(file) for file in (latest / table).glob("*.parquet"))
            compare("latest/", table, references[table], lambda: by_duckdb(files), folder.columns[table])
        print(f"latest/: {len(folder.tables)} tables")
    return references


def check_counts(folder, references):
    for table in folder.tables:
        rows = sum(file["rows"] for file in folder.manifest["tables"][table]["files"])
        if rows != references[table][0]:
            fail("manifest", table, f"{rows} rows, and there are {references[table][0]}")
        for file in folder.manifest["tables"][table]["files"]:
            if file["bytes"] != (folder.path / file["path"]).stat().st_size:
                fail("manifest", file["path"], "another size")
            if hashlib.sha256((folder.path / file["path"]).read_bytes()).hexdigest() != file["sha256"]:
                fail("manifest", file["path"], "another sha256")


def check_node(folder, references, node):
    question = {
        table: {"files": folder.files(table), "columns": folder.columns[table], "rows": references[table][0],
                "digest": references[table][1]}
        for table in folder.tables
    }
    script = Path(__file__).with_name("check.mjs")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(question, file)
        file.flush()
        shutil.copy(script, Path(node) / "check.mjs")  # so that it finds node_modules beside it
        done = subprocess.run(["node", "check.mjs", file.name], cwd=node, capture_output=True, text=True)
    sys.stdout.write(done.stdout)
    if done.returncode != 0 or done.stderr:
        fail("node", "all", done.stderr.strip() or f"exit code {done.returncode}")


def check_delta(folder, references, note):
    for name, read in delta_readers().items():
        for table in folder.tables:
            path, version = str(folder.path / table), folder.version(table)
            compare(f"{name}{note}", table, references[table], lambda: read(path, version), folder.columns[table])
        print(f"{name}{note}: {len(folder.tables)} tables")


def check_time_travel(folder, back):
    """An older generation by the versions of its manifest, where that is still there."""
    try:
        manifest = folder.read_manifest(folder.manifest["generation"] - back)
    except FileNotFoundError:
        return print(f"time travel: there is no generation {folder.manifest['generation'] - back}")
    tables = [table for table in folder.tables if folder.files(table, manifest)]
    for name, read in delta_readers().items():
        for table in tables:
            reference = digest(by_duckdb(folder.files(table, manifest)), folder.columns[table])
            path, version = str(folder.path / table), folder.version(table, manifest)
            compare(f"{name}, {back} back", table, reference, lambda: read(path, version), folder.columns[table])
        print(f"{name}, {back} generations back: {len(tables)} tables")


def without_checkpoints(folder, copy):
    shutil.copytree(folder.path, copy, symlinks=True)
    checkpoints = 0
    for log in Path(copy).glob("*/_delta_log"):
        for file in [*log.glob("*.checkpoint.parquet"), *log.glob("_last_checkpoint")]:
            file.unlink()
            checkpoints += 1
    return checkpoints // 2


def check_documents(folder):
    package = frictionless.Package.from_descriptor(str(folder.path / "datapackage.json"))
    named = {resource.name: [field.name for field in resource.schema.fields] for resource in package.resources}
    if named != {table: [name for name, _ in folder.columns[table]] for table in folder.tables}:
        fail("frictionless", "datapackage.json", "other tables or columns than the dictionary has")
    print(f"frictionless {frictionless.__version__}: {len(named)} resources")
    dataset = mlcroissant.Dataset(str(folder.path / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    for words in [*issues.errors, *issues.warnings]:
        fail("mlcroissant", "croissant.json", words)
    if [record_set.name for record_set in dataset.metadata.record_sets] != folder.tables:
        fail("mlcroissant", "croissant.json", "other tables than the dictionary has")
    for table in ("movies", "movie_genres", "tv_shows"):
        if table in folder.tables:
            rows = sum(1 for _ in dataset.records(table))
            if rows != sum(file["rows"] for file in folder.manifest["tables"][table]["files"]):
                fail("mlcroissant", table, f"{rows} rows")
    print(f"mlcroissant {importlib.metadata.version('mlcroissant')}: {len(dataset.metadata.record_sets)} record sets")


def check_docs(folder, docs, program):
    blocks = re.findall(r"^```(sql|python)\n(.*?)^```$", Path(docs).read_text(), re.MULTILINE | re.DOTALL)
    os.chdir(folder.path)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(Path("views.sql").read_text())
    for kind, text in blocks:
        try:
            if kind == "python":
                exec(compile(text, docs, "exec"), {})
                continue
            expected = connection.sql(text).to_arrow_table().num_rows
            lines = subprocess.run([program, "sql", "--format=jsonl", "-"], input=text, capture_output=True, text=True)
            if lines.returncode != 0 or len(lines.stdout.splitlines()) != expected:
                fail("sql", docs, f"{text}: {lines.stderr or f'other rows than the {expected} of DuckDB'}")
        except Exception as error:  # as a reader of the page would see it
            fail("docs", docs, f"{text}: {type(error).__name__}: {error}")
    print(f"{Path(docs).name}: {len(blocks)} blocks")


def main(path, node, docs=None, program=None):
    duckdb.sql("SET TimeZone = 'UTC'")
    folder = Folder(path)
    references = check_parquet(folder)
    check_counts(folder, references)
    check_node(folder, references, node)
    check_delta(folder, references, "")
    check_time_travel(folder, 2)
    with tempfile.TemporaryDirectory() as copy:
        checkpoints = without_checkpoints(folder, Path(copy) / "tables")
        if checkpoints:
            bare = Folder(Path(copy) / "tables")
            check_delta(bare, references, f", without the {checkpoints} checkpoints")
    check_documents(folder)
    if docs:
        check_docs(folder, docs, program)
    for words in failures:
        print(words, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
