# SPDX-License-Identifier: MIT
"""PyPI's tmdbsimple: every read method of every class."""
import inspect

import tmdbsimple

from mirror import BASE, KEY, WORLD, ask, check, end, same

tmdbsimple.API_KEY = KEY
_init = tmdbsimple.base.TMDB.__init__


def init(self):
    _init(self)
    self.base_uri = BASE + "/3"


tmdbsimple.base.TMDB.__init__ = init

film, show, season, episode = WORLD["film"], WORLD["show"], WORLD["season"], WORLD["episode"]
ids = {"Movies": film["id"], "Collections": WORLD["collection"]["id"], "Companies": WORLD["company"]["id"],
       "Keywords": WORLD["keyword"]["id"], "Reviews": WORLD["review"]["id"], "TV": show["id"], "Networks": WORLD["network"]["id"],
       "TV_Changes": show["id"], "People": WORLD["person"]["id"], "Find": film["imdb_id"], "Genres": film["genres"][0],
       "Credits": WORLD["credit_id"], "TV_Episode_Groups": "5acf93e60e0a26346d0000ce"}
searched = {"movie": film["title"], "tv": show["name"], "person": WORLD["person"]["name"], "multi": film["title"],
            "collection": WORLD["collection"]["name"], "company": WORLD["company"]["name"], "keyword": WORLD["keyword"]["name"]}
# Of users' data one is asked: Movies.account_states.
USERS = {"Account", "Authentication", "GuestSessions", "Lists"}
OLD = {("Certifications", "list"): "an old name of movie_list", ("TV_Changes", "season"): "", ("TV_Changes", "episode"): ""}


def make(cls):
    name = cls.__name__
    if name == "TV_Seasons":
        return cls(show["id"], season["number"])
    if name == "TV_Episodes":
        return cls(show["id"], season["number"], episode["number"])
    if name == "Trending":
        return cls("movie", "week")
    return cls(ids[name]) if name in ids else cls()


for name, cls in inspect.getmembers(tmdbsimple, inspect.isclass):
    if not issubclass(cls, tmdbsimple.base.TMDB) or cls is tmdbsimple.base.TMDB or name in USERS:
        continue
    for method, function in inspect.getmembers(cls, inspect.isfunction):
        if method.startswith("_") or method in ("rating", "rating_delete"):
            continue
        more = {}
        if name == "Search":
            more = {"query": searched[method]}
        if name == "Find":
            more = {"external_source": "imdb_id"}
        ask(f"{name}.{method}", lambda: getattr(make(cls), method)(**more))

ask("a film in German", lambda: tmdbsimple.Movies(film["id"]).info(language="de-DE", append_to_response="credits,release_dates"),
    lambda m: (same(m["title"], film["de"]["title"], "title"), same(len(m["credits"]["cast"]), len(film["cast"]), "cast")))


def attributes():
    movie = tmdbsimple.Movies(film["id"])
    movie.info()
    movie.credits()
    check(len(movie.cast) == len(film["cast"]), "the cast is not among the attributes")
    return movie


ask("attributes", attributes, lambda m: same(m.title, film["title"], "title"))
ask("Medusa's show", lambda: tmdbsimple.TV(show["id"]).info(append_to_response="external_ids,content_ratings,credits,images", language="de"),
    lambda s: same(s["external_ids"]["tvdb_id"], show["tvdb_id"], "tvdb_id"))
end("tmdbsimple")
