# SPDX-License-Identifier: MIT
"""PyPI's TMDbAPIs, which Kometa uses: objects that load themselves, with everything appended. It starts with
configuration?append_to_response=.. and ends at the first answer that it cannot read."""
import tmdbapis
import tmdbapis.api3

from mirror import BASE, KEY, WORLD, ask, check, end, same

tmdbapis.api3.base_url = BASE + "/3"
film, show, season, episode, person = (WORLD[name] for name in ("film", "show", "season", "episode", "person"))

made = []
ask("start", lambda: made.append(tmdbapis.TMDbAPIs(KEY)))
ask("start in German", lambda: made.append(tmdbapis.TMDbAPIs(KEY, language="de")))
if len(made) < 2:
    end("tmdbapis")
tmdb, german = made

ask("movie", lambda: tmdb.movie(film["id"]), lambda m: (
    same(m.title, film["title"], "title"), same([c.name for c in m.cast], film["cast"], "cast"), check(m.crew, "no crew"),
    check(m.trailers is not None and [v for v in m.videos if v.key in film["trailers"]], "no trailers"), check(m.posters, "no posters"),
    same([k.name for k in m.keywords], film["keywords"], "keywords"), check("DE" in m.watch_providers, "no providers"),
    same(len(m.translations), film["translations"], "translations"), check(m.release_dates["DE"], "no German release")))
ask("movie in German", lambda: german.movie(film["id"]), lambda m: same(m.title, film["de"]["title"], "title"))
ask("tv_show", lambda: tmdb.tv_show(show["id"]), lambda s: (
    same(s.name, show["name"], "name"), same([one.season_number for one in s.seasons], show["seasons"], "seasons"),
    same(s.tvdb_id, show["tvdb_id"], "tvdb_id"), check(s.cast, "no cast")))
ask("tv_show in German", lambda: german.tv_show(show["id"]), lambda s: same(s.name, show["de"]["name"], "name"))
ask("tv_season", lambda: tmdb.tv_season(show["id"], season["number"]), lambda s: (
    same(len(s.episodes), season["episodes"], "episodes"), same([c.name for c in s.cast], season["cast"], "cast")))
ask("tv_season in German", lambda: german.tv_season(show["id"], season["number"]),
    lambda s: same(s.episodes[0].name, season["de"]["episode"], "name of an episode"))
ask("tv_episode", lambda: tmdb.tv_episode(show["id"], season["number"], episode["number"]), lambda e: (
    same(e.name, episode["name"], "name"), same([c.name for c in e.guest_stars], episode["guest_stars"], "guest stars")))
ask("person", lambda: tmdb.person(person["id"]), lambda p: (
    same(p.name, person["name"], "name"), same(sorted(c.movie.id for c in p.movie_cast), person["films"], "films")))
ask("collection", lambda: german.collection(WORLD["collection"]["id"]), lambda c: (
    same(c.name, WORLD["collection"]["de"]["name"], "name"), same([m.id for m in c.movies], WORLD["collection"]["parts"], "parts")))
ask("company", lambda: tmdb.company(WORLD["company"]["id"]), lambda c: same(c.name, WORLD["company"]["name"], "name"))
ask("network", lambda: tmdb.network(WORLD["network"]["id"]), lambda n: same(n.name, WORLD["network"]["name"], "name"))
ask("keyword", lambda: tmdb.keyword(WORLD["keyword"]["id"]), lambda k: same(k.name, WORLD["keyword"]["name"], "name"))
ask("films of a keyword", lambda: tmdb.keyword(WORLD["keyword"]["id"]).movies,
    lambda rows: same({m.id for m in rows.get_results(rows.total_results)}, set(WORLD["keyword_films"]), "films"))
ask("review", lambda: tmdb.review(WORLD["review"]["id"]), lambda r: same(r.author, WORLD["review"]["author"], "author"))
ask("credit", lambda: tmdb.credit(WORLD["credit_id"]))
ask("list", lambda: tmdb.list(10))
ask("episode_group", lambda: tmdb.episode_group("5acf93e60e0a26346d0000ce"))
ask("find_by_id", lambda: tmdb.find_by_id(imdb_id=film["imdb_id"]), lambda f: same([m.id for m in f.movie_results], [film["id"]], "films"))
ask("find_by_id tvdb", lambda: tmdb.find_by_id(tvdb_id=show["tvdb_id"]), lambda f: same([s.id for s in f.tv_results], [show["id"]], "shows"))
ask("discover_movies", lambda: tmdb.discover_movies(with_genres=film["genres"][0], sort_by="popularity.desc"),
    lambda rows: check(film["id"] in [m.id for m in rows.get_results(rows.total_results)], "the film is not there"))
ask("discover_tv_shows", lambda: tmdb.discover_tv_shows(with_networks=WORLD["network"]["id"]),
    lambda rows: check(show["id"] in [s.id for s in rows.get_results(rows.total_results)], "the show is not there"))
for name in ("movie_certifications", "tv_certifications", "movie_change_list", "tv_change_list", "person_change_list", "configuration",
             "movie_genres", "tv_genres", "latest_movie", "latest_tv", "latest_person", "now_playing_movies", "top_rated_movies",
             "upcoming_movies", "popular_people", "tv_airing_today", "tv_on_the_air", "top_rated_tv", "provider_regions",
             "movie_providers", "tv_providers"):
    ask(name, getattr(tmdb, name))
ask("popular_movies, all of them", tmdb.popular_movies,
    lambda rows: same(len({m.id for m in rows.get_results(rows.total_results)}), WORLD["listed"]["movie"], "films"))
ask("popular_tv, all of them", tmdb.popular_tv,
    lambda rows: same(len({s.id for s in rows.get_results(rows.total_results)}), WORLD["listed"]["tv"], "shows"))
ask("trending", lambda: tmdb.trending("all", "day"), lambda rows: check(len(rows.results) == 20, "no full page"))
for name, query, wanted in (("movie_search", film["title"], film["id"]), ("tv_search", show["name"], show["id"]),
                            ("people_search", person["name"], person["id"]), ("multi_search", film["title"], film["id"]),
                            ("company_search", WORLD["company"]["name"], WORLD["company"]["id"]),
                            ("collection_search", WORLD["collection"]["name"], WORLD["collection"]["id"]),
                            ("keyword_search", WORLD["keyword"]["name"], WORLD["keyword"]["id"])):
    ask(name, lambda: getattr(tmdb, name)(query), lambda rows: check(wanted in [row.id for row in rows.results], "it is not found"))
end("tmdbapis")
