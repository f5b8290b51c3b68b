// SPDX-License-Identifier: MIT
// Who hears of an alarm, and from what on.
'use strict';

const email = process.env.ALERT_EMAIL?.trim();
if (email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)) throw new Error(`ALERT_EMAIL is '${email}': use one address`);

module.exports = {
  subscription: email ? [{ Protocol: 'email', Endpoint: email }] : [],
  throttledPercent: 1, // of an hour's answers that were 429
  oldestMessageSeconds: 6 * 3600,
  oldestVerifiedDays: 150, // TMDB's terms end at six months
};
