// SPDX-License-Identifier: MIT
// npm run status | query | changes -- [--stage=dev] [--region=...] ARGUMENTS: the program of this checkout on the
// bucket of a stage. ARGUMENTS are the program's own: --type=movie --id=550, --json, --watch.
import { spawnSync } from 'node:child_process';
import { deployed, withKey } from './preflight.mjs';
import { begin, programPath, root, run } from './stage.mjs';

const [command, ...given] = process.argv.slice(2);
run(command, async () => {
  const ours = (word) => /^--(stage|region)=/.test(word);
  const stage = begin(given.filter(ours));
  const program = programPath(stage.env);
  const outputs = await deployed(stage);
  const { status, signal } = spawnSync(program, [command, ...given.filter((word) => !ours(word))], { cwd: root,
    stdio: 'inherit', env: { ...await withKey(stage), STAGE: stage.stage, S3_BUCKET_NAME: outputs.BucketName,
      IDS_QUEUE_URL: outputs.IdsQueueUrl, DEAD_LETTERS_QUEUE_URL: outputs.DeadLettersUrl } });
  return signal ? 1 : status;
});
