# SPDX-License-Identifier: MIT
"""bucket.py BUCKET: each table under s3://BUCKET/tables, by deltalake over its log where it lies, against the manifest
that the bucket's manifest.json names: version and rows. AWS_ENDPOINT_URL and the keys are in the environment. Says what
disagrees and exits 1, else how many tables and rows it read."""

import json
import os
import sys

import deltalake
import pyarrow.fs

options = {"AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"], "AWS_ALLOW_HTTP": "true",
           "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
           "AWS_SECRET_ACCESS_KEY": os.environ["AWS_SECRET_ACCESS_KEY"], "AWS_REGION": os.environ["AWS_REGION"]}
folder = f"{sys.argv[1]}/tables"
files = pyarrow.fs.S3FileSystem(access_key=options["AWS_ACCESS_KEY_ID"], secret_key=options["AWS_SECRET_ACCESS_KEY"],
                                endpoint_override=options["AWS_ENDPOINT_URL"], region=options["AWS_REGION"])


def read(name):
    return json.loads(files.open_input_stream(f"{folder}/{name}").read())


tables = read(f"manifests/{read('manifest.json')['generation']:09}.json")["tables"]
total = 0
for name, table in tables.items():
    if table["delta_version"] < 0:
        continue
    delta = deltalake.DeltaTable(f"s3://{folder}/{name}", storage_options=options)
    rows = delta.to_pyarrow_table().num_rows
    expected = sum(file["rows"] for file in table["files"])
    if delta.version() != table["delta_version"] or rows != expected:
        sys.exit(f"{name}: version {delta.version()} with {rows} rows, the manifest says "
                 f"{table['delta_version']} with {expected}")
    total += rows
print(f"{len(tables)} tables, {total} rows")
