// SPDX-License-Identifier: MIT
// npm's moviedb 0.2, the first of all: callbacks, a token before the first answer, and the old names of paths.
import {createRequire} from 'node:module';
import {ask, base, end, expect, key, requests, same, world} from './mirror.mjs';

const require = createRequire(`${process.env.CLIENTS_NODE}/`);
const tmdb = require('moviedb')(key, `${base}/3/`);
const endpoints = require('moviedb/lib/endpoints.json');
const {film, show, season, episode, person, collection, company, keyword} = world;

// A read call: its answer, or an error with the status.
const call = (name, parameters) => () => new Promise((resolve, reject) => {
  tmdb[name](parameters, (error, body, answer) => {
    const url = answer?.request?.url ?? error?.response?.request?.url ?? error?.response?.req?.path;
    if (url || error?.status) requests.push({url: url ?? parameters.url, status: error?.status ?? answer?.status});
    error ? reject(error) : resolve(body);
  });
});

// A question for each of its GET paths: what takes the place of :id.
const ids = [[/^find/, film.imdb_id], [/^movie/, film.id], [/^tv/, show.id], [/^person/, person.id], [/^collection/, collection.id],
  [/^company/, company.id], [/^keyword/, keyword.id], [/^genre/, film.genres[0]], [/^review/, world.review.id], [/^credit/, world.credit_id]];
const searched = {movie: film.title, tv: show.name, person: person.name, collection: collection.name, keyword: keyword.name, company: company.name, multi: film.title, list: 'a'};
for (const [group, methods] of Object.entries(endpoints.methods)) {
  for (const [name, {method, resource}] of Object.entries(methods)) {
    if (method !== 'get') continue;
    const parameters = {id: ids.find(([pattern]) => pattern.test(resource))?.[1] ?? 1, season_number: season.number, episode_number: episode.number};
    if (resource.startsWith('find')) parameters.external_source = 'imdb_id';
    if (resource.startsWith('search')) parameters.query = searched[resource.split('/')[1]];
    await ask(`${group}${name} ${resource}`, call(group + name, parameters));
  }
}
await ask('in German', call('movieInfo', {id: film.id, language: 'de'}), (m) => same(m.title, film.de.title, 'title'));
await ask('unchanged', async () => {
  const etag = await new Promise((resolve) => tmdb.movieInfo({id: film.id}, (error, body, answer) => resolve(answer.headers.etag)));
  expect(etag, 'no ETag');
  const error = await new Promise((resolve) => tmdb.movieInfo({id: film.id, ifNoneMatch: etag}, resolve));
  same(error.status, 304, 'status with If-None-Match');
});
end('moviedb');
