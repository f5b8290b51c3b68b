// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, estimate, free, price } from '../cost.mjs';

const cents = (amount) => Number(amount.toFixed(2));
const totals = (given) => {
  const { first, month } = estimate(given);
  return [first.list, first.free, month.list, month.free].map(({ total }) => cents(total));
};

test('the figures of docs/aws.md come out', () => {
  assert.deepEqual(totals({ rate: 40 }), [1.07, 0.09, 4.25, 0.77]);
  assert.deepEqual(totals({ rate: 10, memory: 256 }), [3.65, 0.21, 6.72, 0.84]);
  assert.deepEqual(totals({ rate: 3 }), [7.6, 0.69, 8.71, 1.12]);
});

test('without alerts a month costs four metrics and eight alarms less', () => {
  const [withAlerts, without] = [true, false].map((alerts) => estimate({ rate: 40, alerts }).month.list.total);
  assert.equal(cents(withAlerts - without), cents(4 * price.metric + 8 * price.alarm));
});

test('arm64 takes a fifth off the time of Lambda and leaves the rest', () => {
  const x86 = estimate({ rate: 40 }).first;
  const arm = estimate({ rate: 40, arm: true }).first;
  assert.equal(cents(arm.list.Lambda / x86.list.Lambda), 0.8);
  assert.equal(arm.list.SQS, x86.list.SQS);
});

test('collectors at once are as many as the rate takes, at most those allowed', () => {
  const lanes = (rate, concurrency) => estimate({ rate, concurrency }).lanes;
  assert.equal(lanes(3, 5), 1);
  assert.equal(lanes(40, 5), 1);
  assert.equal(lanes(41, 5), 2);
  assert.equal(lanes(41, 1), 1);
  assert.equal(lanes(1000, 5), 5);
});

test('slower is dearer, as waiting is what costs', () => {
  const rates = [40, 20, 10.5, 5, 3, 1, 0.1];
  const first = rates.map((rate) => estimate({ rate, memory: 256 }).first.list.total);
  assert.deepEqual([...first].sort((a, b) => a - b), first);
});

test('no amount is ever negative, nor taken off twice', () => {
  for (const rate of [0.1, 3, 40, 1000]) {
    const { first, month } = estimate({ rate });
    for (const spent of [first.list, first.free, month.list, month.free]) {
      for (const [name, amount] of Object.entries(spent)) assert.ok(amount >= 0, `${name} ${amount} at ${rate}`);
    }
    assert.ok(first.free.total <= first.list.total);
    assert.ok(month.list.Lambda - month.free.Lambda <= free.gbs * price.gbs + free.invokes * price.invoke + 1e-9);
  }
});

test('what people read names the rate, both stretches and what is free', () => {
  const text = describe(estimate({ rate: 40 }));
  assert.match(text, /at 40 requests a second/);
  assert.match(text, /the first mirror, 1\.8 days\n  list price \$1\.07 .*\n  after what AWS gives for nothing \$0\.09/);
  assert.match(text, /each month after it, 240,000 ids a day\n  list price \$4\.25/);
});
