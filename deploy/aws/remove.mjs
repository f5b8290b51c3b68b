// SPDX-License-Identifier: MIT
// npm run remove -- [--stage=dev]: the functions, rules, queues and roles go. The bucket, the key and the alarms stay.
import { deployed } from './preflight.mjs';
import { begin, osls, run } from './stage.mjs';

run('remove', async () => {
  const stage = begin(process.argv.slice(2));
  const outputs = await deployed(stage);
  osls('remove', 'serverless.yml', stage);
  console.log(`
What stays: bucket ${outputs.BucketName} with the mirror, the key in parameter ${stage.key}, and the alarms if there are
any. npm run deploy brings the system back, which goes on where it was; docs/aws.md says how to remove the rest.`);
});
