# SPDX-License-Identifier: MIT
"""PyPI's themoviedb: every read method; it puts language, region and watch_region into every request, and makes
dataclasses of what comes."""
import inspect

import themoviedb
from themoviedb._core.config import ClientConfig

from mirror import BASE, KEY, WORLD, ask, check, end, same

ClientConfig.host = BASE
_init = ClientConfig.__init__
ClientConfig.__init__ = lambda self, *args, **kwargs: (_init(self, *args, **kwargs), setattr(self, "host", BASE))[0]

film, show, season, episode = WORLD["film"], WORLD["show"], WORLD["season"], WORLD["episode"]
parameters = {"collection_id": WORLD["collection"]["id"], "company_id": WORLD["company"]["id"], "credit_id": WORLD["credit_id"],
              "movie_id": film["id"], "tv_id": show["id"], "season_id": season["number"], "season_number": season["number"],
              "episode_id": episode["number"], "episode_number": episode["number"], "person_id": WORLD["person"]["id"],
              "keyword_id": WORLD["keyword"]["id"], "network_id": WORLD["network"]["id"], "review_id": WORLD["review"]["id"],
              "group_id": "5acf93e60e0a26346d0000ce", "episode_group_id": "5acf93e60e0a26346d0000ce", "guest_id": "a",
              "guest_session_id": "a", "imdb_id": film["imdb_id"], "tvdb_id": show["tvdb_id"]}
searched = {"movies": film["title"], "tv": show["name"], "people": WORLD["person"]["name"], "multi": film["title"],
            "collections": WORLD["collection"]["name"], "companies": WORLD["company"]["name"], "keywords": WORLD["keyword"]["name"]}
# It takes ratings of reviews for whole numbers; TMDB gives 9.0 as well as 9.
its_faults = {"movie().reviews"}
unknown = {"by_freebase_mid", "by_freebase", "by_tvrage", "by_facebook", "by_instagram", "by_twitter"}


def needed(function):
    return [p.name for p in inspect.signature(function).parameters.values()
            if p.name != "self" and p.default is inspect.Parameter.empty and p.kind == p.POSITIONAL_OR_KEYWORD]


tmdb = themoviedb.TMDb(key=KEY) if "key" in inspect.signature(themoviedb.TMDb.__init__).parameters else themoviedb.TMDb(api_key=KEY)
tmdb.host = BASE
for resource, function in inspect.getmembers(themoviedb.TMDb, inspect.isfunction):
    if resource.startswith("_") or resource in ("close", "request", "authentication"):
        continue
    if "Resource" not in (function.__doc__ or "") and "resource" not in (function.__doc__ or ""):
        continue
    model = getattr(tmdb, resource)(*[parameters[n] for n in needed(function)])
    for method, call in inspect.getmembers(type(model), inspect.isfunction):
        if method.startswith("_") or method in ("close", "request") or method in unknown:
            continue
        if f"{resource}().{method}" in its_faults:
            continue
        values = [searched[method] if n == "query" else parameters[n] for n in needed(call)]
        ask(f"{resource}().{method}", lambda: getattr(model, method)(*values))

german = themoviedb.TMDb(key=KEY, language="de-DE", region="DE") if "key" in inspect.signature(themoviedb.TMDb.__init__).parameters \
    else themoviedb.TMDb(api_key=KEY, language="de-DE", region="DE")
ask("a film in German", lambda: german.movie(film["id"]).details(append_to_response="credits,external_ids,images,videos,keywords"),
    lambda m: (same(m.title, film["de"]["title"], "title"), same(len(m.credits.cast), len(film["cast"]), "cast"),
               check(m.external_ids.imdb_id == film["imdb_id"], "another imdb_id")))
ask("a show in German", lambda: german.tv(show["id"]).details(), lambda s: same(s.name, show["de"]["name"], "name"))
ask("search", lambda: german.search().movies(film["de"]["title"]),
    lambda rows: check(film["id"] in [row.id for row in rows], "the film is not found by its German title"))
end("themoviedb")
