// SPDX-License-Identifier: MIT
// npm run setup-alerts -- [--stage=dev] [--dashboard=true]: alarms that mail to ALERT_EMAIL.
import { createRequire } from 'node:module';
import { price, free } from './cost.mjs';
import { deployed } from './preflight.mjs';
import { begin, Missing, osls, root, run } from './stage.mjs';

run('setup-alerts', async () => {
  const stage = begin(process.argv.slice(2), ['dashboard']);
  const { flags } = stage;
  if (flags.dashboard && !['true', 'false'].includes(flags.dashboard)) {
    throw new Missing(`--dashboard is '${flags.dashboard}': use true or false`);
  }
  let config;
  try {
    config = createRequire(import.meta.url)(`${root}/alerts.config.js`);
  } catch (error) {
    throw new Missing(error.message);
  }
  await deployed(stage);
  const [to] = config.subscription;
  console.log(to ? `Mails go to ${to.Endpoint}, once that address has confirmed the mail that AWS sends it now.` :
    'ALERT_EMAIL is not set: the alarms will show in CloudWatch, and nobody is told.');
  console.log(`$${(4 * price.metric + 8 * price.alarm).toFixed(2)} a month by list price, nothing within the ` +
    `${free.metrics} metrics and ${free.alarms} alarms that AWS gives an account.`);
  osls('deploy', 'alerts.yml', stage);
  if (flags.dashboard === 'true') osls('deploy', 'dashboard.yml', stage);
});
