// SPDX-License-Identifier: MIT
// What a deploy needs, asked for before it changes anything. Each check throws Missing, with one sentence.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { Missing, oslsPath, root } from './stage.mjs';

const require = createRequire(import.meta.url);

export function checkRegion({ env }) {
  if (!env.AWS_REGION?.trim()) throw new Missing('no AWS region: set AWS_REGION in .env, as AWS_REGION=us-east-1');
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(env.AWS_REGION)) {
    throw new Missing(`AWS_REGION is '${env.AWS_REGION}': use a region's name, as us-east-1`);
  }
}

// The files that read .env say themselves what is wrong with it.
export function checkSettings({ env }) {
  if (env.S3_ENDPOINT) {
    throw new Missing('S3_ENDPOINT is set: functions keep their mirror in S3 of their own account; for a bucket ' +
      'elsewhere use the program itself (docs/aws.md)');
  }
  for (const name of ['storage', 'collector', 'harvester']) {
    try {
      require(join(root, `${name}.config.js`));
    } catch (error) {
      throw new Missing(error.message);
    }
  }
}

export function checkKeyShape({ env }) {
  const key = env.TMDB_API_KEY?.trim();
  if (!key) throw new Missing('TMDB_API_KEY is not set: put it in .env (https://www.themoviedb.org/settings/api)');
  if (!/^[0-9a-f]{32}$/i.test(key) && !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(key)) {
    throw new Missing('TMDB_API_KEY is not a TMDB key: use the 32 hexadecimal digits of a v3 key, or a v4 read token');
  }
}

export function checkZip({ env }) {
  const zip = env.LAMBDA_ZIP ?? 'build/lambda.zip';
  if (!existsSync(resolve(root, zip))) throw new Missing(`${zip} is not there: run ./dev lambda, which builds it`);
}

// Asks TMDB. That it cannot be asked from here says nothing about the functions: then a warning to print.
export async function checkKey({ env }) {
  const base = (env.TMDB_API_BASE_URL?.trim() || 'https://api.themoviedb.org/3').replace(/\/+$/, '');
  const key = env.TMDB_API_KEY.trim();
  const v4 = key.includes('.');
  let answer;
  try {
    answer = await fetch(`${base}/configuration${v4 ? '' : `?api_key=${key}`}`,
      { headers: v4 ? { Authorization: `Bearer ${key}` } : {}, signal: AbortSignal.timeout(10_000) });
  } catch {
    return `${new URL(base).host} could not be asked whether it accepts the key`;
  }
  if (answer.status === 401) {
    throw new Missing('TMDB refuses TMDB_API_KEY (HTTP 401): copy it again from https://www.themoviedb.org/settings/api');
  }
  return answer.ok ? '' : `${new URL(base).host} answered HTTP ${answer.status} when asked whether it accepts the key`;
}

// The account's number.
export async function checkCredentials({ env }) {
  oslsPath();
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  try {
    return (await new STSClient({ region: env.AWS_REGION }).send(new GetCallerIdentityCommand({}))).Account;
  } catch (error) {
    if (error.name === 'CredentialsProviderError') {
      throw new Missing('no AWS credentials: run aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY ' +
        'or AWS_PROFILE');
    }
    if (error.$metadata?.httpStatusCode) {
      throw new Missing(`AWS refuses the credentials (${error.name}): renew them with aws configure or aws sso login`);
    }
    throw new Missing(`AWS cannot be reached in ${env.AWS_REGION} (${error.code ?? error.name}): is the region's name ` +
      'right, is there a network?');
  }
}

// The environment of a program that is no package of AWS's: with the key that those find, by SSO, by a role that a
// profile assumes, by a process of its own. It holds for as long as AWS gave it, an hour as a rule.
export async function withKey({ env }) {
  const { STSClient } = await import('@aws-sdk/client-sts');
  const key = await new STSClient({ region: env.AWS_REGION }).config.credentials();
  const all = { ...env, AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_SESSION_TOKEN: key.sessionToken };
  if (!key.sessionToken) delete all.AWS_SESSION_TOKEN;
  return all;
}

// The bucket may be absent, or the one that the stack of this stage has made.
export async function checkBucket({ env, stage, storageStack }) {
  const { HeadBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
  const name = env.S3_BUCKET_NAME.trim();
  try {
    await new S3Client({ region: env.AWS_REGION }).send(new HeadBucketCommand({ Bucket: name }));
  } catch (error) {
    const status = error.$metadata?.httpStatusCode;
    if (status === 404) return;
    if (status === 403) {
      throw new Missing(`S3_BUCKET_NAME is '${name}': another account has a bucket of that name, or yours may not look; ` +
        'choose another name');
    }
    if (status === 301 || status === 400) {
      throw new Missing(`S3_BUCKET_NAME is '${name}': that bucket is in another region than ${env.AWS_REGION}; choose ` +
        'another name or set AWS_REGION');
    }
    throw new Missing(`S3 could not be asked for bucket ${name} (${error.name}): try again`);
  }
  if ((await stackOutputs({ env }, storageStack))?.BucketName !== name) {
    throw new Missing(`S3_BUCKET_NAME is '${name}': you have that bucket, but stage ${stage} did not make it; choose ` +
      'another name');
  }
}

// The outputs of a stack by name; null when there is no such stack.
export async function stackOutputs({ env }, name) {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  try {
    const { Stacks } = await new CloudFormationClient({ region: env.AWS_REGION })
      .send(new DescribeStacksCommand({ StackName: name }));
    return Object.fromEntries((Stacks[0].Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  } catch (error) {
    if (error.name === 'ValidationError' && /does not exist/.test(error.message)) return null;
    throw new Missing(`CloudFormation could not be asked for stack ${name} (${error.name}): ${error.message}`);
  }
}

// The outputs of the system of this stage, which must have been deployed.
export async function deployed(stage) {
  checkRegion(stage);
  await checkCredentials(stage);
  const outputs = await stackOutputs(stage, stage.prefix);
  if (!outputs) {
    throw new Missing(`stage ${stage.stage} is not deployed in ${stage.env.AWS_REGION}: run npm run deploy -- ` +
      `--stage=${stage.stage}, or name its --stage and --region`);
  }
  return outputs;
}
