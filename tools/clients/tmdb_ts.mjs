// SPDX-License-Identifier: MIT
// npm's tmdb-ts: every method but those of accounts, with a bearer token.
import {createRequire} from 'node:module';
import {ask, askPages, base, end, expect, noteFetch, same, world} from './mirror.mjs';

const require = createRequire(`${process.env.CLIENTS_NODE}/`);
const {TMDB} = require('tmdb-ts');
const {film, show, season, episode, person, collection, company, network, keyword, review} = world;

const noted = noteFetch(fetch);
const tmdb = new TMDB('eyJhbGciOiJIUzI1NiJ9.e30.c2ln', {
  fetch: (url, options) => noted(String(url).replace('https://api.themoviedb.org/3', `${base}/3`), options),
});
const German = {language: 'de-DE'};
const inSeason = {tvShowID: show.id, seasonNumber: season.number};
const inEpisode = {...inSeason, episodeNumber: episode.number};

const questions = {
  account: {details: []},
  configuration: {getApiConfiguration: [], getCountries: [], getLanguages: [], getJobs: [], getPrimaryTranslations: [], getTimezones: []},
  certifications: {movies: [], tvShows: []},
  changes: {movies: [], tvShows: [], person: []},
  collections: {details: [collection.id, German], images: [collection.id], translations: [collection.id]},
  companies: {details: [company.id], alternativeNames: [company.id], images: [company.id]},
  credits: {getById: [world.credit_id]},
  discover: {movie: [], tvShow: [German]},
  find: {byExternalId: [film.imdb_id, {external_source: 'imdb_id', ...German}]},
  genres: {movies: [], tvShows: [{language: 'de'}]},
  keywords: {details: [keyword.id], belongingMovies: [keyword.id]},
  movies: {
    details: [film.id, ['credits', 'images', 'keywords', 'release_dates', 'recommendations', 'watch/providers'], 'de-DE'],
    alternativeTitles: [film.id], changes: [film.id], credits: [film.id], externalIds: [film.id], images: [film.id], keywords: [film.id],
    lists: [film.id], recommendations: [film.id], releaseDates: [film.id], reviews: [review.film], similar: [film.id],
    translations: [film.id], videos: [film.id], watchProviders: [film.id], latest: [], nowPlaying: [], popular: [], topRated: [],
    upcoming: [],
  },
  networks: {details: [network.id], alternativeNames: [network.id], images: [network.id]},
  people: {
    details: [person.id, ['movie_credits', 'external_ids'], 'de-DE'], changes: [person.id], movieCredits: [person.id],
    tvShowCredits: [person.id], combinedCredits: [person.id], externalId: [person.id], images: [person.id], taggedImages: [person.id],
    translation: [person.id], latest: [], popular: [],
  },
  review: {details: [review.id]},
  search: {
    companies: [{query: company.name}], collections: [{query: collection.name}], keywords: [{query: keyword.name}],
    movies: [{query: film.title}], people: [{query: person.name}], tvShows: [{query: show.name}], multi: [{query: film.title}],
  },
  trending: {trending: ['movie', 'week']},
  tvEpisode: {
    details: [inEpisode, ['credits', 'external_ids'], German], changes: [episode.id], credits: [inEpisode], externalIds: [inEpisode],
    images: [inEpisode], translations: [inEpisode], videos: [inEpisode],
  },
  tvSeasons: {
    details: [inSeason, ['credits', 'images'], German], aggregateCredits: [inSeason], changes: [season.id], credits: [inSeason],
    externalIds: [inSeason], images: [inSeason], videos: [inSeason], translations: [inSeason],
  },
  tvShows: {
    details: [show.id, ['aggregate_credits', 'content_ratings'], 'de-DE'], alternativeTitles: [show.id], changes: [show.id],
    contentRatings: [show.id], aggregateCredits: [show.id], credits: [show.id], season: [show.id, season.number],
    episodeGroups: [show.id], externalIds: [show.id], images: [show.id], keywords: [show.id], recommendations: [show.id],
    reviews: [show.id], screenedTheatrically: [show.id], similar: [show.id], translations: [show.id], videos: [show.id],
    watchProviders: [show.id], latest: [], onTheAir: [], airingToday: [], popular: [], topRated: [],
  },
  watchProviders: {getRegions: [], getMovieProviders: [], getTvProviders: [{watch_region: 'DE'}]},
};

const groups = Object.getOwnPropertyNames(TMDB.prototype).filter((name) => name !== 'constructor');
const methods = groups.flatMap((group) => Object.getOwnPropertyNames(Object.getPrototypeOf(tmdb[group])).filter((m) => m !== 'constructor').map((m) => [group, m]));
await ask('every method has a question', async () => same(methods.filter(([group, m]) => !questions[group]?.[m]), [], 'methods without a question'));
for (const [group, all] of Object.entries(questions)) {
  for (const [method, parameters] of Object.entries(all)) await ask(`${group}.${method}`, () => tmdb[group][method](...parameters));
}
await askPages('movies.popular', (page) => tmdb.movies.popular({page, ...German}));
await askPages('tvShows.topRated', (page) => tmdb.tvShows.topRated({page}));
await askPages('discover.movie', (page) => tmdb.discover.movie({page, sort_by: 'vote_average.desc'}));
await ask('what is appended', () => tmdb.movies.details(film.id, ['credits', 'watch/providers', 'release_dates']), (m) => {
  same(m.credits.cast.length, film.cast.length, 'cast');
  same(Object.keys(m['watch/providers'].results).sort(), film.providers, 'countries');
});
await ask('the trending of all', () => tmdb.trending.trending('all', 'day'), (page) => expect(page.results.length > 0, 'no rows'));
end('tmdb-ts');
