// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const require = createRequire(import.meta.url);

// What is budgeted for refreshes goes by the rate and by how often is harvested.
test('the harvester gets the settings that it decides by, the collector those of its requests', () => {
  const given = { S3_BUCKET_NAME: 'a-bucket', TMDB_API_KEY: 'secret', COLLECTION_INTERVAL: '10080', RATE_LIMIT_REQUESTS: '3',
    LANGUAGES: 'de' };
  Object.assign(process.env, given);
  const harvester = require('../../../harvester.config.js').environment;
  const collector = require('../../../collector.config.js').environment;
  assert.equal(harvester.COLLECTION_INTERVAL, '10080');
  assert.equal(harvester.RATE_LIMIT_REQUESTS, '3');
  assert.deepEqual([harvester.LANGUAGES, collector.LANGUAGES], ['de', 'de']);
  assert.equal(collector.RATE_LIMIT_REQUESTS, undefined, 'it travels with the message');
  assert.ok(!('TMDB_API_KEY' in harvester || 'TMDB_API_KEY' in collector));
});
