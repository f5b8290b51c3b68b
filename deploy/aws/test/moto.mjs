// SPDX-License-Identifier: MIT
// moto for a test file: started in a folder of its own, spoken to by boto3 (calls.py).
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { root } from '../stage.mjs';

const emulators = join(root, 'tools/emulators');

// {env, python, aws(service, operation, arguments), close()}; `env` is what reaches it, over the one that is given.
export function startMoto(folder, given) {
  const python = execFileSync(join(emulators, 'install'), ['python'], { encoding: 'utf8' }).trim();
  execFileSync(join(emulators, 'up'), ['moto', folder], { stdio: 'inherit' });
  const env = { ...given };
  for (const line of readFileSync(join(folder, 'env'), 'utf8').trim().split('\n')) {
    const [name, value] = line.split(/=(.*)/s);
    env[name] = value;
  }
  const caller = spawn(join(python, 'bin/python'), [join(root, 'deploy/aws/test/calls.py')], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  createInterface({ input: caller.stdout }).on('line', (line) => {
    const { resolve, reject } = waiting.shift();
    const { answer, error } = JSON.parse(line);
    if (error === undefined) resolve(answer);
    else reject(new Error(error));
  });
  caller.on('exit', () => { for (const { reject } of waiting) reject(new Error('calls.py ended')); });
  return {
    env, python,
    aws: (service, operation, given = {}) => new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      caller.stdin.write(`${JSON.stringify([service, operation, given])}\n`);
    }),
    close: () => {
      caller.stdin.end();
      execFileSync(join(emulators, 'down'), [folder]);
    },
  };
}
