// SPDX-License-Identifier: MIT
// The collector function: fetches the ids of one message and writes one bundle.
'use strict';
const { chosen, forBoth, rate } = require('./deploy/aws/settings.js');

const timeout = 180; // s; a message is made for about 60 s of work
module.exports = {
  // MB. 256 are 14 % of a core, and 40 requests a second need 2 to 4 %; slow ones pay for waiting, so they take less.
  memorySize: rate(process.env) > 10 ? 256 : 128,
  timeout,
  visibilityTimeout: 6 * timeout, // s; AWS asks for six times the function's timeout
  maxReceiveCount: 4, // then the message is a dead letter; its ids go out again by themselves
  environment: chosen(process.env, forBoth),
};
