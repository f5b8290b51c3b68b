# SPDX-License-Identifier: MIT
"""The description at /3/openapi.json: openapi-spec-validator accepts it, and schemathesis, which makes up requests from
it, good ones and bad ones, gets no 5xx, no status and no shape that it does not describe. In the description the ids of
paths are narrowed to those of the mirror, for the others answer 404 alone."""
import json
import os
import subprocess
import sys
import tempfile

import requests
from openapi_spec_validator import OpenAPIV31SpecValidator

BASE = os.environ["MIRROR_URL"]
SECONDS = "35"
with open(os.environ["MIRROR_WORLD"], encoding="utf-8") as file:
    WORLD = json.load(file)
KNOWN = {"movie_id": [WORLD["film"]["id"], WORLD["of_set"]["id"], WORLD["review"]["film"], WORLD["film"]["imdb_id"]],
         "series_id": [WORLD["show"]["id"]], "season_number": WORLD["show"]["seasons"], "episode_number": [1, 2],
         "person_id": [WORLD["person"]["id"]], "collection_id": [WORLD["collection"]["id"]], "company_id": [WORLD["company"]["id"]],
         "network_id": [WORLD["network"]["id"]], "keyword_id": [WORLD["keyword"]["id"]], "review_id": [WORLD["review"]["id"]],
         "external_id": [WORLD["film"]["imdb_id"], str(WORLD["show"]["tvdb_id"])],
         "query": ["the", WORLD["film"]["title"], WORLD["person"]["name"]], "with_genres": ["18", "18,35", "18|35"],
         "append_to_response": ["credits,images", "season/1,season/1/credits", "recommendations,similar"]}

description = requests.get(BASE + "/3/openapi.json", timeout=30)
description.raise_for_status()
described = description.json()
OpenAPIV31SpecValidator(described).validate()
operations = 0
for path in described["paths"].values():
    operations += 1
    for parameter in path["get"]["parameters"]:
        known = KNOWN.get(parameter["name"])
        if known:
            # Now and then something else.
            parameter["schema"] = {"anyOf": [{"enum": known}, {"enum": known}, {"enum": known}, parameter["schema"]]}
print(f"openapi-spec-validator accepts the description of {operations} paths")
folder = tempfile.mkdtemp()
narrowed = os.path.join(folder, "openapi.json")
with open(narrowed, "w", encoding="utf-8") as file:
    json.dump(described, file)
done = subprocess.run(
    [sys.executable, "-m", "schemathesis.cli", "run", narrowed, "--url", BASE, "--max-time", SECONDS, "--phases", "coverage,fuzzing",
     "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
     "--exclude-checks", "negative_data_rejection,positive_data_acceptance,unsupported_method", "--generation-deterministic",
     "--no-shrink", "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--no-color"],
    cwd=folder, env=dict(os.environ, PYTHONUTF8="1"), check=False)
sys.exit(done.returncode)
