# SPDX-License-Identifier: MIT
"""expected.py SIM: what the clients must find in the mirror, as JSON, taken from the simulated TMDB it was filled from
(its address) and not from the mirror. Picks a film, a show and so on that have everything a client may ask for, and
ends with a sentence when there is none."""
import json
import sys
import urllib.request

SIM = sys.argv[1]
KEY = "0123456789abcdef0123456789abcdef"


def load(path):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(SIM + path, timeout=60) as answer:
        return answer.read().decode()


def api(path, **query):
    rest = "".join(f"&{name}={value}" for name, value in query.items())
    return json.loads(load(f"/3/{path}?api_key={KEY}{rest}"))


def pick(kind, fits):
    for one in ALL[kind]:
        if fits(one):
            return one
    sys.exit(f"expected.py: the simulated world has no {kind} with all that the tests of the clients need: "
             "change its flags in tools/clients/up, or these conditions")


def german(one):
    """The texts of its German translation, or nothing."""
    return next((t["data"] for t in one["translations"]["translations"] if t["iso_639_1"] == "de"), {})


def first_in(images, language):
    return next((image["file_path"] for image in images if image["iso_639_1"] == language), None)


def plain(name):
    """Whether it can be searched for as it stands: two words or more of letters."""
    return len(name.split()) >= 2 and name.replace(" ", "").isalpha() and name == " ".join(name.split())


def trailers(one):
    return [v for v in one["videos"]["results"] if v["type"] == "Trailer" and v["site"] == "YouTube" and v["iso_639_1"] == "en"]


def named_in_german(part):
    return bool(german(part).get("title") or german(part).get("name"))


def film_fits(film):
    data = german(film)
    countries = {c["iso_3166_1"]: c["release_dates"] for c in film["release_dates"]["results"]}
    return (plain(film["title"]) and plain(data.get("title", "")) and data.get("overview") and data["title"] != film["title"]
            and not film["adult"] and not film["video"] and film["release_date"] and film["imdb_id"] and film["overview"]
            and len(film["credits"]["cast"]) >= 5 and film["credits"]["crew"] and film["genres"]
            and film["production_companies"] and film["keywords"]["keywords"] and trailers(film)
            and first_in(film["images"]["posters"], "de") and film["images"]["backdrops"]
            and any(d["certification"] for d in countries.get("DE", [])) and "DE" in film["watch/providers"]["results"])


def show_fits(show):
    data = german(show)
    return (plain(show["name"]) and plain(data.get("name", "")) and data.get("overview") and data["name"] != show["name"]
            and not show["adult"] and show["first_air_date"] and show["external_ids"]["tvdb_id"] and show["external_ids"]["imdb_id"]
            and 2 <= len(show["seasons"]) <= 12 and show["networks"] and show["aggregate_credits"]["cast"]
            and show["images"]["posters"] and show["content_ratings"]["results"] and show["keywords"]["results"])


def person_fits(person):
    shown = person["combined_credits"]["cast"]
    return (plain(person["name"]) and not person["adult"] and person["biography"] and person["imdb_id"]
            and german(person).get("biography") and person["images"]["profiles"]
            and any(c["media_type"] == "movie" for c in shown) and any(c["media_type"] == "tv" for c in shown))


ALL = {kind: [] for kind in ("movie", "tv", "person", "collection", "company", "network", "keyword")}
for line in load("/sim/truth").splitlines():
    entry = json.loads(line)
    if entry["type"] in ALL:
        ALL[entry["type"]].append(json.loads(load(f"/sim/truth?type={entry['type']}&id={entry['id']}")))

film = pick("movie", film_fits)
show = pick("tv", show_fits)
person = pick("person", person_fits)
collection = pick("collection", lambda c: named_in_german(c) and plain(c["name"]) and len(c["parts"]) >= 2
                  and first_in(c["images"]["posters"], "de"))
of_set = pick("movie", lambda m: m["belongs_to_collection"] and not m["adult"] and m["title"] and german(m).get("title"))
reviewed = pick("movie", lambda m: m["reviews"]["results"] and not m["adult"])
# Rust's tmdb-api wants an origin_country of a parent, which TMDB does not give.
company = pick("company", lambda c: c["id"] in [p["id"] for p in film["production_companies"]] and not c["parent_company"])
keyword = film["keywords"]["keywords"][0]

numbers = [season["season_number"] for season in show["seasons"]]
number = next(n for n in numbers if n > 0)
parts = "credits,images,translations,external_ids,videos"
season = api(f"tv/{show['id']}/season/{number}", append_to_response=parts)
season_de = api(f"tv/{show['id']}/season/{number}", language="de-DE")
episode = season["episodes"][0]


def id_and_name(one):
    return {"id": one["id"], "name": one["name"]}


def listed(kind):
    """How many a list shows that leaves nothing out but what is for adults, and films that are mere videos."""
    return sum(1 for one in ALL[kind] if not one["adult"] and not one.get("video"))


data = german(film)
print(json.dumps({
    "film": {
        "id": film["id"], "title": film["title"], "original_title": film["original_title"], "overview": film["overview"],
        "year": film["release_date"][:4], "imdb_id": film["imdb_id"], "vote_count": film["vote_count"],
        "cast": [c["name"] for c in film["credits"]["cast"]], "crew": [c["name"] for c in film["credits"]["crew"]],
        "directors": [c["name"] for c in film["credits"]["crew"] if c["job"] == "Director"],
        "genres": [g["id"] for g in film["genres"]], "keywords": [k["name"] for k in film["keywords"]["keywords"]],
        "trailers": [v["key"] for v in trailers(film)],
        "de": {"title": data["title"], "overview": data["overview"], "tagline": data["tagline"],
               "poster_path": first_in(film["images"]["posters"], "de")},
        "certification_de": next(d["certification"] for c in film["release_dates"]["results"] if c["iso_3166_1"] == "DE"
                                 for d in c["release_dates"] if d["certification"]),
        "providers": sorted(film["watch/providers"]["results"]),
        "translations": len(film["translations"]["translations"]),
        "posters": [i["iso_639_1"] for i in film["images"]["posters"]],
    },
    "show": {
        "id": show["id"], "name": show["name"], "year": show["first_air_date"][:4], "imdb_id": show["external_ids"]["imdb_id"],
        "tvdb_id": show["external_ids"]["tvdb_id"], "seasons": numbers, "network": id_and_name(show["networks"][0]),
        "cast": [c["name"] for c in show["aggregate_credits"]["cast"]],
        "de": {"name": german(show)["name"], "overview": german(show)["overview"]},
    },
    "season": {
        "number": number, "id": season["id"], "name": season["name"], "episodes": len(season["episodes"]),
        "cast": [c["name"] for c in season["credits"]["cast"]],
        "de": {"name": season_de["name"], "episode": season_de["episodes"][0]["name"]},
    },
    "episode": {"number": episode["episode_number"], "id": episode["id"], "name": episode["name"],
                "guest_stars": [g["name"] for g in episode["guest_stars"]]},
    "person": {"id": person["id"], "name": person["name"], "imdb_id": person["imdb_id"],
               "biography": person["biography"], "de": {"biography": german(person)["biography"]},
               "films": sorted(c["id"] for c in person["combined_credits"]["cast"] if c["media_type"] == "movie"),
               "shows": sorted(c["id"] for c in person["combined_credits"]["cast"] if c["media_type"] == "tv")},
    "collection": {"id": collection["id"], "name": collection["name"], "parts": [p["id"] for p in collection["parts"]],
                   "de": {"name": german(collection)["title"]}},
    "of_set": {"id": of_set["id"], "collection": of_set["belongs_to_collection"]["id"], "de": {"title": german(of_set)["title"]}},
    "company": id_and_name(company), "network": id_and_name(show["networks"][0]), "keyword": id_and_name(keyword),
    "review": {"id": reviewed["reviews"]["results"][0]["id"], "film": reviewed["id"],
               "author": reviewed["reviews"]["results"][0]["author"]},
    "credit_id": film["credits"]["cast"][0]["credit_id"],
    "listed": {kind: listed(kind) for kind in ("movie", "tv", "person")},
    "keyword_films": [m["id"] for m in ALL["movie"] if keyword["id"] in [k["id"] for k in m["keywords"]["keywords"]]
                      and not m["adult"] and not m["video"]],
}, ensure_ascii=False, indent=1))
