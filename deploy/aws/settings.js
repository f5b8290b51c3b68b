// SPDX-License-Identifier: MIT
// What .env says, as the files of the deployment need it. The names, bounds and defaults are the program's
// (docs/configuration.md); the functions check them once more when they start.
'use strict';

// The number in setting `name`, or `fallback` when it is not set.
function number(env, name, fallback, { least, most, whole = true }) {
  const text = env[name]?.trim() || String(fallback);
  const value = Number(text);
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value)) || value < least || value > most) {
    throw new Error(`${name} is '${text}': use a ${whole ? 'whole ' : ''}number from ${least} to ${most}`);
  }
  return value;
}

// Slower than that a day of the change feed may take longer than a function lives, and nothing would ever be done.
const rate = (env) => number(env, 'RATE_LIMIT_REQUESTS', 3, { least: 0.5, most: 1000, whole: false });
const concurrency = (env) => number(env, 'COLLECTOR_CONCURRENCY', 5, { least: 1, most: 1000 });

// The expression of the collection's rule.
function schedule(env) {
  const own = env.COLLECTION_SCHEDULE?.trim();
  if (own) {
    const zone = env.COLLECTION_TIMEZONE?.trim() || 'UTC';
    if (zone !== 'UTC') throw new Error(`COLLECTION_TIMEZONE is '${zone}': on AWS rules know UTC alone`);
    if (!/^(rate|cron)\(.+\)$/.test(own)) {
      throw new Error(`COLLECTION_SCHEDULE is '${own}': on AWS use rate(...) or cron(...)`);
    }
    return own;
  }
  const minutes = number(env, 'COLLECTION_INTERVAL', 1440, { least: 1, most: 525600 });
  return `rate(${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
}

// The name of the bucket. S3's rules for names, and one of ours: a dot in it breaks the bucket's TLS name.
function bucket(env) {
  const name = env.S3_BUCKET_NAME?.trim();
  if (!name) throw new Error('S3_BUCKET_NAME is not set: name the bucket to make in .env');
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name) || /^(xn--|sthree-|amzn-s3-demo-)/.test(name) ||
      /(-s3alias|--ol-s3|--x-s3|--table-s3)$/.test(name)) {
    throw new Error(`S3_BUCKET_NAME is '${name}': use 3 to 63 of a-z, 0-9 and -, no dot, - neither first nor last, ` +
      'and none of the beginnings and endings that S3 keeps for itself');
  }
  return name;
}

// Names that both functions get as they stand in .env, and those that the harvester alone gets.
const forBoth = ['TMDB_API_BASE_URL', 'TMDB_EXPORT_BASE_URL', 'MOVIE_APPEND_TO_RESPONSE', 'TV_APPEND_TO_RESPONSE',
  'PERSON_APPEND_TO_RESPONSE', 'COLLECTION_APPEND_TO_RESPONSE', 'COMPANY_APPEND_TO_RESPONSE',
  'NETWORK_APPEND_TO_RESPONSE', 'SEASON_APPEND_TO_RESPONSE', 'LANGUAGES'];
const forHarvester = ['MEDIA_TYPES', 'INCLUDE_ADULT', 'RATE_LIMIT_REQUESTS', 'COLLECTOR_CONCURRENCY',
  'COLLECTION_INTERVAL'];

// Those of `names` that are set. TMDB_API_KEY is never among them: it travels as a parameter (key.js).
function chosen(env, names) {
  return Object.fromEntries(names.filter((name) => env[name]?.trim()).map((name) => [name, env[name].trim()]));
}

module.exports = { bucket, chosen, concurrency, forBoth, forHarvester, number, rate, schedule };
