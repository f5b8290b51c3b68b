// SPDX-License-Identifier: MIT
// The harvester function: owns the catalog, harvests, hands out messages, takes bundles in.
'use strict';
const { chosen, concurrency, forBoth, forHarvester, rate, schedule } = require('./deploy/aws/settings.js');

// A bad value stops the deploy.
rate(process.env);
concurrency(process.env);
module.exports = {
  memorySize: 1769, // MB; one whole core
  timeout: 900, // s; all that Lambda gives
  ephemeralStorageSize: 4096, // MB; the catalog (0.7 GB), its log, two exports, open segments
  schedule: schedule(process.env), // when it harvests: COLLECTION_SCHEDULE or COLLECTION_INTERVAL
  heartbeat: 'rate(5 minutes)', // when it looks for bundles
  environment: {
    ...chosen(process.env, [...forBoth, ...forHarvester]),
    IDS_QUEUE_URL: { Ref: 'IdsQueue' },
    DEAD_LETTERS_QUEUE_URL: { Ref: 'DeadLetters' },
  },
};
