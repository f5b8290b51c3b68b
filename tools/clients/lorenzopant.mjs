// SPDX-License-Identifier: MIT
// npm's @lorenzopant/tmdb: every read method; and what serve answers has exactly the members that its types, which are
// kept by comparing them with TMDB itself, declare (key_trees.mjs).
// LORENZOPANT_HOST=1: it finds api.themoviedb.org itself, for the test of the recipe with DNS and TLS.
import {pathToFileURL} from 'node:url';
import {ask, askPages, base, end, expect, key, last, noteFetch, same, world} from './mirror.mjs';
import {openTypes} from './key_trees.mjs';

const folder = `${process.env.CLIENTS_NODE}/node_modules/@lorenzopant/tmdb/dist`;
const {TMDB} = await import(pathToFileURL(`${folder}/index.mjs`));
const {film, show, season, episode, person, collection, company, network, keyword, review} = world;

globalThis.fetch = noteFetch(fetch);
const tmdb = new TMDB(key);
if (!process.env.LORENZOPANT_HOST) {
  for (const name of Object.keys(tmdb)) if (tmdb[name]?.client) tmdb[name].client.baseUrl = `${base}/3`;
}
const German = {language: 'de-DE'};
const M = {movie_id: film.id};
const T = {series_id: show.id};
const inSeason = {...T, season_number: season.number};
const inEpisode = {...inSeason, episode_number: episode.number};
const P = {person_id: person.id};

const questions = {
  certifications: {movie_certifications: {}, tv_certifications: {}},
  changes: {movie_list: {}, people_list: {}, tv_list: {}},
  companies: {details: {company_id: company.id}, alternative_names: {company_id: company.id}, images: {company_id: company.id}},
  credits: {details: {credit_id: world.credit_id}},
  collections: {details: {collection_id: collection.id, ...German}, images: {collection_id: collection.id}, translations: {collection_id: collection.id}},
  configuration: {details: {}, countries: {}, jobs: {}, languages: {}, primary_translations: {}, timezones: {}},
  discover: {movie: German, tv: {}},
  find: {by_id: {external_id: film.imdb_id, external_source: 'imdb_id', ...German}},
  genres: {movie_list: German, tv_list: {}},
  keywords: {details: {keyword_id: keyword.id}, movies: {keyword_id: keyword.id}},
  movie_lists: {now_playing: {region: 'DE'}, popular: German, top_rated: {}, upcoming: {}},
  movies: {
    details: {...M, ...German}, alternative_titles: M, credits: M, external_ids: M, keywords: M, changes: M, images: M, latest: {},
    recommendations: M, release_dates: M, reviews: {movie_id: review.film}, similar: M, translations: M, videos: M, watch_providers: M,
  },
  search: {
    collections: {query: collection.name}, movies: {query: film.title}, company: {query: company.name}, keyword: {query: keyword.name},
    person: {query: person.name}, tv_series: {query: show.name}, multi: {query: film.title},
  },
  tv_series: {
    details: {...T, ...German}, aggregate_credits: T, alternative_titles: T, changes: T, content_ratings: T, credits: T,
    episode_groups: T, external_ids: T, images: T, keywords: T, latest: {}, lists: T, recommendations: T, reviews: T,
    screened_theatrically: T, similar: T, translations: T, videos: T, watch_providers: T,
  },
  tv_lists: {airing_today: {}, on_the_air: {}, popular: German, top_rated: {}},
  watch_providers: {movie_providers: {watch_region: 'DE'}, tv_providers: {}, available_regions: {}},
  networks: {details: {network_id: network.id}, alternative_names: {network_id: network.id}, images: {network_id: network.id}},
  tv_episodes: {details: {...inEpisode, ...German}, changes: {episode_id: episode.id}, credits: inEpisode, external_ids: inEpisode, images: inEpisode, translations: inEpisode, videos: inEpisode},
  tv_episode_groups: {details: {episode_group_id: '5acf93e60e0a26346d0000ce'}},
  tv_seasons: {
    details: {...inSeason, ...German}, aggregate_credits: inSeason, changes: {season_id: season.id}, credits: inSeason,
    external_ids: inSeason, images: inSeason, translations: inSeason, videos: inSeason, watch_providers: inSeason,
  },
  trending: {all: {time_window: 'day'}, movies: {time_window: 'week'}, tv: {time_window: 'day'}, people: {time_window: 'day'}},
  reviews: {details: {review_id: review.id}},
  people_lists: {popular: {}},
  people: {
    details: {...P, ...German}, changes: P, combined_credits: P, external_ids: P, images: P, latest: {}, movie_credits: P, tagged_images: P,
    translations: P, tv_credits: P,
  },
  account: {details: {account_id: 1}, favorite_movies: {account_id: 1}, rated_tv: {account_id: 1}, lists: {account_id: 1}},
  authentication: {validate_key: {}, create_request_token: {}, create_guest_session: {}},
  guest_sessions: {rated_movies: {guest_session_id: 'a'}},
  lists: {details: {list_id: 10}, check_item_status: {list_id: 10, movie_id: film.id}},
};
// Users' data are not mirrored: one question each will do.
const writesAndUsers = new Set(['account', 'authentication', 'guest_sessions', 'lists', 'images']);

const types = openTypes(`${folder}/index.d.mts`, 'TMDB');
await ask('every method has a question', async () => same(types.methods().filter(([group, m]) => !writesAndUsers.has(group) && !questions[group]?.[m]), [], 'methods without a question'));
let trees = 0;
for (const [group, all] of Object.entries(questions)) {
  for (const [method, parameters] of Object.entries(all)) {
    await ask(`${group}.${method}`, () => tmdb[group][method](parameters), () => {
      if (group === 'authentication') return;
      const {odd, walked} = types.compare(group, method, last().body);
      trees += walked;
      expect(odd.length === 0, `unlike its type: ${odd.slice(0, 8).join('; ')}${odd.length > 8 ? ` and ${odd.length - 8} more` : ''}`);
    });
  }
}
// What is appended, in the types of what it is on its own.
for (const [group, parameters, names] of [
  ['movies', {...M, ...German}, ['alternative_titles', 'changes', 'credits', 'external_ids', 'images', 'keywords', 'recommendations', 'release_dates', 'reviews', 'similar', 'translations', 'videos', 'watch/providers']],
  ['tv_series', {...T, ...German}, ['aggregate_credits', 'alternative_titles', 'content_ratings', 'credits', 'episode_groups', 'external_ids', 'images', 'keywords', 'recommendations', 'reviews', 'screened_theatrically', 'similar', 'translations', 'videos', 'watch/providers']],
  ['tv_seasons', {...inSeason, ...German}, ['aggregate_credits', 'credits', 'external_ids', 'images', 'translations', 'videos']],
  ['tv_episodes', {...inEpisode, ...German}, ['credits', 'external_ids', 'images', 'translations', 'videos']],
  ['people', {...P, ...German}, ['combined_credits', 'external_ids', 'images', 'movie_credits', 'tagged_images', 'translations', 'tv_credits']],
]) {
  await ask(`${group}.details with ${names.length} more`, () => tmdb[group].details({...parameters, append_to_response: names}), () => {
    const body = last().body;
    for (const name of names) {
      expect(name in body, `${name} is missing`);
      const method = name.replace('/', '_');
      const {odd} = types.compare(group, method, body[name], ['id']);
      expect(odd.length === 0, `${name} is unlike its type: ${odd.slice(0, 8).join('; ')}`);
    }
  });
}
await askPages('movie_lists.top_rated', (page) => tmdb.movie_lists.top_rated({page}));
await askPages('search.movies', (page) => tmdb.search.movies({query: 'the', page}));
await ask('a German title', () => tmdb.movies.details({...M, ...German}), (m) => same(m.title, film.de.title, 'title'));
await ask('many answers were compared with their types', async () => expect(trees > 1000, `${trees} values only`));
console.log(`${trees} values compared with the types of @lorenzopant/tmdb`);
end('@lorenzopant/tmdb');
