// SPDX-License-Identifier: MIT
// The dashboard's body: what dashboard.yml deploys, as CloudWatch wants it.
'use strict';

module.exports = ({ resolveVariable }) => Promise.all([resolveVariable('sls:stage'), resolveVariable('env:AWS_REGION')])
  .then(([stage, region]) => {
    const of = `tmdb-data-collector-${stage}`;
    let at = 0;
    const graph = (title, metrics, more = {}) => {
      const place = { x: at % 2 * 12, y: Math.trunc(at / 2) * 6, width: 12, height: 6 };
      at += 1;
      return { type: 'metric', ...place, properties: { title, region, metrics, period: 300, stat: 'Sum', view: 'timeSeries',
        ...more } };
    };
    const own = (name, more) => ['TmdbCollector', name, 'Stage', stage, more ?? {}];
    const queue = (metric, name, label) => ['AWS/SQS', metric, 'QueueName', `${of}-${name}.fifo`, { label }];
    const lambda = (metric, name, label, more) =>
      ['AWS/Lambda', metric, 'FunctionName', `${of}-${name}`, { label: label ?? name, ...more }];
    return JSON.stringify({ widgets: [
      graph('Requests to TMDB a second, and 429s', [
        [{ expression: 'requests / PERIOD(requests)', label: 'requests a second' }],
        [{ expression: 'throttled / PERIOD(throttled)', label: '429 a second' }],
        own('Requests', { id: 'requests', visible: false }), own('Throttled', { id: 'throttled', visible: false })]),
      graph('Messages', [queue('ApproximateNumberOfMessagesVisible', 'ids', 'waiting'),
        queue('ApproximateNumberOfMessagesNotVisible', 'ids', 'at work'),
        queue('ApproximateNumberOfMessagesVisible', 'dead', 'dead letters')], { stat: 'Maximum' }),
      graph('Age of the oldest message, seconds', [queue('ApproximateAgeOfOldestMessage', 'ids', 'oldest')],
        { stat: 'Maximum' }),
      graph('Days since the oldest record was verified', [own('OldestVerifiedDays')], { stat: 'Maximum', period: 3600 }),
      graph('Seconds of an invocation', [
        [{ expression: 'harvester / 1000', label: 'harvester' }], [{ expression: 'collector / 1000', label: 'collector' }],
        lambda('Duration', 'harvester', undefined, { id: 'harvester', visible: false }),
        lambda('Duration', 'collector', undefined, { id: 'collector', visible: false })], { stat: 'Maximum' }),
      graph('Invocations and errors', [lambda('Invocations', 'harvester', 'harvester'),
        lambda('Invocations', 'collector', 'collector'), lambda('Errors', 'harvester', 'harvester failed'),
        lambda('Errors', 'collector', 'collector failed'), own('Denied', { label: 'key refused' })]),
    ] });
  });
