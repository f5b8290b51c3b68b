// SPDX-License-Identifier: MIT
// npm run estimate -- [--rate=40] [--concurrency=5] [--memory=256] [--arm=true] [--alerts=false] [--stage=dev]
// What it costs; what no flag names is taken from .env.
import { createRequire } from 'node:module';
import { describe, estimate } from './cost.mjs';
import { begin, Missing, run } from './stage.mjs';

const settings = createRequire(import.meta.url)('./settings.js');

run('estimate', () => {
  const { env, flags } = begin(process.argv.slice(2), ['rate', 'concurrency', 'memory', 'arm', 'alerts']);
  if (flags.rate) env.RATE_LIMIT_REQUESTS = flags.rate;
  if (flags.concurrency) env.COLLECTOR_CONCURRENCY = flags.concurrency;
  try {
    const rate = settings.rate(env);
    console.log(describe(estimate({
      rate,
      concurrency: settings.concurrency(env),
      memory: flags.memory && settings.number({ '--memory': flags.memory }, '--memory', 256, { least: 128, most: 10240 }),
      arm: flags.arm === 'true',
      alerts: flags.alerts !== 'false',
    })));
  } catch (error) {
    throw new Missing(error.message);
  }
});
