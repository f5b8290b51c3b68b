// SPDX-License-Identifier: MIT
// The bucket.
'use strict';
const { bucket } = require('./deploy/aws/settings.js');

module.exports = {
  bucket: bucket(process.env),
  // Days that a replaced or removed object can be brought back. At most 7: TMDB's six months hold for them too.
  keepOldVersionsForDays: 7,
  logRetentionInDays: 30,
};
