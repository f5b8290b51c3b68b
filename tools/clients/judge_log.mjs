// SPDX-License-Identifier: MIT
// judge_log.mjs FILE: judges each answer that a client of another language got: lines of {"name","url","status","body"}
// on the standard input. Prints those that are not what they must be; exit status 1 when there are any.
import readline from 'node:readline';
import {judge} from './mirror.mjs';

let bad = 0;
for await (const line of readline.createInterface({input: process.stdin})) {
  const {name, url, status, body} = JSON.parse(line);
  try {
    if (status === 200) judge(url, body);
  } catch (error) {
    bad += 1;
    console.log(`FAILED ${name}: ${error.message} (${url})`);
  }
}
process.exit(bad > 0 ? 1 : 0);
