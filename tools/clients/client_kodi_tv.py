# SPDX-License-Identifier: MIT
"""Kodi's own scraper of shows (metadata.tvshows.themoviedb.org.python of Debian's kodi-data), started as Kodi starts it,
in German."""
import tempfile
from urllib.parse import urlencode

from kodi_stub import run
from mirror import WORLD, ask, check, end, same

ADDON = "metadata.tvshows.themoviedb.org.python"
show, season, episode = WORLD["show"], WORLD["season"], WORLD["episode"]
GERMAN = {"language": "de-DE", "tmdbcertcountry": "de", "enable_fanarttv": "false", "imdbanyway": "false", "traktanyway": "false",
          "ratings": "TMDb"}
TEMPORARY = tempfile.mkdtemp()


def start(**params):
    done = run(ADDON, "main.py", ["plugin", "1", "?" + urlencode(params)], GERMAN, TEMPORARY)
    check(not done["warnings"], f"it warned: {done['warnings']}")
    return done


def details(done):
    check(done["resolved"] and done["resolved"][0][0], "nothing was resolved")
    tag = done["resolved"][0][1]["tag"]
    same(tag["setTitle"][0][0], show["de"]["name"], "title")
    same(tag["setPlot"][0][0], show["de"]["overview"], "plot")
    same(tag["setYear"][0][0], int(show["year"]), "year")
    same(sorted(n for n, _ in tag["addSeason"]), sorted(show["seasons"]), "seasons")
    check(season["de"]["name"] in [name for _, name in tag["addSeason"]], f"no season is called {season['de']['name']}")
    names = [actor[0] for actor in tag["setCast"][0][0]]
    check(set(season["cast"]) <= set(names), f"{set(season['cast']) - set(names)} are missing in the cast")
    same(tag["setStudios"][0][0][0], show["network"]["name"], "network")
    check(any("poster" in str(args) for args in tag["addAvailableArtwork"]), "no posters")
    same({args[0] for args in tag["setUniqueID"]} >= {str(show["id"]), str(show["tvdb_id"]), show["imdb_id"]}, True, "unique ids")
    check(tag["setGenres"][0][0] and tag["setRating"], "no genres or no rating")


episodes = []


def listed(done):
    for url, item in done["items"]:
        tag = item["tag"]
        episodes.append((tag["setSeason"][0][0], tag["setEpisode"][0][0], tag["setTitle"][0][0], url))
    same(len([e for e in episodes if e[0] == season["number"]]), season["episodes"], "episodes of a season")
    first = next(e for e in episodes if e[:2] == (season["number"], episode["number"]))
    same(first[2], season["de"]["episode"], "title of an episode")


def one_episode(done):
    tag = done["resolved"][0][1]["tag"]
    same(tag["setTitle"][0][0], season["de"]["episode"], "title")
    same([actor[0] for actor in tag["setCast"][0][0]], season["cast"] + episode["guest_stars"], "cast and guests")


ask("search with the year", lambda: start(action="find", title=show["name"], year=show["year"]),
    lambda done: check(str(show["id"]) in [url for url, _ in done["items"]], "the show is not found"))
ask("search by the German name", lambda: start(action="find", title=show["de"]["name"]),
    lambda done: check(str(show["id"]) in [url for url, _ in done["items"]], "the show is not found"))
ask("search by the id at TVDB", lambda: start(action="find", title=f"tvdb/{show['tvdb_id']}"),
    lambda done: same([url for url, _ in done["items"]], [str(show["id"])], "shows"))
ask("details in German", lambda: start(action="getdetails", url=str(show["id"])), details)
ask("the list of episodes", lambda: start(action="getepisodelist", url='{"tmdb": "%s"}' % show["id"]), listed)
ask("an episode", lambda: start(action="getepisodedetails", url=next(e[3] for e in episodes if e[:2] == (season["number"], episode["number"]))), one_episode)
ask("artwork", lambda: start(action="getartwork", id=str(show["id"])), lambda done: check(done["resolved"][0][1]["tag"]["addAvailableArtwork"], "none"))
end("Kodi's scraper of shows")
