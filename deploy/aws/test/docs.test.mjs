// SPDX-License-Identifier: MIT
// docs/aws.md says what is so.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { estimate } from '../cost.mjs';
import { root } from '../stage.mjs';

const permissions = createRequire(import.meta.url)('../permissions.json');
const docs = Object.fromEntries(['aws', 'aws-checklist'].map((name) => [name, readFileSync(join(root, `docs/${name}.md`), 'utf8')]));
const rows = (text) => text.split('\n').filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));

test('the costs in docs/aws.md are those of the estimate', () => {
  const table = rows(docs.aws).filter(([rate]) => /^\d+$/.test(rate));
  assert.deepEqual(table.map(([rate]) => rate), ['3', '10', '40']);
  const money = ({ total }) => `$${total.toFixed(2)}`;
  for (const [rate, ...cells] of table) {
    const { days, first, month } = estimate({ rate: Number(rate) });
    assert.deepEqual(cells, [`${days.toFixed(1)} days, ${money(first.list)}`, money(first.free), money(month.list), money(month.free)]);
  }
});

test('the permissions in docs/aws.md are those of the roles', () => {
  const told = rows(docs.aws).filter(([role]) => role in permissions);
  const given = Object.entries(permissions).flatMap(([role, all]) => all.map((one) => [role, one.action, one.on.join(', '), one.for]));
  assert.deepEqual(told, given);
});

test('each alarm has a row that says what to look at', () => {
  const alarms = [...readFileSync(join(root, 'alerts.yml'), 'utf8').matchAll(/AlarmName: \$\{self:custom\.of\}-([a-z-]+)/g)].map(([, name]) => name);
  const told = rows(docs.aws).map(([name]) => name);
  assert.equal(alarms.length, 7);
  for (const name of alarms) assert.ok(told.includes(name), name);
});

test('each check of verify that the checklist names exists, and each says something there', () => {
  const checks = [...readFileSync(join(root, 'deploy/aws/verify.mjs'), 'utf8').matchAll(/^ {4}async ([a-z]+)\(\) \{$/gm)].map(([, name]) => name);
  const named = [...docs['aws-checklist'].matchAll(/verify ((?:`[a-z]+`(?:, )?)+)/g)].flatMap(([, names]) => names.match(/[a-z]+/g));
  assert.ok(checks.length > 10);
  for (const name of named) assert.ok(checks.includes(name), name);
});

test('the commands and files that are named exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json')));
  for (const [, name] of Object.values(docs).join('').matchAll(/npm run ([a-z-]+)/g)) assert.ok(scripts[name], `npm run ${name}`);
  for (const [, file] of docs.aws.matchAll(/\b((?:deploy|samples)\/[\w./-]+\.\w+|(?:storage|serverless|alerts|dashboard)\.yml|\w+\.config\.js)\b/g)) {
    assert.ok(existsSync(join(root, file)), file);
  }
  for (const [, page] of Object.values(docs).join('').matchAll(/\]\(([\w/.-]+\.md)/g)) assert.ok(existsSync(join(root, 'docs', page)), page);
  for (const script of Object.values(scripts)) for (const [file] of script.matchAll(/deploy\/[\w./-]+/g)) assert.ok(existsSync(join(root, file)), file);
});
