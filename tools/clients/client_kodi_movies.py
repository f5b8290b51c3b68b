# SPDX-License-Identifier: MIT
"""Kodi's own scraper of films (metadata.themoviedb.org.python of Debian's kodi-data), started as Kodi starts it, in German."""
import json
from urllib.parse import urlencode

from kodi_stub import run
from mirror import WORLD, ask, check, end, same

ADDON = "metadata.themoviedb.org.python"
film, of_set = WORLD["film"], WORLD["of_set"]
GERMAN = {"language": "de-DE", "tmdbcertcountry": "de", "certprefix": "FSK ", "enable_fanarttv_artwork": "false",
          "imdbanyway": "false", "traktanyway": "false", "multiple_studios": "true"}


def start(settings=GERMAN, **params):
    done = run(ADDON, "python/scraper.py", ["plugin", "1", "?" + urlencode(params)], settings)
    check(not done["warnings"], f"it warned: {done['warnings']}")
    return done


def find(done, title):
    return [json.loads(url)["tmdb"] for url, item in done["items"] if item["label"].startswith(title)]


def german(done):
    check(done["resolved"] and done["resolved"][0][0], "nothing was resolved")
    item = done["resolved"][0][1]
    info = item["setInfo"][0][1]
    same(info["title"], film["de"]["title"], "title")
    same(info["plot"], film["de"]["overview"], "plot")
    same(info["originaltitle"], film["original_title"], "original title")
    same(info["mpaa"], "FSK " + film["certification_de"], "certification")
    same([c["name"] for c in item["setCast"][0][0]], film["cast"], "cast")
    same(set(info["director"]), set(film["directors"]), "directors")
    same(set(info["tag"]), set(film["keywords"]), "tags")
    check(info["genre"] and info["studio"] and info["premiered"].startswith(film["year"]), "genre, studio or date is missing")
    same(item["setUniqueIDs"][0][0], {"tmdb": film["id"], "imdb": film["imdb_id"]}, "unique ids")
    same(info["trailer"].rsplit("=", 1)[1], film["trailers"][0], "trailer")
    kinds = {args[1] for args in item["addAvailableArtwork"]}
    check("poster" in kinds, f"no poster among {kinds}")
    first = next(args[0] for args in item["addAvailableArtwork"] if args[1] == "poster")
    check(first.endswith(film["de"]["poster_path"]), f"{first} is not the first German poster")
    check("themoviedb" == item["setRating"][0][0], "no rating")


def in_set(done):
    info = done["resolved"][0][1]["setInfo"][0][1]
    same(info["title"], of_set["de"]["title"], "title")
    check(info.get("set"), "it is in no set")


ask("search with the year", lambda: start(action="find", title=film["title"], year=film["year"]),
    lambda done: check(str(film["id"]) in find(done, film["de"]["title"]), "the film is not found under its German title"))
ask("search by the German title", lambda: start(action="find", title=film["de"]["title"]),
    lambda done: check(str(film["id"]) in find(done, film["de"]["title"]), "the film is not found"))
ask("search by an id at IMDb", lambda: start(action="find", title=film["imdb_id"]),
    lambda done: same(find(done, film["de"]["title"]), [str(film["id"])], "films"))
ask("search by an id at TMDB", lambda: start(action="find", title=f"tmdb/{film['id']}"),
    lambda done: same(find(done, film["de"]["title"]), [str(film["id"])], "films"))
ask("details in German", lambda: start(action="getdetails", url=json.dumps({"tmdb": str(film["id"])})), german)
ask("details by the id at IMDb", lambda: start(action="getdetails", url=json.dumps({"imdb": film["imdb_id"]})), german)
ask("details of a film of a set", lambda: start(action="getdetails", url=json.dumps({"tmdb": str(of_set["id"])})), in_set)
ask("details in English", lambda: start(dict(GERMAN, language="en-US", tmdbcertcountry="us"), action="getdetails", url=json.dumps({"tmdb": str(film["id"])})),
    lambda done: same(done["resolved"][0][1]["setInfo"][0][1]["title"], film["title"], "title"))
ask("an .nfo", lambda: start(action="NfoUrl", nfo=f"https://www.themoviedb.org/movie/{film['id']}"), lambda done: check(done["items"], "nothing"))
end("Kodi's scraper of films")
