# SPDX-License-Identifier: MIT
"""PyPI's tmdbv3api: every read method, in English, and what MoviePilot asks in German. It takes a member `errors` or
`success` for a failure, and reads the pages' totals."""
import inspect

import tmdbv3api

from mirror import BASE, KEY, WORLD, ask, check, end, same

_init = tmdbv3api.TMDb.__init__


def init(self, *args, **kwargs):
    _init(self, *args, **kwargs)
    self._base = BASE + "/3"


tmdbv3api.TMDb.__init__ = init
tmdb = tmdbv3api.TMDb()
tmdb.api_key = KEY
tmdb.session_id = "a"  # or it does not even ask for account_states

film, show, season, episode = WORLD["film"], WORLD["show"], WORLD["season"], WORLD["episode"]
values = {"movie_id": film["id"], "tv_id": show["id"], "season_num": season["number"], "episode_num": episode["number"],
          "season_id": season["id"], "episode_id": episode["id"], "person_id": WORLD["person"]["id"],
          "collection_id": WORLD["collection"]["id"], "company_id": WORLD["company"]["id"], "keyword_id": WORLD["keyword"]["id"],
          "network_id": WORLD["network"]["id"], "review_id": WORLD["review"]["id"], "credit_id": WORLD["credit_id"],
          "group_id": "5acf93e60e0a26346d0000ce", "list_id": 10, "imdb_id": film["imdb_id"], "tvdb_id": str(show["tvdb_id"]),
          "external_id": film["imdb_id"], "external_source": "imdb_id", "params": {"sort_by": "popularity.desc"}}
terms = {("Movie", "search"): film["title"], ("TV", "search"): show["name"], ("Person", "search"): WORLD["person"]["name"],
         ("Search", "companies"): WORLD["company"]["name"], ("Search", "collections"): WORLD["collection"]["name"],
         ("Search", "keywords"): WORLD["keyword"]["name"], ("Search", "movies"): film["title"], ("Search", "multi"): film["title"],
         ("Search", "people"): WORLD["person"]["name"], ("Search", "tv_shows"): show["name"]}
writes = ("rate_", "delete_", "create_", "add_", "remove_", "clear_")
# Ids that no film, show or person of the world has; the answer would be five empty lists.
unknown = {"find_by_freebase_mid", "find_by_freebase_id", "find_by_tvrage_id", "find_by_facebook_id", "find_by_instagram_id",
           "find_by_twitter_id"}

for name, cls in inspect.getmembers(tmdbv3api, inspect.isclass):
    if not issubclass(cls, tmdbv3api.TMDb) or name in ("TMDb", "Account", "Authentication"):
        continue
    for method, function in inspect.getmembers(cls, inspect.isfunction):
        if method.startswith("_") or method.startswith(writes) or method in unknown or method in vars(tmdbv3api.TMDb):
            continue
        parameters = []
        for parameter in list(inspect.signature(function).parameters.values())[1:]:
            if parameter.default is not inspect.Parameter.empty:
                continue
            value = terms.get((name, method)) if parameter.name in ("term", "query") else values.get(parameter.name)
            if (name, method, parameter.name) == ("TV", "external", "external_id"):
                value = show["imdb_id"]
            parameters.append(value)
        ask(f"{name}.{method}", lambda: getattr(cls(), method)(*parameters))

tmdb.language = "de-DE"
ask("a film in German", lambda: tmdbv3api.Movie().details(film["id"]),
    lambda m: (same(m.title, film["de"]["title"], "title"), same(len(m.casts["cast"]), len(film["cast"]), "cast")))
ask("a show in German", lambda: tmdbv3api.TV().details(show["id"]), lambda s: same(s.name, show["de"]["name"], "name"))
ask("a season in German", lambda: tmdbv3api.Season().details(show["id"], season["number"]),
    lambda s: same(s.episodes[0].name, season["de"]["episode"], "name of an episode"))


def every_page():
    seen = set()
    movie = tmdbv3api.Movie()
    page, pages = 1, 1
    while page <= pages:
        rows = movie.popular(page=page)
        pages = int(rows.total_pages)
        same(int(rows.total_results), WORLD["listed"]["movie"], f"total_results of page {page}")
        seen |= {row.id for row in rows}
        page += 1
    return seen


ask("every page of popular", every_page, lambda seen: same(len(seen), WORLD["listed"]["movie"], "films on all pages"))
ask("a search that finds nothing", lambda: tmdbv3api.Search().movies("qqqxyzzy"),
    lambda rows: check(int(rows.total_results) == 0 and len(list(rows)) == 0, "rows"))
end("tmdbv3api")
