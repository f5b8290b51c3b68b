// SPDX-License-Identifier: MIT
// A server that answers for AWS and for TMDB as a test tells it, and remembers what would have changed something.
import { createServer } from 'node:http';
import { once } from 'node:events';

const xml = (text) => ({ type: 'text/xml', text });
const identity = xml('<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>' +
  '<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>U</UserId></GetCallerIdentityResult></GetCallerIdentityResponse>');
export const noStack = { status: 400, ...xml('<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>' +
  '<Message>Stack with id x does not exist</Message></Error></ErrorResponse>') };
export const stackWith = (outputs) => xml('<DescribeStacksResponse><DescribeStacksResult><Stacks><member>' +
  '<StackName>x</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-11-22T00:00:00Z</CreationTime><Outputs>' +
  Object.entries(outputs).map(([name, value]) => `<member><OutputKey>${name}</OutputKey><OutputValue>${value}</OutputValue></member>`)
    .join('') + '</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>');
export const awsError = (status, code) => ({ status, ...xml(`<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code>` +
  '<Message>no</Message></Error></ErrorResponse>') });

// `answers`: identity, bucket (HEAD), stack, tmdb; each {status, type, text}, or absent for the usual one.
export async function fakeAws(answers = {}) {
  const changes = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const action = new URLSearchParams(body).get('Action') ?? request.headers['x-amz-target'] ?? '';
    const answer = request.url.startsWith('/3/') ? answers.tmdb ?? { text: '{}' } :
      action === 'GetCallerIdentity' ? answers.identity ?? identity :
      action === 'DescribeStacks' ? answers.stack ?? noStack :
      request.method === 'HEAD' ? answers.bucket ?? { status: 404 } : null;
    if (!answer) changes.push(`${request.method} ${request.url} ${action}`);
    response.writeHead(answer?.status ?? (answer ? 200 : 500), { 'Content-Type': answer?.type ?? 'application/json' });
    response.end(request.method === 'HEAD' ? '' : answer?.text ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, changes, close: () => server.close() };
}
