// SPDX-License-Identifier: MIT
// npm run deploy -- [--stage=dev] [--debug=true] [--region=us-east-1]
// Checks what it needs, says what it will cost, then makes the bucket and what works on it. A second run brings both up
// to date.
import { createRequire } from 'node:module';
import { describe, estimate } from './cost.mjs';
import { checkBucket, checkCredentials, checkKey, checkKeyShape, checkRegion, checkSettings, checkZip, stackOutputs }
  from './preflight.mjs';
import { begin, Missing, osls, oslsPath, root, run } from './stage.mjs';

const require = createRequire(import.meta.url);

run('deploy', async () => {
  const stage = begin(process.argv.slice(2), ['debug']);
  const { env, flags } = stage;
  if (flags.debug && !['true', 'false'].includes(flags.debug)) {
    throw new Missing(`--debug is '${flags.debug}': use true or false`);
  }
  oslsPath();
  checkSettings(stage);
  checkKeyShape(stage);
  checkRegion(stage);
  checkZip(stage);
  const account = await checkCredentials(stage);
  await checkBucket(stage);
  const warning = await checkKey(stage);
  if (warning) console.log(`warning: ${warning}`);

  const settings = require('./settings.js');
  const alerts = (await stackOutputs(stage, stage.alertsStack)) !== null;
  console.log(describe(estimate({ rate: settings.rate(env), concurrency: settings.concurrency(env), alerts,
    memory: require(`${root}/collector.config.js`).memorySize })));
  console.log(`\nStage ${stage.stage} in account ${account}, ${env.AWS_REGION}, bucket ${settings.bucket(env)}:`);
  osls('deploy', 'storage.yml', stage);
  osls('deploy', 'serverless.yml', stage);
  console.log(`
It begins with the next heartbeat, within five minutes. Next:
  npm run verify -- --stage=${stage.stage}         whether everything works, from outside and from inside
  npm run status -- --stage=${stage.stage}         how far it is
  npm run setup-alerts -- --stage=${stage.stage}   mails when something is wrong`);
});
