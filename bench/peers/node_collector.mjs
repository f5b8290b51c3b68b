#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// A peer for the benchmark: the same job in Node without dependencies. Reads the export, fetches each movie with everything
// appended over 20 kept-alive connections, parses the JSON, checks the id, keeps a gzip file a record.
import http from 'node:http';
import fs from 'node:fs/promises';
import zlib from 'node:zlib';
import { promisify } from 'node:util';

const gunzip = promisify(zlib.gunzip), gzip = promisify(zlib.gzip);
const APPENDS = 'alternative_titles,credits,external_ids,images,keywords,release_dates,reviews,translations,videos,watch/providers';
const [api, exportUrl, out] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });

function get(url) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent, headers: { 'Accept-Encoding': 'gzip' } }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode, encoding: response.headers['content-encoding'], body: Buffer.concat(chunks) }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

await fs.mkdir(out, { recursive: true });
const lines = (await gunzip((await get(exportUrl)).body)).toString().trimEnd().split('\n');
const ids = lines.map(line => JSON.parse(line)).sort((a, b) => b.popularity - a.popularity).map(row => row.id);
let next = 0, stored = 0;
await Promise.all(Array.from({ length: 20 }, async () => {
  while (next < ids.length) {
    const id = ids[next++];
    const answer = await get(`${api}/movie/${id}?append_to_response=${APPENDS}&api_key=0123456789abcdef0123456789abcdef`);
    if (answer.status === 404) continue;
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
    const body = answer.encoding === 'gzip' ? await gunzip(answer.body) : answer.body;
    if (JSON.parse(body).id !== id) throw new Error(`asked for ${id}`);
    await fs.writeFile(`${out}/${id}.json.gz`, await gzip(body));
    stored++;
  }
}));
console.log(stored);
agent.destroy();
