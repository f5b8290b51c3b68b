// SPDX-License-Identifier: MIT
// What the mirror costs on AWS, before it is made: list prices of us-east-1 in US dollars, and what remains after what AWS
// gives every account each month. Amounts follow from how the system works (docs/aws.md): messages of about a minute's
// work, cycles of the owner that carry the catalog from the bucket and back, a heartbeat every five minutes.

export const price = { gbs: 0.0000166667, gbsArm: 0.0000133334, invoke: 0.2e-6, sqs: 0.5e-6, put: 5e-6, get: 0.4e-6,
  gbMonth: 0.023, metric: 0.3, alarm: 0.1, logGb: 0.5 };
export const free = { gbs: 400_000, invokes: 1e6, sqs: 1e6, metrics: 10, alarms: 10, logGb: 5 };
const nothingFree = { gbs: 0, invokes: 0, sqs: 0, metrics: 0, alarms: 0, logGb: 0 };

// TMDB's exports of 2026-11: films, shows (1.04 requests each), people.
export const requestsOfAll = 1_235_000 + Math.trunc(227_000 * 1.04) + 4_660_000;
const storedGb = 12;
const catalogGb = 0.65;
const ownerGb = 1769 / 1024; // memory of the harvester function
const partBytes = 64e6; // of the catalog's upload
const bucketBytesASecond = 70e6; // between a function and S3: an assumption
const intakeSeconds = 0.0004; // of a core, a record
const idsADay = 240_000; // changed, or verified again: a thirtieth of all
const metrics = 4;
const alarms = 8; // one alarm looks at two metrics

// One stretch of work, as amounts.
function stretch({ requests, days, rate, lanes, memory, cycles, catalog, beats }) {
  const pace = 0.98 * rate;
  const batch = Math.min(2000, Math.max(1, Math.trunc(60 * pace / lanes)));
  const messages = Math.ceil(requests / batch);
  const seconds = requests / pace;
  const work = seconds * lanes + messages * (1 + lanes / pace); // start, handover, the last answers
  // Six cycles in ten find a cold function, which has to fetch the catalog.
  const cycle = 6 + 2 * catalog * 1e9 / bucketBytesASecond * 0.6 + requests / cycles * intakeSeconds;
  return {
    batch, cycle, seconds,
    gbs: work * memory / 1024 + cycles * cycle * ownerGb + beats * 0.15 * ownerGb,
    invokes: messages + cycles + beats,
    sqs: messages * 3.2 + days * 86400 / 20 * 5, // five pollers of the mapping, long polls of 20 s
    puts: messages + cycles * (Math.ceil(catalog * 1e9 / partBytes) + 2 + 4 * 2 + 4 + 14) + beats * 2,
    gets: messages * 2 + cycles * 40 + beats,
    logGb: (messages * 2 + cycles * 30 + beats * 2) * 400 / 1e9,
  };
}

function dollars(a, { months, gb, arm, alerts, off }) {
  const beyond = (amount, given) => Math.max(0, amount - given);
  const billed = alerts ? beyond(metrics, off.metrics) * price.metric + beyond(alarms, off.alarms) * price.alarm : 0;
  const parts = {
    Lambda: beyond(a.gbs, off.gbs * Math.max(1, months)) * (arm ? price.gbsArm : price.gbs) +
      beyond(a.invokes, off.invokes) * price.invoke,
    SQS: beyond(a.sqs, off.sqs) * price.sqs,
    'S3 requests': a.puts * price.put + a.gets * price.get,
    'S3 storage': gb * price.gbMonth * months,
    CloudWatch: billed * months + beyond(a.logGb, off.logGb) * price.logGb,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, one) => sum + one, 0) };
}

// The first mirror and a month after it, at `rate` requests a second.
export function estimate({ rate = 3, concurrency = 5, memory = rate > 10 ? 256 : 128, arm = false, alerts = true } = {}) {
  const lanes = Math.min(concurrency, Math.max(1, Math.ceil(rate / 40)));
  const days = requestsOfAll / (0.98 * rate) / 86400;
  const eager = rate > 10; // then bundles are taken in every 10 minutes, else every 30
  const cycles = Math.max(1, Math.trunc(days * 24 * (eager ? 6 : 2)));
  const first = stretch({ requests: requestsOfAll, days, rate, lanes, memory, cycles, catalog: catalogGb * 0.6,
    beats: Math.max(0, Math.trunc(days * 288) - cycles) });
  const ids = Math.min(idsADay, Math.trunc(0.8 * 0.98 * rate * 86400));
  const aDay = Math.max(2, Math.trunc(ids / (0.98 * rate) / (eager ? 600 : 1800)) + 1);
  const month = stretch({ requests: ids * 30, days: 30, rate, lanes, memory, cycles: 30 * aDay, catalog: catalogGb,
    beats: 8640 - 30 * aDay });
  month.gbs += 30 * 90 * ownerGb; // the harvest itself
  const priced = (amounts, months, gb) => ({
    ...amounts,
    list: dollars(amounts, { months, gb, arm, alerts, off: nothingFree }),
    free: dollars(amounts, { months, gb, arm, alerts, off: free }),
  });
  return { rate, lanes, memory, arm, alerts, days, cycles, batch: first.batch, ids, cyclesADay: aDay,
    first: priced(first, days / 30, storedGb / 2 + 5), month: priced(month, 1, storedGb * 1.5 + 8) };
}

// As lines for people.
export function describe(e) {
  const money = (amount) => `$${amount.toFixed(2)}`;
  const parts = (spent) => Object.entries(spent).filter(([name]) => name !== 'total')
    .map(([name, amount]) => `${name} ${amount.toFixed(2)}`).join(', ');
  const lines = ({ list, free: left }) =>
    `  list price ${money(list.total)} (${parts(list)})\n  after what AWS gives for nothing ${money(left.total)}`;
  return `What it will cost, by list prices of us-east-1, for all of TMDB at ${e.rate} requests a second
(${e.lanes} collector${e.lanes === 1 ? '' : 's'} at once of ${e.memory} MB, ${e.batch} ids a message, ` +
    `${e.arm ? 'arm64' : 'x86_64'}, ${e.alerts ? 'with' : 'without'} alerts):
the first mirror, ${e.days.toFixed(1)} days
${lines(e.first)}
each month after it, ${e.ids.toLocaleString('en-US')} ids a day
${lines(e.month)}`;
}
