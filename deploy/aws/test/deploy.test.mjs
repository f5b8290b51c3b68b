// SPDX-License-Identifier: MIT
// What osls makes of the files in the root: first the templates themselves (moto does not keep all that they say), then
// a whole life on moto: deploy, read back, an event, alerts, a second deploy, a second stage, removal. The key is found
// nowhere but in its parameter. Needs tools/emulators/install python.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../stage.mjs';
import { fakeAws } from './fake_aws.mjs';
import { startMoto } from './moto.mjs';

const require = createRequire(import.meta.url);
const permissions = require('../permissions.json');

const canary = 'ca9a47ca9a47ca9a47ca9a47ca9a47ca';
const scratch = mkdtempSync(join(tmpdir(), 'tmdbc-deploy-'));
let python;
let printed = ''; // by every script
let moto;
let aws; // calls it, as boto3 names operations
const templates = {};
let tmdb; // says that it accepts every key
let env = { PATH: process.env.PATH, HOME: scratch, TMDBC_NO_ENV_FILE: '1', AWS_EC2_METADATA_DISABLED: 'true',
  NODE_NO_WARNINGS: '1', AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'testing',
  AWS_SECRET_ACCESS_KEY: 'testing', SLS_AWS_MONITORING_FREQUENCY: '200', TMDB_API_KEY: canary,
  S3_BUCKET_NAME: 'mirror-dev', MEDIA_TYPES: 'movie,tv', RATE_LIMIT_REQUESTS: '40', COLLECTION_INTERVAL: '1',
  ALERT_EMAIL: 'someone@example.com', LAMBDA_ZIP: join(scratch, 'lambda.zip') };

before(async () => {
  moto = startMoto(join(scratch, 'moto'), env);
  ({ env, python, aws } = moto);
  execFileSync(join(python, 'bin/python'), ['-c', `import zipfile
with zipfile.ZipFile(${JSON.stringify(env.LAMBDA_ZIP)}, 'w') as zip: zip.writestr('bootstrap', '#!/bin/sh')`]);
  tmdb = await fakeAws();
  env.TMDB_API_BASE_URL = `${tmdb.url}/3`;
});

after(() => {
  tmdb?.close();
  moto?.close();
  rmSync(scratch, { recursive: true, force: true });
});

// npm run NAME -- GIVEN: what it printed. Fails when it ends with another code than `code`.
async function npm(name, given = [], { code = 0, more = {} } = {}) {
  const command = JSON.parse(readFileSync(join(root, 'package.json'))).scripts[name].split(' ');
  const child = spawn(process.execPath, [...command.slice(1), ...given], { cwd: root, env: { ...env, ...more } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => { text += part; });
  const [status] = await once(child, 'close');
  assert.equal(status, code, text);
  printed += text;
  return text;
}

test('deploy says what it costs, then makes everything', async () => {
  const text = await npm('deploy', ['--debug=true']);
  assert.match(text, /^What it will cost.* 40 requests a second\n.*without alerts/s);
  assert.ok(text.indexOf('list price $') > 0 && text.indexOf('list price $') < text.indexOf('Deploying'));
  const harvester = await aws('lambda', 'get_function_configuration', { FunctionName: 'tmdb-data-collector-dev-harvester' });
  assert.equal(harvester.Environment.Variables.LOG_LEVEL, 'debug');
  const QueueUrl = harvester.Environment.Variables.IDS_QUEUE_URL;
  const { Attributes } = await aws('sqs', 'get_queue_attributes', { QueueUrl, AttributeNames: ['All'] });
  assert.equal(Attributes.VisibilityTimeout, '1080');
  assert.match(JSON.parse(Attributes.RedrivePolicy).deadLetterTargetArn, /:tmdb-data-collector-dev-dead\.fifo$/);
  const { Rules } = await aws('events', 'list_rules', { NamePrefix: 'tmdb-data-collector-dev' });
  assert.deepEqual(Rules.map((rule) => rule.ScheduleExpression ?? 'pattern').sort(), ['pattern', 'rate(1 minute)', 'rate(5 minutes)']);
  const { Parameter } = await aws('ssm', 'get_parameter', { Name: '/tmdb-data-collector/dev/tmdb-api-key', WithDecryption: true });
  assert.deepEqual([Parameter.Type, Parameter.Value], ['SecureString', canary]);
});

const subscribed = async () => (await aws('sns', 'list_subscriptions')).Subscriptions.map((one) => one.Endpoint);

test('alerts tell the address', async () => {
  const text = await npm('setup-alerts', ['--dashboard=true']);
  assert.match(text, /^Mails go to someone@example\.com/);
  assert.deepEqual(await subscribed(), ['someone@example.com']);
});

const ofType = (made, type) => Object.values(made.Resources).filter((one) => one.Type === type).map((one) => one.Properties);

// moto keeps the whole template and does a part of it.
test('every template is what cfn-lint accepts', async () => {
  const stacks = { storage: 'storage-dev', serverless: 'dev', alerts: 'alerts-dev', dashboard: 'dashboard-dev' };
  const paths = [];
  for (const [name, stack] of Object.entries(stacks)) {
    const { TemplateBody } = await aws('cloudformation', 'get_template', { StackName: `tmdb-data-collector-${stack}` });
    templates[name] = typeof TemplateBody === 'string' ? JSON.parse(TemplateBody) : TemplateBody;
    paths.push(join(scratch, `${name}.json`));
    writeFileSync(paths.at(-1), JSON.stringify(templates[name]));
  }
  const lint = spawnSync(join(python, 'bin/cfn-lint'), paths, { encoding: 'utf8', env });
  assert.equal(lint.stdout + lint.stderr, '');
  assert.equal(lint.status, 0);
});

test('the bucket is private, keeps old versions for a time, and outlives its stack', () => {
  const { Bucket, BucketPolicy } = templates.storage.Resources;
  assert.equal(Bucket.DeletionPolicy, 'Retain');
  assert.equal(BucketPolicy.DeletionPolicy, 'Retain');
  const made = Bucket.Properties;
  assert.equal(made.VersioningConfiguration.Status, 'Enabled');
  assert.ok(Object.values(made.PublicAccessBlockConfiguration).every((one) => one === true));
  const rules = made.LifecycleConfiguration.Rules;
  assert.ok(rules.every((rule) => rule.Status === 'Enabled' && !rule.ExpirationInDays && !rule.ExpirationDate),
    'what is current never expires');
  for (const { NoncurrentVersionExpiration } of rules) assert.ok(NoncurrentVersionExpiration.NoncurrentDays <= 7);
  assert.ok(rules.some((rule) => !rule.Prefix && rule.AbortIncompleteMultipartUpload.DaysAfterInitiation === 1));
  const [statement] = BucketPolicy.Properties.PolicyDocument.Statement;
  assert.deepEqual([statement.Effect, statement.Principal, statement.Action, statement.Condition],
    ['Deny', '*', 's3:*', { Bool: { 'aws:SecureTransport': 'false' } }]);
});

test('the functions have what their work takes', () => {
  const [harvester, collector] = ['Harvester', 'Collector']
    .map((name) => templates.serverless.Resources[`${name}LambdaFunction`].Properties);
  assert.deepEqual([harvester.Handler, harvester.Runtime, harvester.Timeout, harvester.MemorySize, harvester.EphemeralStorage.Size],
    ['harvester', 'provided.al2023', 900, 1769, 4096]);
  assert.deepEqual([collector.Handler, collector.Timeout, collector.MemorySize], ['collector', 180, 256]);
  assert.equal(harvester.ReservedConcurrentExecutions, undefined, 'new accounts have none to reserve');
  const seen = harvester.Environment.Variables;
  assert.deepEqual([seen.S3_BUCKET_NAME, seen.MEDIA_TYPES, seen.RATE_LIMIT_REQUESTS, seen.STAGE, seen.LOG_FORMAT, seen.LOG_LEVEL],
    ['mirror-dev', 'movie,tv', '40', 'dev', 'json', 'debug']);
  assert.equal(seen.TMDB_API_KEY_PARAMETER, '/tmdb-data-collector/dev/tmdb-api-key');
  assert.equal(collector.Environment.Variables.RATE_LIMIT_REQUESTS, undefined, 'the rate travels with the message');
  const [asynchronous] = ofType(templates.serverless, 'AWS::Lambda::EventInvokeConfig');
  assert.deepEqual([asynchronous.MaximumRetryAttempts, asynchronous.MaximumEventAgeInSeconds], [1, 3600]);
  for (const group of ofType(templates.serverless, 'AWS::Logs::LogGroup')) assert.equal(group.RetentionInDays, 30);
});

test('messages are hidden for six times as long as a collector may take, and die after four', () => {
  const { IdsQueue, DeadLetters, CollectorLambdaFunction } = templates.serverless.Resources;
  const queue = IdsQueue.Properties;
  assert.ok(queue.FifoQueue && DeadLetters.Properties.FifoQueue);
  assert.ok(queue.VisibilityTimeout >= 6 * CollectorLambdaFunction.Properties.Timeout);
  assert.equal(Number(queue.RedrivePolicy.maxReceiveCount), 4);
  const [mapping] = ofType(templates.serverless, 'AWS::Lambda::EventSourceMapping');
  assert.equal(mapping.BatchSize, 1);
});

test('each role may do what permissions.json says, and nothing else', () => {
  const bucket = 'arn:${AWS::Partition}:s3:::mirror-dev';
  const arn = (of, on) => ({ ids: { 'Fn::GetAtt': ['IdsQueue', 'Arn'] }, dead: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] },
    key: { 'Fn::Sub': 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/tmdb-data-collector/dev/tmdb-api-key' },
    logs: { 'Fn::Sub': `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/tmdb-data-collector-dev-${of}:*` },
  })[on] ?? { 'Fn::Sub': on.replace('bucket', bucket) };
  const roles = Object.entries(templates.serverless.Resources).filter(([, one]) => one.Type === 'AWS::IAM::Role');
  assert.deepEqual(roles.map(([name]) => name).sort(), ['CollectorRole', 'HarvesterRole']);
  for (const [name, { Properties: role }] of roles) {
    const of = name.replace('Role', '').toLowerCase();
    assert.equal(role.ManagedPolicyArns, undefined);
    assert.deepEqual(role.AssumeRolePolicyDocument.Statement.map((one) => one.Principal), [{ Service: 'lambda.amazonaws.com' }]);
    const allowed = role.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    assert.deepEqual(allowed, permissions[of].map(({ action, on }) =>
      ({ Effect: 'Allow', Action: action, Resource: on.map((one) => arn(of, one)) })));
    for (const { Action } of allowed) assert.doesNotMatch(Action, /\*/);
  }
});

test('alarms watch what the system has: its queues, its functions, its four metrics', () => {
  const alarms = ofType(templates.alerts, 'AWS::CloudWatch::Alarm');
  assert.equal(alarms.length, 7);
  const watched = alarms.flatMap((alarm) => alarm.MetricName ? [alarm] : alarm.Metrics.map((one) => one.MetricStat?.Metric)
    .filter(Boolean)).map(({ Namespace, MetricName, Dimensions: [{ Name, Value }] }) => `${Namespace} ${MetricName} ${Name}=${Value}`);
  assert.deepEqual(watched.sort(), [
    'AWS/Lambda Errors FunctionName=tmdb-data-collector-dev-harvester',
    'AWS/Lambda Invocations FunctionName=tmdb-data-collector-dev-harvester',
    'AWS/SQS ApproximateAgeOfOldestMessage QueueName=tmdb-data-collector-dev-ids.fifo',
    'AWS/SQS ApproximateNumberOfMessagesVisible QueueName=tmdb-data-collector-dev-dead.fifo',
    'TmdbCollector Denied Stage=dev',
    'TmdbCollector OldestVerifiedDays Stage=dev',
    'TmdbCollector Requests Stage=dev',
    'TmdbCollector Throttled Stage=dev',
  ]);
  for (const alarm of alarms) {
    assert.deepEqual(alarm.AlarmActions, [{ Ref: 'Topic' }]);
    assert.ok(alarm.AlarmDescription.length > 40, 'says what to look at');
    // A heart that stopped sends no data at all; everything else is silent when nothing happens.
    assert.equal(alarm.TreatMissingData, alarm.AlarmName.endsWith('heart-stopped') ? 'breaching' : 'notBreaching');
  }
  assert.deepEqual(templates.alerts.Resources.Topic.Properties.Subscription,
    [{ Protocol: 'email', Endpoint: 'someone@example.com' }]);
  const queues = ofType(templates.serverless, 'AWS::SQS::Queue').map((one) => one.QueueName);
  assert.deepEqual(queues.sort(), ['tmdb-data-collector-dev-dead.fifo', 'tmdb-data-collector-dev-ids.fifo']);
  const board = JSON.parse(ofType(templates.dashboard, 'AWS::CloudWatch::Dashboard')[0].DashboardBody);
  for (const name of ['Requests', 'Throttled', 'Denied', 'OldestVerifiedDays']) {
    assert.ok(JSON.stringify(board).includes(`["TmdbCollector","${name}","Stage","dev"`), name);
  }
});

test('verify finds what is wrong, says what to do, and is content when that is done', async () => {
  const skip = '--skip=concurrency,inside'; // moto has neither
  // moto leaves out what the template says of versions and access.
  assert.match(await npm('verify', [skip], { code: 1 }), /^no {2}bucket: bucket mirror-dev keeps no old versions: npm run deploy/m);
  const Bucket = 'mirror-dev';
  await aws('s3', 'put_bucket_versioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  await aws('s3', 'put_public_access_block', { Bucket, PublicAccessBlockConfiguration:
    { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true } });
  await aws('s3', 'put_bucket_encryption', { Bucket, ServerSideEncryptionConfiguration:
    { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] } });
  await aws('s3', 'put_bucket_lifecycle_configuration', { Bucket, LifecycleConfiguration: { Rules:
    [{ ID: 'rest', Status: 'Enabled', Filter: { Prefix: '' }, NoncurrentVersionExpiration: { NoncurrentDays: 7 } }] } });
  await aws('events', 'disable_rule', { Name: 'tmdb-data-collector-dev-heartbeat' });
  const { QueueUrl } = await aws('sqs', 'get_queue_url', { QueueName: 'tmdb-data-collector-dev-dead.fifo' });
  await aws('sqs', 'send_message', { QueueUrl, MessageBody: '{}', MessageGroupId: 'lane-0', MessageDeduplicationId: '1' });
  const text = await npm('verify', [skip], { code: 1 });
  assert.match(text, /^no {2}rules: rule tmdb-data-collector-dev-heartbeat is DISABLED: aws events enable-rule/m);
  assert.match(text, /^no {2}queue: 1 dead letters: look into the log of tmdb-data-collector-dev-collector; aws sqs purge-queue/m);
  await aws('events', 'enable_rule', { Name: 'tmdb-data-collector-dev-heartbeat' });
  await aws('sqs', 'purge_queue', { QueueUrl });
  const good = await npm('verify', [skip]);
  for (const name of ['bucket', 'conditions', 'head', 'queue', 'mapping', 'functions', 'rules', 'parameter', 'key', 'logs', 'alerts']) {
    assert.match(good, new RegExp(`^ok {2}${name}: `, 'm'));
  }
});

test('the sample event reaches what the rule points at; that of another stage does not', async () => {
  const { Rules } = await aws('events', 'list_rules');
  const Rule = Rules.find((one) => one.EventPattern).Name;
  // moto cannot call a function, and takes events for rules that have a schedule alone: a queue stands in for the one,
  // the others point at nothing meanwhile.
  const targets = {};
  for (const { Name } of Rules) {
    targets[Name] = (await aws('events', 'list_targets_by_rule', { Rule: Name })).Targets;
    assert.deepEqual(targets[Name].map(({ Arn }) => Arn.split(':').at(-1)), ['tmdb-data-collector-dev-harvester']);
    await aws('events', 'remove_targets', { Rule: Name, Ids: [targets[Name][0].Id] });
  }
  const { QueueUrl } = await aws('sqs', 'create_queue', { QueueName: 'envelopes' });
  await aws('events', 'put_targets', { Rule, Targets: [{ Id: 'envelopes', Arn: 'arn:aws:sqs:us-east-1:123456789012:envelopes' }] });
  const asked = (stage) => ({ Source: 'tmdb-data-collector', DetailType: 'Collection Requested',
    Detail: JSON.stringify({ mode: 'changes', stage }) });
  const Entries = [...JSON.parse(readFileSync(join(root, 'samples/trigger-event.json'))), asked('prod'), asked('dev'),
    { Source: 'another', DetailType: 'Collection Requested', Detail: '{}' }];
  assert.equal((await aws('events', 'put_events', { Entries })).FailedEntryCount, 0);
  const { Messages } = await aws('sqs', 'receive_message', { QueueUrl, MaxNumberOfMessages: 10 });
  const events = Messages.map(({ Body }) => JSON.parse(Body));
  assert.deepEqual(events.map((event) => [event.source, event['detail-type'], event.detail.mode, event.detail.stage]),
    [['tmdb-data-collector', 'Collection Requested', 'auto', undefined], ['tmdb-data-collector', 'Collection Requested', 'changes', 'dev']]);
  assert.ok(events[0].id, 'the name of its request in the bucket');
  await aws('events', 'remove_targets', { Rule, Ids: ['envelopes'] });
  for (const [name, Targets] of Object.entries(targets)) await aws('events', 'put_targets', { Rule: name, Targets });
});

test('a second deploy brings up to date, and leaves the alerts', async () => {
  const text = await npm('deploy', [], { more: { RATE_LIMIT_REQUESTS: '3' } });
  assert.match(text, /at 3 requests a second\n.*with alerts/);
  assert.deepEqual(await subscribed(), ['someone@example.com']);
  const made = await aws('lambda', 'get_function_configuration', { FunctionName: 'tmdb-data-collector-dev-harvester' });
  assert.deepEqual([made.Environment.Variables.RATE_LIMIT_REQUESTS, made.Environment.Variables.LOG_LEVEL], ['3', 'info']);
});

test('a second stage has a bucket of its own; removing it leaves bucket, key and the first', async () => {
  assert.match(await npm('deploy', ['--stage=prod'], { code: 2 }), /you have that bucket, but stage prod did not make it/);
  await npm('deploy', ['--stage=prod'], { more: { S3_BUCKET_NAME: 'mirror-prod' } });
  const functions = async () => (await aws('lambda', 'list_functions')).Functions.map((one) => one.FunctionName).sort();
  assert.equal((await functions()).length, 4);
  await aws('s3', 'put_object', { Bucket: 'mirror-prod', Key: 'status.json', Body: '{}' });
  assert.match(await npm('remove', ['--stage=prod']), /What stays: bucket mirror-prod .* parameter \/tmdb-data-collector\/prod\/tmdb-api-key/);
  assert.deepEqual(await functions(), ['tmdb-data-collector-dev-collector', 'tmdb-data-collector-dev-harvester']);
  await aws('s3', 'head_object', { Bucket: 'mirror-prod', Key: 'status.json' });
  const { Parameter } = await aws('ssm', 'get_parameter', { Name: '/tmdb-data-collector/prod/tmdb-api-key' });
  assert.equal(Parameter.Type, 'SecureString');
  assert.equal((await aws('sqs', 'list_queues', { QueueNamePrefix: 'tmdb-data-collector-prod' })).QueueUrls, undefined);
  assert.match(await npm('verify', ['--stage=prod'], { code: 2 }), /stage prod is not deployed/);
});

test('the key is in nothing that was printed, kept, logged or made, but in its parameter', async () => {
  const without = (text, what) => assert.ok(!text.includes(canary), `the key is in ${what}`);
  without(printed, 'what was printed');
  for (const file of readdirSync(join(root, '.serverless'))) without(readFileSync(join(root, '.serverless', file), 'latin1'), file);
  without(readFileSync(join(scratch, 'moto/log'), 'latin1'), 'the log');
  const { StackSummaries } = await aws('cloudformation', 'list_stacks');
  for (const { StackName, StackStatus } of StackSummaries) {
    if (StackStatus === 'DELETE_COMPLETE') continue;
    without(JSON.stringify(await aws('cloudformation', 'get_template', { StackName })), StackName);
    without(JSON.stringify(await aws('cloudformation', 'describe_stacks', { StackName })), StackName);
  }
  without(JSON.stringify(await aws('lambda', 'list_functions')), 'the functions');
  for (const { Name } of (await aws('s3', 'list_buckets')).Buckets) {
    for (const { Key } of (await aws('s3', 'list_objects_v2', { Bucket: Name })).Contents ?? []) {
      without((await aws('s3', 'get_object', { Bucket: Name, Key })).Body, `${Name}/${Key}`);
    }
  }
  const { Parameters } = await aws('ssm', 'describe_parameters');
  without(JSON.stringify(Parameters), 'what is told of parameters');
  assert.deepEqual(Parameters.map(({ Name, Type }) => [Name, Type]).sort(),
    ['dev', 'prod'].map((stage) => [`/tmdb-data-collector/${stage}/tmdb-api-key`, 'SecureString']));
});
