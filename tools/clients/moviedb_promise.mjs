// SPDX-License-Identifier: MIT
// npm's moviedb-promise: every read method, in English and German.
import {createRequire} from 'node:module';
import {ask, askPages, base, end, expect, key, last, requests, same, world} from './mirror.mjs';

const require = createRequire(`${process.env.CLIENTS_NODE}/`);
const axios = require('axios');
const {MovieDb} = require('moviedb-promise');
const note = (answer) => requests.push({url: answer.request.path, status: answer.status});
axios.interceptors.response.use((answer) => (note(answer), answer), (error) => { if (error.response) note(error.response); throw error; });

const {film, show, season, episode, person, collection, company, network, keyword, review} = world;
const tmdb = new MovieDb(key, `${base}/3/`, 1000);
const of = (id, more = {}) => ({id, ...more});
const inSeason = {id: show.id, season_number: season.number};
const inEpisode = {...inSeason, episode_number: episode.number};
const German = {language: 'de-DE'};

const questions = {
  configuration: [], countries: [], jobs: [], languages: [], primaryTranslations: [], timezones: [],
  movieCertifications: [], tvCertifications: [], genreMovieList: [{language: 'de'}], genreTvList: [],
  movieWatchProviderList: [{watch_region: 'DE'}], tvWatchProviderList: [{watch_region: 'DE'}],
  find: [{id: film.imdb_id, external_source: 'imdb_id'}],
  searchCompany: [{query: company.name}], searchCollection: [{query: collection.name}], searchKeyword: [{query: keyword.name}],
  searchMovie: [{query: film.title, year: Number(film.year)}], searchMulti: [{query: film.title}],
  searchPerson: [{query: person.name}], searchTv: [{query: show.name, first_air_date_year: Number(show.year)}],
  collectionInfo: [of(collection.id, {...German, append_to_response: 'images'})], collectionImages: [of(collection.id)],
  collectionTranslations: [of(collection.id)],
  discoverMovie: [], discoverTv: [], trending: [{media_type: 'all', time_window: 'day'}],
  movieInfo: [of(film.id, {...German, append_to_response: 'credits,releases,images,videos,keywords'})],
  movieAccountStates: [of(film.id)], movieAlternativeTitles: [of(film.id)], movieChanges: [of(film.id)], movieCredits: [of(film.id)],
  movieExternalIds: [of(film.id)], movieImages: [of(film.id, {include_image_language: 'de'})], movieKeywords: [of(film.id)],
  movieReleaseDates: [of(film.id)], movieVideos: [of(film.id)], movieWatchProviders: [of(film.id)], movieTranslations: [of(film.id)],
  movieRecommendations: [of(film.id)], movieSimilar: [of(film.id)], movieReviews: [of(review.film)], movieLists: [of(film.id)],
  movieLatest: [], movieNowPlaying: [{region: 'DE'}], moviePopular: [German], movieTopRated: [], upcomingMovies: [{}],
  tvInfo: [show.id], tvAccountStates: [of(show.id)], tvAlternativeTitles: [of(show.id)], tvChanges: [of(show.id)],
  tvContentRatings: [of(show.id)], tvCredits: [of(show.id)], tvAggregateCredits: [of(show.id)], episodeGroups: [of(show.id)],
  tvExternalIds: [of(show.id)], tvImages: [of(show.id)], tvKeywords: [of(show.id)], tvRecommendations: [of(show.id)],
  tvReviews: [of(show.id)], tvScreenedTheatrically: [of(show.id)], tvSimilar: [of(show.id)], tvTranslations: [of(show.id)],
  tvVideos: [of(show.id)], tvWatchProviders: [of(show.id)], tvLatest: [], tvAiringToday: [], tvOnTheAir: [], tvPopular: [German],
  tvTopRated: [],
  seasonInfo: [{...inSeason, ...German}], seasonChanges: [of(season.id)], seasonAccountStates: [inSeason], seasonCredits: [inSeason],
  seasonAggregateCredits: [inSeason], seasonExternalIds: [inSeason], seasonImages: [inSeason], seasonVideos: [inSeason],
  episodeInfo: [{...inEpisode, ...German}], episodeChanges: [of(episode.id)], episodeAccountStates: [inEpisode],
  episodeCredits: [inEpisode], episodeExternalIds: [inEpisode], episodeImages: [inEpisode], episodeTranslations: [inEpisode],
  episodeVideos: [inEpisode],
  personInfo: [of(person.id, {...German, append_to_response: 'tv_credits,movie_credits,images,external_ids'})],
  personChanges: [of(person.id)], personMovieCredits: [of(person.id)], personTvCredits: [of(person.id)],
  personCombinedCredits: [of(person.id)], personExternalIds: [of(person.id)], personImages: [of(person.id)],
  personTaggedImages: [of(person.id)], personTranslations: [of(person.id)], personLatest: [], personPopular: [],
  creditInfo: [of(world.credit_id)], listInfo: [of(10)], listStatus: [of(10, {movie_id: film.id})], searchList: [{query: 'a'}],
  keywordInfo: [of(keyword.id)], keywordMovies: [of(keyword.id)], companyInfo: [of(company.id)],
  companyAlternativeNames: [of(company.id)], companyImages: [of(company.id)], networkInfo: [of(network.id)],
  networkAlternativeNames: [of(network.id)], networkImages: [of(network.id)], review: [of(review.id)],
  episodeGroup: [of('5acf93e60e0a26346d0000ce')], changedMovies: [], changedTvs: [], changedPeople: [],
  accountInfo: [], accountLists: [of(1)], accountFavoriteMovies: [of(1)], accountFavoriteTv: [of(1)], accountRatedMovies: [of(1)],
  accountRatedTv: [of(1)], accountRatedTvEpisodes: [of(1)], accountMovieWatchlist: [of(1)], accountTvWatchlist: [of(1)],
  requestToken: [],
};

// None of its read methods is forgotten.
const writes = /Update$|Delete$|^create|^remove|^clear|^delete|^retrieveSession$/;
const inner = ['constructor', 'getEndpoint', 'normalizeParams', 'getParams', 'makeRequest', 'parseSearchParams'];
const reads = Object.getOwnPropertyNames(MovieDb.prototype).filter((m) => !writes.test(m) && !inner.includes(m));
await ask('every method has a question', async () => same(reads.filter((m) => !questions[m]), [], 'methods without a question'));

const unlike = {seasonChanges: `tv/season/${season.id}/changes`, episodeChanges: `tv/episode/${episode.id}/changes`};
for (const [method, parameters] of Object.entries(questions)) await ask(method, () => tmdb[method](...parameters));

await askPages('moviePopular', (page) => tmdb.moviePopular({page}));
await askPages('discoverTv', (page) => tmdb.discoverTv({page, sort_by: 'first_air_date.desc'}));
await askPages('personPopular', (page) => tmdb.personPopular({page}));
await askPages('searchMovie', (page) => tmdb.searchMovie({query: 'the', page}));

await ask('a film by its number, in English', () => tmdb.movieInfo(film.id));
await ask('a film by its id at IMDb', () => tmdb.movieInfo({id: film.imdb_id}));
await ask('what a German Jellyfin appends', () => tmdb.movieInfo(of(film.id, {...German, append_to_response: 'credits,releases,images,videos,keywords', include_image_language: 'de,null,en'})), (m) => {
  same(Object.keys(m).slice(-5), ['credits', 'releases', 'images', 'videos', 'keywords'], 'the last members');
  same(m.credits.cast.map((c) => c.name), film.cast, 'cast');
  expect(m.releases.countries.some((c) => c.certification), 'no certification');
  expect(m.images.posters.some((p) => p.iso_639_1 === 'de'), 'no German poster');
  expect(m.images.posters.every((p) => ['de', 'en', null].includes(p.iso_639_1)), 'a poster in another language');
});
await ask('pages that are empty but there', () => tmdb.movieInfo(of(film.id, {append_to_response: 'recommendations,similar,lists,reviews'})), (m) => {
  for (const name of ['recommendations', 'similar', 'lists', 'reviews']) expect(Array.isArray(m[name].results) && m[name].page === 1, `${name} is not a page`);
});
await ask('seasons that are appended', () => tmdb.tvInfo(of(show.id, {...German, append_to_response: `season/${season.number},season/999,season/${season.number}/credits`})), (s) => {
  same(s[`season/${season.number}`].episodes.length, season.episodes, 'episodes of an appended season');
  same(s[`season/${season.number}`].episodes[0].name, season.de.episode, 'German name of an episode');
  expect(!('season/999' in s), 'a season that is not there was appended');
  same(s[`season/${season.number}/credits`].cast.map((c) => c.name), season.cast, 'cast of an appended season');
});
const everything = 'credits,images,release_dates,content_ratings,external_ids,movie_credits,tv_credits,keywords,reviews,videos,watch/providers';
await ask("TMDb Helper's list on a film", () => tmdb.movieInfo(of(film.id, {append_to_response: everything})), (m) => {
  for (const name of ['content_ratings', 'movie_credits', 'tv_credits']) expect(!(name in m), `${name} is in a film`);
  for (const name of ['credits', 'release_dates', 'watch/providers']) expect(name in m, `${name} is missing`);
});
await ask("TMDb Helper's list on a show", () => tmdb.tvInfo(of(show.id, {append_to_response: everything})), (s) => expect('content_ratings' in s && !('release_dates' in s), 'the wrong members'));
await ask("TMDb Helper's list on a person", () => tmdb.personInfo(of(person.id, {append_to_response: everything})), (p) => same(p.movie_credits.cast.length, person.films.length, 'films'));
await ask("Seerr's list on a show", () => tmdb.tvInfo(of(show.id, {...German, append_to_response: 'aggregate_credits,credits,external_ids,keywords,videos,content_ratings,watch/providers'})), (s) => expect(s.credits.cast.length > 0 && s.aggregate_credits.cast.length > 0, 'no cast'));
await ask('twenty names', () => tmdb.movieInfo(of(film.id, {append_to_response: Array(20).fill('credits').join()})));
await ask('a show by its id at TVDB', () => tmdb.find({id: show.tvdb_id, external_source: 'tvdb_id', ...German}), (f) => same(f.tv_results[0].name, show.de.name, 'German name'));
await ask('a person by an id at IMDb', () => tmdb.find({id: person.imdb_id, external_source: 'imdb_id'}));
await ask('search for a German title', () => tmdb.searchMovie({query: film.de.title, ...German}), (p) => same(p.results.find((r) => r.id === film.id).title, film.de.title, 'title'));
await ask('search, the first is the one', () => tmdb.searchMovie({query: film.title}), (p) => same(p.results[0].title, film.title, 'title of the first row'));
await ask('the cast of what a genre has', () => tmdb.discoverMovie({with_genres: film.genres.join(), sort_by: 'vote_count.desc', include_adult: false}), (p) => {
  expect(p.results.length > 0, 'no rows');
  expect(p.results.every((row) => film.genres.every((g) => row.genre_ids.includes(g))), 'a row without the genres');
  same(p.results.map((r) => r.vote_count), p.results.map((r) => r.vote_count).sort((a, b) => b - a), 'vote_count of the rows');
});
await ask('genres with "or" are more', async () => {
  const and = await tmdb.discoverMovie({with_genres: film.genres.join(',')});
  const or = await tmdb.discoverMovie({with_genres: film.genres.join('|')});
  expect(or.total_results >= and.total_results && and.total_results > 0, `${and.total_results} with all, ${or.total_results} with any`);
  return or;
});
// A release type alone changes nothing.
await ask('a release type alone', async () => {
  const typed = await tmdb.discoverMovie({with_release_type: '2|3'});
  same(typed.total_results, world.listed.movie, 'total_results');
  return typed;
});
await ask('thirty at once', async () => {
  const all = await Promise.all(Array.from({length: 30}, (_, i) => tmdb.trending({media_type: ['movie', 'tv', 'person'][i % 3], time_window: 'week'})));
  expect(all.every((page) => page.results.length > 0), 'an empty page');
  return all.at(-1);
});
const isRefused = async (name, question, status, code) => ask(name, async () => {
  const error = await question().then(() => undefined, (e) => e);
  same([error?.response?.status, error?.response?.data?.status_code], [status, code], 'HTTP status and status_code');
  requests.length = 0;
});
await isRefused('21 names', () => tmdb.movieInfo(of(film.id, {append_to_response: Array.from({length: 21}, (_, i) => `season/${i}`).join()})), 400, 27);
await isRefused('page 501', () => tmdb.moviePopular({page: 501}), 400, 22);
await isRefused('a film that never was', () => tmdb.movieInfo(999999999), 404, 34);
await isRefused('an unknown path', () => tmdb.searchList({query: 'a'}), 404, 34);
end('moviedb-promise');
