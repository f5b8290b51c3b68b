// SPDX-License-Identifier: MIT
// What the drivers of the JavaScript clients share: the mirror's address, what must be found in it (expected.py), what
// is true of every answer to a path (judge), and the count of questions.
import fs from 'node:fs';
import path from 'node:path';

export const base = process.env.MIRROR_URL;
export const world = JSON.parse(fs.readFileSync(process.env.MIRROR_WORLD, 'utf8'));
export const key = '0123456789abcdef0123456789abcdef';
const notServed = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'not_served.json'), 'utf8'));

const {film, show, season, episode, person, collection, of_set: ofSet, company, network, keyword, review, listed} = world;
const S = `tv/${show.id}/season/${season.number}`;
const E = `${S}/episode/${episode.number}`;

class Complaint extends Error {}
export function expect(holds, words) {
  if (!holds) throw new Complaint(words);
}
export function same(got, wanted, what) {
  expect(JSON.stringify(got) === JSON.stringify(wanted), `${what} is ${JSON.stringify(got)?.slice(0, 200)}, not ${JSON.stringify(wanted)?.slice(0, 200)}`);
}
const some = (list, what) => expect(Array.isArray(list) && list.length > 0, `${what} is empty or no list`);
const names = (list) => list.map((one) => one.name);
const ids = (list) => list.map((one) => one.id);
const isGerman = (query) => /^de\b/i.test(query.get('language') ?? '');

function judgePage(body, query, most) {
  same(body.page, Number(query.get('page') || 1), 'page');
  expect(Array.isArray(body.results) && body.results.length <= most, `results is not a list of at most ${most}`);
  expect(Number.isInteger(body.total_pages) && Number.isInteger(body.total_results), 'totals are no integers');
  expect(body.total_results >= body.results.length, 'total_results is less than what is there');
  if (body.page < body.total_pages) same(body.results.length, most, 'rows of a page that is not the last');
}
function judgeMovie(body, query) {
  same(body.id, film.id, 'id');
  same(body.title, isGerman(query) ? film.de.title : film.title, 'title');
  same(body.overview, isGerman(query) ? film.de.overview : film.overview, 'overview');
  if (isGerman(query)) same(body.poster_path, film.de.poster_path, 'poster_path');
  same(body.original_title, film.original_title, 'original_title');
  same(body.imdb_id, film.imdb_id, 'imdb_id');
  same(ids(body.genres), film.genres, 'genres');
}
function judgeCredits(body) {
  same(names(body.cast), film.cast, 'cast');
  same(names(body.crew), film.crew, 'crew');
}
function judgeShow(body, query) {
  same(body.id, show.id, 'id');
  same(body.name, isGerman(query) ? show.de.name : show.name, 'name');
  if (isGerman(query)) same(body.overview, show.de.overview, 'overview');
  same(body.seasons.map((s) => s.season_number), show.seasons, 'season numbers');
}
function judgeSeason(body, query) {
  same(body.id, season.id, 'id');
  same(body.season_number, season.number, 'season_number');
  same(body.episodes.length, season.episodes, 'number of episodes');
  same(body.name, isGerman(query) ? season.de.name : season.name, 'name');
  same(body.episodes[0].name, isGerman(query) ? season.de.episode : episode.name, 'name of the first episode');
}
function judgeEpisode(body, query) {
  same(body.id, episode.id, 'id');
  same(body.name, isGerman(query) ? season.de.episode : episode.name, 'name');
  same(names(body.guest_stars), episode.guest_stars, 'guest_stars');
}
function judgePerson(body, query) {
  same(body.id, person.id, 'id');
  same(body.name, person.name, 'name');
  same(body.biography, isGerman(query) ? person.de.biography : person.biography, 'biography');
}
// A list that shows every film or show.
const all = (kind) => (body, query) => {
  if (query.get('region')) expect(body.total_results <= listed[kind], 'more than there are');
  else same(body.total_results, listed[kind], 'total_results');
  const numbers = body.results.map((row) => row.popularity);
  same(numbers, [...numbers].sort((a, b) => b - a), 'popularity of the rows');
  expect(body.results.every((row) => row.adult === false), 'a row is for adults');
  if (isGerman(query)) {
    const row = body.results.find((one) => one.id === film.id);
    if (kind === 'movie' && row) same(row.title, film.de.title, 'title of a row');
  }
};
const finds = (id, of) => (body) => expect(of(body).some((row) => row.id === id), `${id} is not among the rows ${JSON.stringify(ids(of(body)))}`);
const rows = (body) => body.results;

// What must hold of each answer, by its path. The first that fits counts; judgePage comes before it where the answer has
// pages. A path without a row here is a fault of this table.
const rules = [
  ['configuration', (b) => expect(b.images.secure_base_url.startsWith('https://'), 'no images.secure_base_url')],
  ['configuration/*', (b) => some(b, 'the list')],
  ['genre/*/list', (b) => some(b.genres, 'genres')],
  ['certification/*/list', (b) => some(b.certifications.DE, 'certifications.DE')],
  ['watch/providers/*', (b) => some(b.results, 'results')],
  ['movie/latest', (b) => expect(b.id > 0 && b.title, 'no film')],
  ['tv/latest', (b) => expect(b.id > 0 && b.name, 'no show')],
  ['person/latest', (b) => expect(b.id > 0 && b.name, 'no person')],
  ['movie/popular', all('movie')],
  ['tv/popular', all('tv')],
  ['person/popular', all('person')],
  ['movie/now_playing', (b) => expect(b.dates.minimum < b.dates.maximum, 'no dates')],
  ['movie/upcoming', (b) => expect(b.dates.minimum < b.dates.maximum, 'no dates')],
  ['movie/top_rated', (b) => same(b.results.map((r) => r.vote_average), b.results.map((r) => r.vote_average).sort((x, y) => y - x), 'vote_average of the rows')],
  ['tv/top_rated', (b) => same(b.results.map((r) => r.vote_average), b.results.map((r) => r.vote_average).sort((x, y) => y - x), 'vote_average of the rows')],
  ['tv/airing_today', () => {}],
  ['tv/on_the_air', () => {}],
  ['*/changes', (b) => expect(b.results.every((row) => row.id > 0), 'a row without id')],
  ['*/*/changes', (b) => same(b.changes, [], 'changes')],
  ['trending/all/*', (b) => expect(b.results.every((r) => ['movie', 'tv', 'person'].includes(r.media_type)), 'a row without media_type')],
  ['trending/*/*', (b) => some(b.results, 'results')],
  ['discover/movie', (b, q) => (isPlain(q) ? all('movie')(b, q) : expect(b.total_results <= listed.movie, 'more than all films'))],
  ['discover/tv', (b, q) => (isPlain(q) ? all('tv')(b, q) : expect(b.total_results <= listed.tv, 'more than all shows'))],
  ['search/movie', (b, q) => (q.get('query') === 'qqqxyzzy' ? same([b.total_results, b.total_pages], [0, 1], 'totals of nothing') : finds(film.id, rows)(b))],
  ['search/tv', finds(show.id, rows)],
  ['search/person', finds(person.id, rows)],
  ['search/multi', (b) => { finds(film.id, rows)(b); expect(b.results.every((r) => r.media_type), 'a row without media_type'); }],
  ['search/collection', finds(collection.id, rows)],
  ['search/company', finds(company.id, rows)],
  ['search/keyword', finds(keyword.id, rows)],
  [`find/${film.imdb_id}`, (b, q) => {
    same(ids(b.movie_results), [film.id], 'movie_results');
    same(b.movie_results[0].title, isGerman(q) ? film.de.title : film.title, 'title');
    same(Object.keys(b).sort(), ['movie_results', 'person_results', 'tv_episode_results', 'tv_results', 'tv_season_results'], 'the lists');
  }],
  [`find/${show.tvdb_id}`, (b) => same(ids(b.tv_results), [show.id], 'tv_results')],
  [`find/${person.imdb_id}`, (b) => same(ids(b.person_results), [person.id], 'person_results')],
  [`collection/${collection.id}`, (b, q) => {
    same(b.name, isGerman(q) ? collection.de.name : collection.name, 'name');
    same(ids(b.parts), collection.parts, 'parts');
  }],
  [`collection/${collection.id}/images`, (b) => some(b.posters, 'posters')],
  [`collection/${collection.id}/translations`, (b) => some(b.translations, 'translations')],
  [`company/${company.id}`, (b) => same(b.name, company.name, 'name')],
  [`company/${company.id}/images`, (b) => some(b.logos, 'logos')],
  [`company/${company.id}/alternative_names`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`company/${company.id}/movies`, finds(film.id, rows)],
  [`network/${network.id}`, (b) => same(b.name, network.name, 'name')],
  [`network/${network.id}/images`, (b) => some(b.logos, 'logos')],
  [`network/${network.id}/alternative_names`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`keyword/${keyword.id}`, (b) => same(b, keyword, 'the keyword')],
  [`keyword/${keyword.id}/movies`, (b) => {
    same(b.total_results, world.keyword_films.length, 'total_results');
    expect(b.results.every((row) => world.keyword_films.includes(row.id)), 'a film without the keyword');
  }],
  [`review/${review.id}`, (b) => { same(b.author, review.author, 'author'); same(b.media_id, review.film, 'media_id'); }],
  [`movie/${film.id}`, judgeMovie],
  [`movie/${film.imdb_id}`, judgeMovie],
  [`movie/${ofSet.id}`, (b) => same(b.belongs_to_collection.id, ofSet.collection, 'belongs_to_collection')],
  [`movie/${film.id}/alternative_titles`, (b) => expect(Array.isArray(b.titles), 'no titles')],
  [`movie/${film.id}/credits`, judgeCredits],
  [`movie/${film.id}/casts`, judgeCredits],
  [`movie/${film.id}/external_ids`, (b) => same(b.imdb_id, film.imdb_id, 'imdb_id')],
  [`movie/${film.id}/images`, (b, q) => {
    const language = q.get('language')?.slice(0, 2).toLowerCase();
    const wanted = q.get('include_image_language')?.split(',').map((l) => l.trim().slice(0, 4));
    const shown = wanted ? new Set([...wanted, ...(language ? [language] : [])]) : language ? new Set([language]) : undefined;
    same(b.posters.length, film.posters.filter((p) => !shown || shown.has(p ?? 'null')).length, 'number of posters');
  }],
  [`movie/${film.id}/keywords`, (b) => same(names(b.keywords), film.keywords, 'keywords')],
  [`movie/${film.id}/release_dates`, (b) => expect(b.results.find((c) => c.iso_3166_1 === 'DE').release_dates.some((d) => d.certification === film.certification_de), 'no German certification')],
  [`movie/${film.id}/releases`, (b) => expect(b.countries.some((c) => c.iso_3166_1 === 'DE' && c.certification === film.certification_de), 'no German certification')],
  [`movie/${film.id}/trailers`, (b) => same(b.youtube.map((t) => t.source), film.trailers, 'trailers')],
  [`movie/${film.id}/videos`, (b, q) => { if (!isGerman(q)) film.trailers.forEach((t) => expect(b.results.some((v) => v.key === t), `no trailer ${t}`)); }],
  [`movie/${film.id}/translations`, (b) => same(b.translations.length, film.translations, 'number of translations')],
  [`movie/${film.id}/watch/providers`, (b) => same(Object.keys(b.results).sort(), film.providers, 'countries')],
  ['movie/*/reviews', (b) => expect(Array.isArray(b.results), 'no results')],
  [`movie/${film.id}/*`, (b) => expect(Array.isArray(b.results), 'no results')],  // lists, similar, recommendations..
  [`tv/${show.id}`, judgeShow],
  [`tv/${show.id}/aggregate_credits`, (b) => same(names(b.cast), show.cast, 'cast')],
  [`tv/${show.id}/alternative_titles`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`tv/${show.id}/content_ratings`, (b) => some(b.results, 'results')],
  [`tv/${show.id}/credits`, (b) => some(b.cast, 'cast')],
  [`tv/${show.id}/external_ids`, (b) => same(b.tvdb_id, show.tvdb_id, 'tvdb_id')],
  [`tv/${show.id}/images`, (b) => some(b.posters, 'posters')],
  [`tv/${show.id}/keywords`, (b) => some(b.results, 'results')],
  [`tv/${show.id}/translations`, (b) => some(b.translations, 'translations')],
  [`tv/${show.id}/watch/providers`, (b) => expect(typeof b.results === 'object', 'no results')],
  [`tv/${show.id}/*`, (b) => expect(Array.isArray(b.results), 'no results')],
  [S, judgeSeason],
  [`${S}/credits`, (b) => same(names(b.cast), season.cast, 'cast')],
  [`${S}/aggregate_credits`, (b) => some(b.cast, 'cast')],
  [`${S}/external_ids`, (b) => same(b.tvdb_id, season.id * 2, 'tvdb_id')],
  [`${S}/images`, (b) => expect(Array.isArray(b.posters), 'no posters')],
  [`${S}/translations`, (b) => some(b.translations, 'translations')],
  [`${S}/videos`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`${S}/watch/providers`, (b) => expect(typeof b.results === 'object', 'no results')],
  [`tv/${show.id}/season/*`, (b) => some(b.episodes, 'episodes')],
  [E, judgeEpisode],
  [`${E}/credits`, (b) => { same(names(b.cast), season.cast, 'cast'); same(names(b.guest_stars), episode.guest_stars, 'guest_stars'); }],
  [`${E}/external_ids`, (b) => expect('imdb_id' in b, 'no imdb_id')],
  [`${E}/images`, (b) => expect(Array.isArray(b.stills), 'no stills')],
  [`${E}/translations`, (b) => expect(Array.isArray(b.translations), 'no translations')],
  [`${E}/videos`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`person/${person.id}`, judgePerson],
  [`person/${person.id}/movie_credits`, (b) => same(ids(b.cast).sort((x, y) => x - y), person.films, 'films')],
  [`person/${person.id}/tv_credits`, (b) => same(ids(b.cast).sort((x, y) => x - y), person.shows, 'shows')],
  [`person/${person.id}/combined_credits`, (b) => same(b.cast.length, person.films.length + person.shows.length, 'number of credits')],
  [`person/${person.id}/external_ids`, (b) => expect('imdb_id' in b, 'no imdb_id')],
  [`person/${person.id}/images`, (b) => some(b.profiles, 'profiles')],
  [`person/${person.id}/tagged_images`, (b) => expect(Array.isArray(b.results), 'no results')],
  [`person/${person.id}/translations`, (b) => some(b.translations, 'translations')],
  ['authentication', (b) => same(b.success, true, 'success')],
  ['authentication/token/new', (b) => { expect(/^[0-9a-f]{40}$/.test(b.request_token), 'no request_token'); expect(Date.parse(b.expires_at) > 0, 'expires_at is not a time'); }],
];
const plain = {include_adult: 'false', include_video: 'false', include_null_first_air_dates: 'false', sort_by: 'popularity.desc'};
const isPlain = (query) => [...query].every(([name, value]) => ['api_key', 'language', 'page', 'watch_region'].includes(name) || plain[name] === value.toLowerCase() || value === '');

function fits(pattern, path) {
  const wanted = pattern.split('/');
  const parts = path.split('/');
  if (wanted.at(-1) === '**') return parts.length >= wanted.length && wanted.slice(0, -1).every((w, i) => w === '*' || w === parts[i]);
  return wanted.length === parts.length && wanted.every((w, i) => w === '*' || w === parts[i]);
}

// Throws when the answer to that URL is not what it must be. `body` is what the client gave or the JSON itself.
export function judge(url, body) {
  const {pathname, searchParams: query} = new URL(url, base);
  const path = pathname.replace(/^\/3\//, '');
  const rule = rules.find(([pattern]) => fits(pattern, path));
  expect(rule, `mirror.mjs has no rule for ${path}`);
  if (!path.startsWith('authentication')) expect(!('success' in body) && !('errors' in body), 'it looks like a failure to some clients');
  const whole = !/^(watch|certification|genre)\//.test(path) && 'page' in body && 'total_pages' in body;
  if (whole && !path.endsWith('tagged_images')) judgePage(body, query, path.endsWith('/changes') ? 100 : 20);
  // Of a set of pages beside it: what was appended has no id.
  rule[1](body, query);
  for (const name of (query.get('append_to_response') ?? '').split(',').filter(Boolean)) {
    const part = body[name];
    if (name === 'account_states') continue;
    if (part !== undefined) expect(!('id' in part), `${name} has an id although it is appended`);
  }
}

// The requests a client made, in order: {url, status}.
export const requests = [];
export const last = () => requests.at(-1);

// Notes what a client asks through fetch(), and what it gets.
export function noteFetch(fetchIt) {
  return async (...of) => {
    const answer = await fetchIt(...of);
    requests.push({url: String(of[0]), status: answer.status, body: await answer.clone().json()});
    return answer;
  };
}

const failures = [];
let asked = 0;
let refused = 0;
// Asks one question. `look(answer)` may say more than judge() does.
export async function ask(name, question, look) {
  asked += 1;
  const before = requests.length;
  try {
    const answer = await question();
    if (requests.length > before) judge(last().url, answer);
    await look?.(answer);
  } catch (error) {
    const {url, status} = last() ?? {};
    const path = url && new URL(url, base).pathname;
    const known = requests.length > before && !(error instanceof Complaint) && notServed.find((row) => fits(row.path, path) && row.status === status);
    if (known) {
      refused += 1;
      return;
    }
    failures.push(`${name}: ${error instanceof Complaint ? '' : `${status ?? ''} `}${error.message ?? JSON.stringify(error)} (${url})`);
  }
}
// Asks every page of a list: the totals agree, no row comes twice, and all are there.
export async function askPages(name, page) {
  await ask(`${name}, all pages`, () => page(1), async (first) => {
    const seen = new Set();
    for (let n = 1; n <= first.total_pages; ++n) {
      const one = await page(n);
      same([one.page, one.total_pages, one.total_results], [n, first.total_pages, first.total_results], `page, total_pages, total_results of page ${n}`);
      for (const row of one.results) seen.add(row.id);
    }
    same(seen.size, first.total_results, 'number of different rows on all pages');
    const beyond = await page(first.total_pages + 1);
    same([beyond.results.length, beyond.total_results], [0, first.total_results], 'rows and total_results behind the last page');
  });
}
// Prints the count and ends the process.
export function end(client) {
  for (const failure of failures) console.log(`FAILED ${failure}`);
  console.log(`${client}: ${asked} questions, ${refused} not served by design, ${failures.length} failed`);
  process.exit(failures.length > 0 || asked === refused ? 1 : 0);
}
