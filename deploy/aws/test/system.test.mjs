// SPDX-License-Identifier: MIT
// The whole system: deployed on moto by npm run deploy, called by EventBridge, the functions' own zip run by a stand-in for
// Lambda (tools/lambda_host.mjs) with the settings and the roles that the deploy has made, TMDB played by tmdb-sim. First a
// mirror in peace: it holds the truth, takes no request too many, stays below the rate, and each role does all that it
// may and nothing else. Then changes, while functions are killed at random (TMDBC_KILLS=60, TMDBC_SEED=1): nothing is lost, no
// number is used twice, no version is missing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionHost, mapQueue } from '../../../tools/lambda_host.mjs';
import { root } from '../stage.mjs';
import { openGate } from './gate.mjs';
import { startMoto } from './moto.mjs';

const permissions = createRequire(import.meta.url)('../permissions.json');
const canary = 'ca9a47ca9a47ca9a47ca9a47ca9a47ca';
const rate = 40;
const bucket = 'mirror-system';
const scratch = mkdtempSync(join(tmpdir(), 'tmdbc-system-'));
const build = process.env.TMDBC_BINARY_DIR ?? join(root, 'build');
const functionScratch = '/tmp/tmdb-data-collector'; // the functions' own, on a machine of Lambda's

let moto;
let aws;
let env;
let sim;
let simUrl;
let gate;
let harvester;
let collector;
let queue;
let deadLetters;
let onCall = async () => {};

// Deterministic: which call is a caller's last.
let seed = Number(process.env.TMDBC_SEED ?? 1);
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
}

const simAnswer = async (path) => (await fetch(`${simUrl}/sim/${path}`)).text();

async function openHosts(zip) {
  const open = async (name, timeout) => {
    const made = await aws('lambda', 'get_function_configuration', { FunctionName: `tmdb-data-collector-dev-${name}` });
    return FunctionHost.open({ zip, handler: made.Handler, identity: name, timeout, memory: made.MemorySize,
      log: join(scratch, `${name}.log`),
      environment: { ...made.Environment.Variables, AWS_ENDPOINT_URL: gate.url } });
  };
  harvester = await open('harvester', 900);
  collector = await open('collector', 180);
}

before(async () => {
  for (const program of ['tmdb-collector', 'sim/tmdb-sim']) {
    assert.ok(existsSync(join(build, program)), `${join(build, program)} is not there: ./dev build makes it`);
  }
  const portFile = join(scratch, 'port');
  sim = spawn(join(build, 'sim/tmdb-sim'), ['--port=0', `--port-file=${portFile}`, '--quiet', `--api-key=${canary}`, `--rate=${rate}`,
    '--movies=150', '--shows=24', '--people=90', '--huge-show=0', '--seed=7'], { stdio: 'inherit' });
  while (!existsSync(portFile)) await sleep(20);
  simUrl = `http://127.0.0.1:${readFileSync(portFile, 'utf8').trim()}`;
  const zip = join(scratch, 'lambda.zip');
  execFileSync(join(root, 'tools/lambda_zip'), [join(build, 'tmdb-collector'), zip], { stdio: ['ignore', 'ignore', 'pipe'] });
  moto = startMoto(join(scratch, 'moto'), { PATH: process.env.PATH, HOME: scratch, TMDBC_NO_ENV_FILE: '1', NODE_NO_WARNINGS: '1',
    AWS_EC2_METADATA_DISABLED: 'true', SLS_AWS_MONITORING_FREQUENCY: '200', TMDB_API_KEY: canary, S3_BUCKET_NAME: bucket,
    RATE_LIMIT_REQUESTS: `${rate}`, TMDB_API_BASE_URL: `${simUrl}/3`, TMDB_EXPORT_BASE_URL: `${simUrl}/p/exports`, LAMBDA_ZIP: zip });
  ({ env, aws } = moto);
  const deployed = spawn(process.execPath, [join(root, 'deploy/aws/deploy.mjs')], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  assert.deepEqual(await once(deployed, 'close'), [0, null]);

  const policies = {};
  for (const { RoleName } of (await aws('iam', 'list_roles')).Roles) {
    const name = /-(Harvester|Collector)Role/.exec(RoleName)?.[1].toLowerCase();
    if (name) {
      policies[name] = (await aws('iam', 'get_role_policy', { RoleName, PolicyName: name })).PolicyDocument.Statement;
    }
  }
  assert.deepEqual(Object.keys(policies).sort(), ['collector', 'harvester']);
  for (const one of Object.values(policies)) assert.ok(Array.isArray(one) && one.length > 5);
  gate = await openGate({ upstream: env.AWS_ENDPOINT_URL, policies, onCall: (call) => onCall(call) });
  queue = (await aws('sqs', 'get_queue_url', { QueueName: 'tmdb-data-collector-dev-ids.fifo' })).QueueUrl;
  deadLetters = (await aws('sqs', 'get_queue_url', { QueueName: 'tmdb-data-collector-dev-dead.fifo' })).QueueUrl;
  // moto's own mapping receives a message each time one is sent, and can run no function: four such are a dead letter.
  for (const { UUID } of (await aws('lambda', 'list_event_source_mappings')).EventSourceMappings)
    await aws('lambda', 'update_event_source_mapping', { UUID, Enabled: false });
  rmSync(functionScratch, { recursive: true, force: true });
  await openHosts(zip);
});

after(async () => {
  await harvester?.close();
  await collector?.close();
  gate?.close();
  sim?.kill();
  moto?.close();
  rmSync(functionScratch, { recursive: true, force: true });
  rmSync(scratch, { recursive: true, force: true });
});

const sqs = (operation, given) => aws('sqs', operation.replace(/[A-Z]/g, (letter, at) => `${at ? '_' : ''}${letter.toLowerCase()}`), given);

async function head() {
  return JSON.parse((await aws('s3', 'get_object', { Bucket: bucket, Key: 'state/head.json' })).Body);
}
async function keys(prefix) {
  const found = [];
  for (let token; ;) {
    const page = await aws('s3', 'list_objects_v2', { Bucket: bucket, Prefix: prefix, ...(token && { ContinuationToken: token }) });
    found.push(...(page.Contents ?? []).map(({ Key }) => Key));
    token = page.NextContinuationToken;
    if (!token) return found;
  }
}

// The envelope in which EventBridge delivers the entries: by a queue, since moto calls no functions.
let envelopes;
async function delivered(Entries) {
  if (!envelopes) {
    const { Rules } = await aws('events', 'list_rules');
    for (const { Name } of Rules) {
      const { Targets } = await aws('events', 'list_targets_by_rule', { Rule: Name });
      await aws('events', 'remove_targets', { Rule: Name, Ids: Targets.map(({ Id }) => Id) });
    }
    envelopes = (await aws('sqs', 'create_queue', { QueueName: 'envelopes' })).QueueUrl;
    await aws('events', 'put_targets', { Rule: Rules.find((one) => one.EventPattern).Name,
      Targets: [{ Id: 'envelopes', Arn: 'arn:aws:sqs:us-east-1:123456789012:envelopes' }] });
  }
  assert.equal((await aws('events', 'put_events', { Entries })).FailedEntryCount, 0);
  const { Messages = [] } = await aws('sqs', 'receive_message', { QueueUrl: envelopes, MaxNumberOfMessages: 10 });
  for (const { ReceiptHandle } of Messages) await aws('sqs', 'delete_message', { QueueUrl: envelopes, ReceiptHandle });
  assert.equal(Messages.length, Entries.length);
  return Messages.map(({ Body }) => JSON.parse(Body));
}
const asked = (detail) => delivered([{ Source: 'tmdb-data-collector', DetailType: 'Collection Requested', Detail: JSON.stringify(detail) }])
  .then(([event]) => event);

// What waits in the queue goes through the collector. A message whose collector was killed is visible again at once, as it is
// after 18 minutes.
async function drain(failed = () => {}) {
  let working = 0;
  let empty = false;
  await mapQueue({ host: { call: async (event) => { working += 1; return collector.call(event); } }, queue, pollers: 2,
    sqs: async (operation, given) => {
      const answer = await sqs(operation, given);
      if (operation === 'ReceiveMessage') empty = !answer.Messages?.length && working === 0;
      return answer;
    },
    ended: () => empty,
    heard: async ({ error }, { ReceiptHandle }) => {
      if (error) {
        failed(error);
        await sqs('ChangeMessageVisibility', { QueueUrl: queue, ReceiptHandle, VisibilityTimeout: 0 }).catch(() => {});
      }
      working -= 1;
    } });
}

// The lease of an owner that died has run out.
async function pass() {
  const state = await head().catch(() => null);
  if (!state?.holder) return;
  state.until = '2020-01-01T00:00:00.000Z';
  await aws('s3', 'put_object', { Bucket: bucket, Key: 'state/head.json', Body: JSON.stringify(state) });
}

// Between two cycles. What a message asked for whose collector died four times goes out again when SQS has been empty for
// two heartbeats; nobody here can hasten the owner's clock.
async function patience() {
  await pass();
  const { Attributes: dead } = await sqs('GetQueueAttributes', { QueueUrl: deadLetters, AttributeNames: ['ApproximateNumberOfMessages'] });
  const { Attributes: live } = await sqs('GetQueueAttributes', { QueueUrl: queue, AttributeNames: ['ApproximateNumberOfMessages'] });
  if (Number(dead.ApproximateNumberOfMessages) === 0 || Number(live.ApproximateNumberOfMessages) > 0) return;
  if ((await head()).out.batches > 0) await sleep(125_000);
}

// Every record line of the bucket by type, as any zstd reads them.
async function lines() {
  const found = {};
  const segments = (await keys('records/')).filter((key) => key.endsWith('.jsonl.zst'));
  for (const key of segments) {
    const file = join(scratch, 'segment.zst');
    writeFileSync(file, Buffer.from((await aws('s3', 'get_object', { Bucket: bucket, Key: key })).Body, 'latin1'));
    const text = execFileSync('zstd', ['-dcq', file], { encoding: 'utf8', maxBuffer: 1 << 30 });
    const type = key.split('/')[1];
    (found[type] ??= []).push(...text.split('\n').filter(Boolean).map((line) => JSON.parse(line)));
  }
  return { found, segments };
}

// The bucket against the truth: every live body, byte for byte; numbers without gaps, versions without gaps, one insert an id.
async function holdsTheTruth() {
  const { found, segments } = await lines();
  for (const type of Object.keys(found)) {
    const numbers = segments.filter((key) => key.startsWith(`records/${type}/`))
      .map((key) => Number(key.replace(/^records\/[a-z]+\/|\.jsonl\.zst$/g, '').replaceAll('/', '')));
    assert.deepEqual(numbers, numbers.map((_, at) => at + 1), `segments of ${type}`);
  }
  const stored = new Map(); // "movie:550" or "season:1399/1"
  for (const [type, all] of Object.entries(found)) {
    const versions = new Map();
    for (const line of all) {
      if (line.id === null) continue;
      const last = versions.get(line.id) ?? 0;
      if (line.change === 'insert') assert.equal(last, 0, `two inserts of ${type}:${line.id}`);
      if (['update', 'delete', 'restore'].includes(line.change)) assert.equal(line.version, last + 1, `${type}:${line.id}`);
      versions.set(line.id, line.version);
      if (line.data !== null) {
        const name = type === 'season' ? `season:${line.tv_id}/${line.season_number}` : `${type}:${line.id}`;
        stored.set(name, line.sha256);
      }
    }
  }
  const truth = (await simAnswer('truth')).split('\n').filter(Boolean).map((line) => JSON.parse(line))
    .filter(({ type, adult }) => ['movie', 'tv', 'person', 'season'].includes(type) && !adult);
  assert.ok(truth.length > 250);
  for (const { type, id, tv_id: show, season_number: season, sha256 } of truth) {
    const name = type === 'season' ? `season:${show}/${season}` : `${type}:${id}`;
    if (type !== 'season') assert.equal(stored.get(name), sha256, name); // an appended season has no id, a stored one has
    else assert.ok(stored.has(name), name);
  }
  return { found, truth };
}

// Cycle after cycle until nothing waits and nothing is out.
async function untilDone(most, between = async () => {}) {
  for (let round = 0; round < most; round += 1) {
    await drain();
    await between();
    const { answer, error } = await harvester.call(await asked({ mode: 'redrive' })); // a request makes a cycle due
    if (error) await pass();
    const state = await head();
    if (answer && !state.holder && state.waiting === 0 && state.out.batches === 0 && (await keys('inbox/')).length === 0) return round + 1;
  }
  assert.fail(`not done after ${most} cycles: ${JSON.stringify(await head())}\n${readFileSync(join(scratch, 'harvester.log'), 'utf8').slice(-2000)}`);
}

// What follows is about that mirror.
let mirrored = false;
const needsMirror = () => assert.ok(mirrored, 'there is no mirror: see the first test');

test('an event makes a mirror that holds the truth, within the rate and with no request too many', { timeout: 200_000 }, async () => {
  const [event] = await delivered(JSON.parse(readFileSync(join(root, 'samples/trigger-event.json'))));
  const { answer, error } = await harvester.call(event);
  assert.equal(error, undefined, `${error}\n${readFileSync(join(scratch, 'harvester.log'), 'utf8').slice(-2000)}`);
  assert.equal(answer.end, 'published');
  assert.equal(answer.harvests, 1);
  assert.ok(answer.sent_batches >= 1);
  const cycles = await untilDone(4);
  assert.ok(cycles <= 3, `${cycles} cycles`);
  const { truth } = await holdsTheTruth();
  const counters = JSON.parse(await simAnswer('counters'));
  const wanted = truth.filter(({ type }) => type !== 'season').length;
  const classes = counters.by_class;
  const details = ['movie', 'tv', 'person'].reduce((sum, name) => sum + Object.values(classes[name] ?? {}).reduce((a, b) => a + b, 0), 0);
  assert.ok(details >= wanted, JSON.stringify(counters));
  assert.ok(details <= wanted + 24, `${details} requests for ${wanted} ids: a show takes two at most`);
  assert.ok(counters.most_in_a_second <= rate, `${counters.most_in_a_second} in a second`);
  mirrored = true;
});

test('each role did what it may, and nothing that it may not', () => {
  needsMirror();
  assert.deepEqual(gate.denied, []);
  // What no run in peace does, and what Lambda itself does in these roles.
  const others = ['s3:AbortMultipartUpload', 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'logs:CreateLogStream', 'logs:PutLogEvents'];
  for (const [role, allowed] of Object.entries(permissions)) {
    const did = gate.calls.filter((call) => call.role === role);
    for (const { action, on, calls } of allowed) {
      if (others.includes(action) || (role === 'collector' && action === 'sqs:GetQueueAttributes')) continue;
      const used = did.filter((call) => call.action === action);
      assert.ok(used.length > 0, `${role} never needed ${action} on ${on}`);
      for (const { operation } of used) assert.ok(calls.includes(operation), `${role}: ${operation} is not in permissions.json`);
    }
  }
});

test('the harvester finds inside that everything works, by way of queue and collector too', { timeout: 200_000 }, async () => {
  needsMirror();
  let answered;
  const probe = harvester.call({ 'detail-type': 'Probe' }).then((result) => { answered = result; });
  while (!answered) {
    await drain();
    await sleep(200);
  }
  await probe;
  assert.equal(answered.error, undefined);
  assert.ok(answered.answer.checks.length >= 5, JSON.stringify(answered));
  for (const { name, ok, detail } of answered.answer.checks) assert.ok(ok, `${name}: ${detail}`);
  assert.deepEqual(await keys('probe/'), [], 'it leaves nothing');
  assert.deepEqual(await keys('inbox/'), []);
  assert.deepEqual(gate.denied, []);
});

test('an idle heartbeat takes two calls, a message two', async () => {
  needsMirror();
  const from = gate.calls.length;
  const { answer } = await harvester.call({ 'detail-type': 'Heartbeat' });
  assert.equal(answer.end, 'nothing to do');
  const beat = gate.calls.slice(from).map(({ operation }) => operation);
  assert.deepEqual(beat.filter((one) => one !== 'GetParameter').sort(), ['GetObject', 'ListObjectsV2']);
  const did = gate.calls.filter(({ role, operation }) => role === 'collector' && operation !== 'GetParameter').map(({ operation }) => operation);
  const puts = did.filter((one) => one === 'PutObject').length;
  assert.equal(did.filter((one) => one === 'HeadObject').length, puts);
  assert.equal(did.length, 2 * puts);
});

// npm run NAME -- WORDS, with the program that was built: {code, out}.
async function npm(name, words = []) {
  const [, ...command] = JSON.parse(readFileSync(join(root, 'package.json'))).scripts[name].split(' ');
  const child = spawn(process.execPath, [...command, ...words],
    { cwd: root, env: { ...env, TMDB_COLLECTOR: join(build, 'tmdb-collector') }, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (text) => { out += text; });
  const [code] = await once(child, 'close');
  return { code, out };
}

test('query, status and verify look at the bucket from here', { timeout: 100_000 }, async () => {
  needsMirror();
  const truth = (await simAnswer('truth')).split('\n').filter(Boolean).map((line) => JSON.parse(line));
  for (const type of ['movie', 'tv', 'person']) {
    const { id, sha256 } = truth.find((one) => one.type === type && !one.adult);
    const { code, out } = await npm('query', [`--type=${type}`, `--id=${id}`]);
    assert.equal(code, 0);
    assert.equal(createHash('sha256').update(out.replace(/\n$/, '')).digest('hex'), sha256, `${type}:${id}`);
  }
  assert.equal((await npm('query', ['--type=movie', '--id=999999999'])).code, 1);
  const status = JSON.parse((await npm('status', ['--json'])).out);
  assert.ok(JSON.stringify(status).includes(`s3://${bucket}`));
  const { code, out } = await npm('verify', ['--only=mirror,head,key']);
  assert.equal(code, 0, out);
  assert.match(out, /^ok {2}mirror: \d+ segments, .* is right/m);
  assert.match(out, /^ok {2}head: epoch \d+, free, 0 ids wait/m);
});

const kills = Number(process.env.TMDBC_KILLS ?? 12);
test('what changes while functions are killed at random is stored all the same', { timeout: 300_000 + kills * 10_000 }, async () => {
  needsMirror();
  assert.ok(Number.isInteger(kills) && kills >= 0, `TMDBC_KILLS is '${process.env.TMDBC_KILLS}'`);
  let killed = 0;
  let armed = true;
  onCall = async ({ role }) => {
    // A cycle makes some thirty calls, a collector two; each call can be its caller's last.
    if (!armed || killed >= kills || random() >= (role === 'harvester' ? 1 / 25 : 1 / 3)) return undefined;
    killed += 1;
    const when = random() < 0.5 ? 'before' : 'after';
    const kill = () => (role === 'harvester' ? harvester : collector).kill();
    if (when === 'before') kill();
    else setTimeout(kill, 5); // it arrives, nobody hears the answer
    return when;
  };
  const before = (await simAnswer('truth')).split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter(({ type, adult }) => type === 'movie' && !adult);
  const most = 400;
  let rounds = 0;
  for (let at = 0; killed < kills && rounds < most; at += 1) {
    rounds += 1;
    const edited = Array.from({ length: 5 }, (_, one) => before[(at * 5 + one) % before.length].id);
    for (const id of edited) await simAnswer(`edit?kind=movie&id=${id}&what=overview`);
    const event = await asked({ mode: 'ids', types: ['movie'], ids: edited });
    for (let tries = 0; tries < 20; tries += 1) { // EventBridge tries again; so does the heartbeat
      const { error } = await harvester.call(event);
      if (!error) break;
      rmSync(functionScratch, { recursive: true, force: true }); // another machine
      await pass();
    }
    await drain(() => {});
  }
  armed = false;
  assert.equal(killed, kills);
  await pass();
  await untilDone(12, patience);
  await holdsTheTruth();
  assert.deepEqual(gate.denied, []);
});

test('the key is in no object, message, log line or setting', async () => {
  needsMirror();
  for (const name of ['harvester', 'collector']) {
    const log = readFileSync(join(scratch, `${name}.log`), 'utf8');
    assert.ok(log.includes('"level"') || log.includes('"time"'), `the log of ${name} is there: ${log.slice(0, 200)}`);
    assert.ok(!log.includes(canary), `the log of ${name}`);
    const emf = log.split('\n').filter((line) => line.includes('CloudWatchMetrics')).map((line) => JSON.parse(line));
    if (name === 'collector') assert.ok(emf.length > 0);
    for (const line of emf) assert.deepEqual([line._aws.CloudWatchMetrics[0].Namespace, line.Stage], ['TmdbCollector', 'dev']);
  }
  assert.ok(!readFileSync(join(scratch, 'moto/log'), 'latin1').includes(canary), 'calls');
  for (const Key of await keys('')) {
    const bytes = Buffer.from((await aws('s3', 'get_object', { Bucket: bucket, Key })).Body, 'latin1');
    assert.ok(!bytes.includes(canary), Key);
  }
});
