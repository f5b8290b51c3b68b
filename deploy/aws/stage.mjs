// SPDX-License-Identifier: MIT
// What every script of the deployment begins with: its flags, the settings of .env, the stage, and the one sentence with
// which it ends when something is missing (exit code 2). Nothing here changes anything.
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

// osls says by itself which Node.js it wants; so does docs/aws.md.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const service = 'tmdb-data-collector';

// What a person has to mend; the message is one sentence that says what to do.
export class Missing extends Error {}

// --stage=dev --debug=true as {stage: 'dev', debug: 'true'}; what is not in `known` is Missing.
export function parseFlags(given, known) {
  const flags = {};
  for (const word of given) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (!name || !known.includes(name)) {
      throw new Missing(`'${word}' is not known here: use ${known.map((one) => `--${one}=...`).join(', ') || 'no flags'}`);
    }
    if (!value) throw new Missing(`--${name} needs a value: --${name}=${name === 'debug' ? 'true' : '...'}`);
    flags[name] = value;
  }
  return flags;
}

// osls needs ^20.19, ^22.13 or 24 and later; older ones fail in the middle of something.
export function nodeIsTooOld(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return !(major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19));
}

// Reads .env.STAGE if there is one, else .env, as osls does; what the environment has already wins.
export function loadSettings(stage, env = process.env) {
  const file = [`.env.${stage}`, '.env'].map((name) => join(root, name)).find(existsSync);
  if (file && !env.TMDBC_NO_ENV_FILE) process.loadEnvFile(file);
  // For osls one name counts, for AWS's own tools another.
  if (!env.AWS_REGION && env.AWS_DEFAULT_REGION) env.AWS_REGION = env.AWS_DEFAULT_REGION;
  return env;
}

// The stage of this command, with its settings loaded.
export function begin(given, known = []) {
  if (nodeIsTooOld(process.version)) {
    throw new Missing(`Node.js ${process.version} is too old: install 20.19, 22.13, or 24 and later`);
  }
  const flags = parseFlags(given, ['stage', 'region', ...known]);
  const stage = flags.stage ?? 'dev';
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(stage)) {
    throw new Missing(`--stage is '${stage}': use 1 to 16 of a-z, 0-9 and -, a letter first`);
  }
  const env = loadSettings(stage);
  if (flags.region) env.AWS_REGION = flags.region;
  return { env, flags, stage, prefix: `${service}-${stage}`, storageStack: `${service}-storage-${stage}`,
    alertsStack: `${service}-alerts-${stage}`,     key: `/${service}/${stage}/tmdb-api-key` };
}

// The path of osls, which `npm install` brings.
export function oslsPath() {
  const path = join(root, 'node_modules/osls/bin/serverless.js');
  if (!existsSync(path)) throw new Missing('the packages are not installed: run npm install');
  return path;
}

// Runs osls on one of the files in the root; ends the script with its exit code when that is not 0.
export function osls(command, config, { stage, env, flags }) {
  const debug = command === 'deploy' && flags.debug ? [`--debug=${flags.debug}`] : [];
  const { status } = spawnSync(process.execPath,
    [oslsPath(), command, '--config', config, '--stage', stage, ...debug],
    { cwd: root, env: { ...env, NODE_NO_WARNINGS: '1' }, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// The program that this checkout built.
export function programPath(env) {
  const path = env.TMDB_COLLECTOR ?? join(root, 'build/tmdb-collector');
  if (!existsSync(path)) throw new Missing(`${path} is not there: run ./dev build, or name the program in TMDB_COLLECTOR`);
  return path;
}

// Runs `main`; a Missing is printed as the sentence that it is.
export async function run(name, main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    if (!(error instanceof Missing)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 2;
  }
}
