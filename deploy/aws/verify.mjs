// SPDX-License-Identifier: MIT
// npm run verify -- [--stage=dev] [--only=CHECKS] [--skip=CHECKS]: whether what was deployed works. Looks at every
// piece from outside, tries the bucket's conditions on an object of its own, then calls the harvester, which says what
// it finds inside. A line a check: "ok", or "no" with what to do. Exit code 1 when one fails. docs/aws-checklist.md
// says what each check shows.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkKey, deployed, stackOutputs, withKey } from './preflight.mjs';
import { begin, Missing, root, run } from './stage.mjs';

// What a check found wrong: what, and what to do about it.
class Wrong extends Error {}
const must = (holds, sentence) => { if (!holds) throw new Wrong(sentence); };

// What AWS's packages export. Loaded when it is needed: then a checkout without packages says so in one sentence.
async function loadAws() {
  const packages = ['cloudwatch-logs', 'eventbridge', 'lambda', 's3', 'sqs', 'ssm'];
  return Object.assign({}, ...await Promise.all(packages.map((name) => import(`@aws-sdk/client-${name}`))));
}

function checks(stage, outputs, aws) {
  const { CloudWatchLogsClient, DescribeLogGroupsCommand, DescribeRuleCommand, EventBridgeClient,
    ListTargetsByRuleCommand, ListRulesCommand, GetAccountSettingsCommand, GetFunctionConfigurationCommand,
    InvokeCommand, LambdaClient, ListEventSourceMappingsCommand, DeleteObjectCommand, GetBucketEncryptionCommand,
    GetBucketLifecycleConfigurationCommand, GetBucketVersioningCommand, GetObjectCommand, GetPublicAccessBlockCommand,
    HeadBucketCommand, PutObjectCommand, S3Client, GetQueueAttributesCommand, SQSClient, GetParameterCommand,
    SSMClient } = aws;
  const { env, prefix, key } = stage;
  const region = env.AWS_REGION;
  const [s3, sqs, lambda, events, ssm, logs] =
    [S3Client, SQSClient, LambdaClient, EventBridgeClient, SSMClient, CloudWatchLogsClient]
      .map((Client) => new Client({ region, useQueueUrlAsEndpoint: false }));
  const Bucket = outputs.BucketName;
  const again = `npm run deploy -- --stage=${stage.stage}`;
  const attributes = async (QueueUrl) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes;

  return {
    async bucket() {
      await s3.send(new HeadBucketCommand({ Bucket }));
      const versioning = await s3.send(new GetBucketVersioningCommand({ Bucket }));
      must(versioning.Status === 'Enabled', `bucket ${Bucket} keeps no old versions: ${again}`);
      const block = (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration;
      must(block && Object.values(block).every(Boolean), `bucket ${Bucket} could be made public: ${again}`);
      await s3.send(new GetBucketEncryptionCommand({ Bucket }));
      const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      must(Rules.some(({ NoncurrentVersionExpiration }) => NoncurrentVersionExpiration?.NoncurrentDays <= 7),
        `bucket ${Bucket} keeps what TMDB's terms want gone: ${again}`);
      return `${Bucket} keeps old versions for a time, is encrypted and private`;
    },

    // Two writers must never both believe that they wrote.
    async conditions() {
      const Key = `probe/verify-${randomUUID()}`;
      const put = async (Body, condition) => {
        try {
          return (await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...condition }))).ETag;
        } catch (error) {
          if ([409, 412].includes(error.$metadata?.httpStatusCode)) return null;
          throw error;
        }
      };
      try {
        const first = await put('1', { IfNoneMatch: '*' });
        must(first, `bucket ${Bucket} refuses an object that is new: look at its policy`);
        must(!await put('2', { IfNoneMatch: '*' }),
          `bucket ${Bucket} ignores If-None-Match: two writers would damage the mirror`);
        const second = await put('3', { IfMatch: first });
        must(second, `bucket ${Bucket} refuses If-Match of what is there`);
        must(!await put('4', { IfMatch: first }),
          `bucket ${Bucket} ignores If-Match: two writers would damage the mirror`);
      } finally {
        await s3.send(new DeleteObjectCommand({ Bucket, Key }));
      }
      return 'If-None-Match and If-Match hold';
    },

    async head() {
      try {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'state/head.json' }));
        const head = JSON.parse(await Body.transformToString());
        must(head.schema === 1, `state/head.json has schema ${head.schema}: bring this checkout up to date`);
        return `epoch ${head.epoch}, ${head.holder ? `held by ${head.holder} until ${head.until}` : 'free'}, ` +
          `${head.waiting} ids wait${head.stopped ? `; stopped: ${head.stopped}` : ''}`;
      } catch (error) {
        if (error.name === 'NoSuchKey') return 'no owner yet: the first heartbeat makes it, within five minutes';
        throw error;
      }
    },

    // What the program of this checkout finds in the bucket: numbers and sizes of segments, the catalog, the exports.
    async mirror() {
      const program = env.TMDB_COLLECTOR ?? join(root, 'build/tmdb-collector');
      if (!existsSync(program)) return `not looked at: ${program} is not there, ./dev build makes it`;
      try {
        await s3.send(new GetObjectCommand({ Bucket, Key: 'state/head.json' }));
      } catch (error) {
        if (error.name === 'NoSuchKey') return 'there is none yet';
        throw error;
      }
      const { status, stdout, stderr } = spawnSync(program, ['verify'],
        { cwd: root, encoding: 'utf8', env: { ...await withKey(stage), S3_BUCKET_NAME: Bucket } });
      must(status === 0, `${stdout}${stderr}`.trim().replaceAll('\n', '; '));
      return stdout.split('\n').find((line) => line.startsWith('store'))?.replace(/^store +/, '') ?? 'whole';
    },

    async queue() {
      const ids = await attributes(outputs.IdsQueueUrl);
      const { Timeout } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: outputs.CollectorName }));
      must(ids.FifoQueue === 'true',
        `queue ${prefix}-ids is not FIFO: lanes would not hold; npm run remove, then ${again}`);
      must(Number(ids.VisibilityTimeout) >= 6 * Timeout,
        `messages are hidden for ${ids.VisibilityTimeout} s: it takes 6 x ${Timeout} s; ${again}`);
      const dead = await attributes(outputs.DeadLettersUrl);
      must(ids.RedrivePolicy && JSON.parse(ids.RedrivePolicy).deadLetterTargetArn === dead.QueueArn,
        `what fails for ever has nowhere to go: ${again}`);
      must(dead.ApproximateNumberOfMessages === '0',
        `${dead.ApproximateNumberOfMessages} dead letters: look into the log ` +
        `of ${outputs.CollectorName}; aws sqs purge-queue --queue-url ${outputs.DeadLettersUrl} clears the alarm`);
      return `${ids.ApproximateNumberOfMessages} messages wait, ${ids.ApproximateNumberOfMessagesNotVisible} are worked on`;
    },

    async mapping() {
      const { QueueArn } = await attributes(outputs.IdsQueueUrl);
      const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ EventSourceArn: QueueArn }));
      const mapping = EventSourceMappings.find(({ FunctionArn }) => FunctionArn.endsWith(`:${outputs.CollectorName}`));
      must(mapping, `nothing leads from the queue to the collector: ${again}`);
      must(mapping.State === 'Enabled', `the way from the queue to the collector is ${mapping.State}: ` +
        `aws lambda update-event-source-mapping --uuid ${mapping.UUID} --enabled`);
      must(mapping.BatchSize === 1, `the collector gets ${mapping.BatchSize} messages at once: ${again}`);
      return 'the queue leads to the collector, a message a call';
    },

    async functions() {
      for (const name of [outputs.HarvesterName, outputs.CollectorName]) {
        const made = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
        must(made.State === undefined || made.State === 'Active',
          `${name} is ${made.State}: ${made.StateReason ?? again}`);
        must(made.LastUpdateStatus !== 'Failed', `the last update of ${name} failed: ${again}`);
        const variables = made.Environment?.Variables ?? {};
        must(!variables.TMDB_API_KEY, `${name} has the key in its settings, for all who may read them: ${again}`);
        must(variables.S3_BUCKET_NAME === Bucket, `${name} works on bucket ${variables.S3_BUCKET_NAME}: ${again}`);
      }
      return 'both are active, the key is not in their settings';
    },

    async concurrency() {
      const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
      const free = AccountLimit?.UnreservedConcurrentExecutions;
      must(free === undefined || free >= 3,
        `your account may run ${free} functions at once: ask AWS for more (Service ` +
        'Quotas, Lambda, Concurrent executions)');
      return free === undefined ? 'AWS did not say how many functions may run at once' :
        `${free} functions may run at once`;
    },

    async rules() {
      const { Rules = [] } = await events.send(new ListRulesCommand({ NamePrefix: prefix }));
      let asked = 0;
      for (const { Name } of Rules) {
        const { State } = await events.send(new DescribeRuleCommand({ Name }));
        const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: Name }));
        if (!Targets.some(({ Arn }) => Arn.endsWith(`:function:${outputs.HarvesterName}`))) continue;
        must(State === 'ENABLED', `rule ${Name} is ${State}: aws events enable-rule --name ${Name}`);
        asked += 1;
      }
      must(asked === 3, `${asked} of 3 rules call ${outputs.HarvesterName}: ${again}`);
      return 'collection, heartbeat and Collection Requested call the harvester';
    },

    async parameter() {
      const { Parameter } = await ssm.send(new GetParameterCommand({ Name: key, WithDecryption: false }));
      must(Parameter.Type === 'SecureString', `${key} is not encrypted: ${again}`);
      return `the key is in ${key}, encrypted`;
    },

    async key() {
      if (!env.TMDB_API_KEY?.trim()) return 'TMDB_API_KEY is not set here: the check inside asks TMDB';
      return await checkKey(stage) || 'TMDB accepts the key';
    },

    async logs() {
      const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: `/aws/lambda/${prefix}-` }));
      const eternal = logGroups.find(({ retentionInDays }) => !retentionInDays);
      must(!eternal, `log group ${eternal?.logGroupName} never forgets: ${again}`);
      return `${logGroups.length} log groups forget in time`;
    },

    async alerts() {
      return await stackOutputs(stage, stage.alertsStack) ? 'the alarms are set up' :
        `nobody is told when something is wrong: npm run setup-alerts -- --stage=${stage.stage}`;
    },

    // What only the function itself can see: roles, loader, CA file, addresses, the way through the queue.
    async inside() {
      const answer = await lambda.send(new InvokeCommand({ FunctionName: outputs.HarvesterName,
        Payload: JSON.stringify({ 'detail-type': 'Probe' }) }));
      const text = new TextDecoder().decode(answer.Payload);
      must(!answer.FunctionError, `${outputs.HarvesterName} failed: ${text}`);
      const { checks: found = [] } = JSON.parse(text) ?? {};
      must(found.length > 0, `${outputs.HarvesterName} answered nothing about itself: ${again}`);
      for (const { name, ok, detail } of found) console.log(`${ok ? 'ok' : 'no'}  inside/${name}: ${detail}`);
      must(found.every(({ ok }) => ok), 'see the lines above');
      return `${found.length} checks from inside`;
    },
  };
}

run('verify', async () => {
  const stage = begin(process.argv.slice(2), ['only', 'skip']);
  const outputs = await deployed(stage);
  const all = checks(stage, outputs, await loadAws());
  const chosen = stage.flags.only?.split(',') ?? Object.keys(all);
  const skipped = stage.flags.skip?.split(',') ?? [];
  for (const name of [...chosen, ...skipped]) {
    if (!all[name]) throw new Missing(`there is no check '${name}': use ${Object.keys(all).join(', ')}`);
  }
  let failed = 0;
  for (const name of chosen.filter((one) => !skipped.includes(one))) {
    try {
      console.log(`ok  ${name}: ${await all[name]()}`);
    } catch (error) {
      failed += 1;
      // AWS's own errors name the call that was refused.
      console.log(`no  ${name}: ${error instanceof Wrong || error instanceof Missing ? error.message : `${error.name}: ${error.message}`}`);
    }
  }
  console.log(failed ? `${failed} of ${chosen.length} checks failed` : 'everything that was asked is as it should be');
  return failed ? 1 : 0;
});
