// SPDX-License-Identifier: MIT
// What is missing is said in one sentence, and nothing was changed by then: the real scripts, as npm runs them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeIsTooOld, parseFlags, Missing, root } from '../stage.mjs';
import { awsError, fakeAws, noStack, stackWith } from './fake_aws.mjs';

const key = '00112233445566778899aabbccddeeff';

// Runs deploy/aws/SCRIPT.mjs of a checkout against a fake of AWS; `env` over what is needed, undefined: not set.
async function runScript(script, given = [], { env = {}, answers = {} } = {}, checkout = root) {
  const aws = await fakeAws(answers);
  const home = mkdtempSync(join(tmpdir(), 'tmdbc-'));
  const all = { PATH: process.env.PATH, HOME: home, TMDBC_NO_ENV_FILE: '1', AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: aws.url, AWS_MAX_ATTEMPTS: '1', TMDB_API_BASE_URL: `${aws.url}/3`, AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', TMDB_API_KEY: key, S3_BUCKET_NAME: 'a-bucket',
    LAMBDA_ZIP: 'package.json', ...env };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  const child = spawn(process.execPath, [join(checkout, 'deploy/aws', `${script}.mjs`), ...given], { env: all, cwd: home });
  let out = '';
  let error = '';
  child.stdout.on('data', (text) => { out += text; });
  child.stderr.on('data', (text) => { error += text; });
  const [code] = await once(child, 'close');
  aws.close();
  rmSync(home, { recursive: true });
  return { code, out, error, changes: aws.changes };
}

const rows = [
  ['no bucket named', 'deploy', { env: { S3_BUCKET_NAME: undefined } }, /^deploy: S3_BUCKET_NAME is not set: name the bucket to make in \.env\n$/],
  ['a name that S3 does not allow', 'deploy', { env: { S3_BUCKET_NAME: 'My_Bucket' } }, /S3_BUCKET_NAME is 'My_Bucket': use 3 to 63 of a-z/],
  ['a name that S3 keeps for itself', 'deploy', { env: { S3_BUCKET_NAME: 'mirror-s3alias' } }, /'mirror-s3alias': .* keeps for itself/],
  ['a name with a dot', 'deploy', { env: { S3_BUCKET_NAME: 'my.mirror' } }, /'my\.mirror': .*no dot/],
  ['no key', 'deploy', { env: { TMDB_API_KEY: '' } }, /TMDB_API_KEY is not set: put it in \.env/],
  ['what is not a key', 'deploy', { env: { TMDB_API_KEY: 'verysecret' } }, /TMDB_API_KEY is not a TMDB key: use the 32/],
  ['no region', 'deploy', { env: { AWS_REGION: undefined } }, /no AWS region: set AWS_REGION in \.env/],
  ['not a region', 'deploy', { env: { AWS_REGION: 'Virginia' } }, /AWS_REGION is 'Virginia': use a region's name/],
  ['no credentials', 'deploy', { env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } }, /no AWS credentials: run aws configure/],
  ['credentials that are over', 'deploy', { answers: { identity: awsError(403, 'ExpiredToken') } }, /AWS refuses the credentials \(ExpiredToken\)/],
  ['nobody there', 'deploy', { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } }, /AWS cannot be reached in us-east-1 \(ECONNREFUSED\)/],
  ["another account's bucket", 'deploy', { answers: { bucket: { status: 403 } } }, /'a-bucket': another account has a bucket of that name/],
  ['a bucket in another region', 'deploy', { answers: { bucket: { status: 301 } } }, /that bucket is in another region than us-east-1/],
  ['a bucket of yours that is not ours', 'deploy', { answers: { bucket: { status: 200 }, stack: noStack } }, /you have that bucket, but stage dev did not make it/],
  ['the bucket of another stage', 'deploy', { answers: { bucket: { status: 200 }, stack: stackWith({ BucketName: 'another' }) } }, /you have that bucket, but stage dev did not make it/],
  ['a key that TMDB refuses', 'deploy', { answers: { tmdb: { status: 401, text: '{"status_code":7}' } } }, /TMDB refuses TMDB_API_KEY \(HTTP 401\)/],
  ['a rate of none', 'deploy', { env: { RATE_LIMIT_REQUESTS: '0' } }, /RATE_LIMIT_REQUESTS is '0': use a number from 0\.5 to 1000/],
  ['half a collector', 'deploy', { env: { COLLECTOR_CONCURRENCY: '1.5' } }, /COLLECTOR_CONCURRENCY is '1\.5': use a whole number from 1 to 1000/],
  ['an interval of nothing', 'deploy', { env: { COLLECTION_INTERVAL: 'daily' } }, /COLLECTION_INTERVAL is 'daily': use a whole number/],
  ['a schedule in another zone', 'deploy', { env: { COLLECTION_SCHEDULE: 'cron(0 9 * * ? *)', COLLECTION_TIMEZONE: 'Europe/Berlin' } }, /COLLECTION_TIMEZONE is 'Europe\/Berlin': on AWS rules know UTC alone/],
  ['a schedule that rules do not know', 'deploy', { env: { COLLECTION_SCHEDULE: 'at(2027-01-01T00:00:00)' } }, /on AWS use rate\(\.\.\.\) or cron/],
  ['a bucket elsewhere', 'deploy', { env: { S3_ENDPOINT: 'http://ceph' } }, /S3_ENDPOINT is set: functions keep their mirror in S3/],
  ['no zip', 'deploy', { env: { LAMBDA_ZIP: 'nowhere/lambda.zip' } }, /nowhere\/lambda\.zip is not there: run \.\/dev lambda/],
  ['no such flag', 'deploy', { given: ['--satge=dev'] }, /'--satge=dev' is not known here: use --stage=/],
  ['a flag without a value', 'deploy', { given: ['--debug'] }, /--debug needs a value: --debug=true/],
  ['a debug that is neither', 'deploy', { given: ['--debug=loud'] }, /--debug is 'loud': use true or false/],
  ['a stage that no name can end in', 'deploy', { given: ['--stage=My_Stage'] }, /--stage is 'My_Stage': use 1 to 16/],
  ['alerts without a system', 'setup-alerts', {}, /setup-alerts: stage dev is not deployed in us-east-1: run npm run deploy/],
  ['an address that is none', 'setup-alerts', { env: { ALERT_EMAIL: 'me' } }, /ALERT_EMAIL is 'me': use one address/],
  ['nothing to remove', 'remove', { given: ['--stage=prod'] }, /remove: stage prod is not deployed in us-east-1/],
  ['no credentials to remove with', 'remove', { env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } }, /no AWS credentials/],
  ['nothing to verify', 'verify', {}, /verify: stage dev is not deployed/],
  ['no such check', 'verify', { given: ['--only=everything'], answers: { stack: stackWith({ BucketName: 'a-bucket' }) } }, /there is no check 'everything': use bucket, conditions/],
  ['no region to verify in', 'verify', { env: { AWS_REGION: undefined } }, /^verify: no AWS region: set AWS_REGION/],
  ['credentials for alerts that are over', 'setup-alerts', { answers: { identity: awsError(403, 'ExpiredToken') } }, /^setup-alerts: AWS refuses the credentials \(ExpiredToken\)/],
  ['nobody there to verify', 'verify', { env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } }, /^verify: AWS cannot be reached in us-east-1 \(ECONNREFUSED\)/],
  ['no credentials to look with', 'program', { given: ['query'], env: { TMDB_COLLECTOR: '/bin/true', AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined } }, /^query: no AWS credentials: run aws configure/],
  ['no region to look in', 'program', { given: ['changes'], env: { TMDB_COLLECTOR: '/bin/true', AWS_REGION: undefined } }, /^changes: no AWS region/],
  ['no program', 'program', { given: ['status'], env: { TMDB_COLLECTOR: '/nowhere/tmdb-collector' } }, /^status: \/nowhere\/tmdb-collector is not there: run \.\/dev build/],
  ['no system to look at', 'program', { given: ['status'], env: { TMDB_COLLECTOR: '/bin/true' } }, /^status: stage dev is not deployed/],
  ['an estimate for no rate', 'estimate', { given: ['--rate=fast'] }, /RATE_LIMIT_REQUESTS is 'fast'/],
];

test('what is missing is said in one sentence, and nothing is changed by then', { concurrency: 2 }, async (t) => {
  await Promise.all(rows.map(([name, script, { given, ...world }, sentence]) => t.test(name, async () => {
    const { code, out, error, changes } = await runScript(script, given, world);
    assert.match(error, sentence);
    assert.equal(error.trim().split('\n').length, 1, `one line, not: ${error}`);
    assert.equal(code, 2);
    assert.deepEqual(changes, []);
    assert.ok(!`${out}${error}`.includes(world.env?.TMDB_API_KEY || key), 'the key is printed');
    assert.ok(!out.includes('What it will cost'), 'nothing is promised that does not come');
  })));
});

// Its own chain reads no SSO session, no assumed role and no process; AWS's packages do.
test('the program looks at the bucket with whatever key the scripts have', async () => {
  const home = mkdtempSync(join(tmpdir(), 'tmdbc-key-'));
  const own = { Version: 1, AccessKeyId: 'AKIAOFAPROCESS', SecretAccessKey: 'secret', SessionToken: 'token' };
  writeFileSync(join(home, 'config'), `[profile work]\ncredential_process = echo '${JSON.stringify(own)}'\n`);
  writeFileSync(join(home, 'program'), '#!/bin/sh\necho "$@ $S3_BUCKET_NAME $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY $AWS_SESSION_TOKEN"\n', { mode: 0o755 });
  const { code, out, error } = await runScript('program', ['query', '--stage=dev', '--type=movie'], { env: { AWS_PROFILE: 'work',
    AWS_CONFIG_FILE: join(home, 'config'), AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, TMDB_COLLECTOR: join(home, 'program') },
    answers: { stack: stackWith({ BucketName: 'a-bucket' }) } });
  assert.deepEqual([code, out, error], [0, 'query --type=movie a-bucket AKIAOFAPROCESS secret token\n', '']);
  rmSync(home, { recursive: true });
});

test('without the packages each script says so in one sentence', async () => {
  const bare = mkdtempSync(join(tmpdir(), 'tmdbc-bare-'));
  cpSync(join(root, 'deploy'), join(bare, 'deploy'), { recursive: true });
  for (const name of readdirSync(root).filter((one) => one.endsWith('.config.js'))) cpSync(join(root, name), join(bare, name));
  cpSync(join(root, 'package.json'), join(bare, 'package.json'));
  for (const script of ['deploy', 'verify', 'remove', 'setup-alerts', 'program status']) {
    const [file, ...words] = script.split(' ');
    const { code, error } = await runScript(file, words, { env: { TMDB_COLLECTOR: '/bin/true' } }, bare);
    assert.equal(error, `${words[0] ?? file}: the packages are not installed: run npm install\n`);
    assert.equal(code, 2);
  }
  rmSync(bare, { recursive: true });
});

test('versions of Node.js that osls cannot use are too old', () => {
  for (const old of ['v18.20.4', 'v20.18.3', 'v21.7.0', 'v22.12.0', 'v23.11.0']) assert.ok(nodeIsTooOld(old), old);
  for (const good of ['v20.19.0', 'v20.20.2', 'v22.13.0', 'v24.0.0', 'v26.1.0']) assert.ok(!nodeIsTooOld(good), good);
});

test('flags are names with values', () => {
  assert.deepEqual(parseFlags(['--stage=a=b', '--debug=true'], ['stage', 'debug']), { stage: 'a=b', debug: 'true' });
  assert.throws(() => parseFlags(['stage'], ['stage']), Missing);
  assert.throws(() => parseFlags(['--constructor=1'], ['stage']), Missing);
});
