// SPDX-License-Identifier: MIT
// Stands before AWS's emulator and does what that does not: it lets each role do what its policy allows and nothing else,
// with S3's manners (what is absent is 403 for a role that may not list). It counts what was called, and may end the
// caller at any call, before it arrives or before its answer does. Callers are known by their access key.
import { createServer, request as send } from 'node:http';
import { once } from 'node:events';

// [action, resources] of an operation: what its caller must be allowed.
const actionOf = { HeadObject: 's3:GetObject', GetObject: 's3:GetObject', ListObjectsV2: 's3:ListBucket', PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject', UploadPart: 's3:PutObject', CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload', DeleteObject: 's3:DeleteObject', DeleteObjects: 's3:DeleteObject',
  SendMessageBatch: 'sqs:SendMessage' };

function nameS3(method, url) {
  const has = (name) => url.searchParams.has(name);
  const bucketAlone = url.pathname.split('/').filter(Boolean).length <= 1;
  if (method === 'GET') return bucketAlone ? (has('list-type') ? 'ListObjectsV2' : 'unknown') : 'GetObject';
  if (method === 'HEAD') return bucketAlone ? 'HeadBucket' : 'HeadObject';
  if (method === 'PUT') return has('partNumber') ? 'UploadPart' : bucketAlone ? 'CreateBucket' : 'PutObject';
  if (method === 'POST') return has('uploads') ? 'CreateMultipartUpload' : has('uploadId') ? 'CompleteMultipartUpload' :
    has('delete') ? 'DeleteObjects' : 'unknown';
  if (method === 'DELETE') return has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  return 'unknown';
}

// {operation, action, resources} of a request.
export function readCall(method, path, target, body) {
  if (target) {
    const operation = target.split('.').at(-1);
    const given = JSON.parse(body.toString() || '{}');
    if (target.startsWith('AmazonSQS.')) {
      return { operation, action: actionOf[operation] ?? `sqs:${operation}`,
        resources: [`arn:aws:sqs:us-east-1:123456789012:${given.QueueUrl.split('/').at(-1)}`] };
    }
    if (target.startsWith('AmazonSSM.')) {
      return { operation, action: `ssm:${operation}`, resources: [`arn:aws:ssm:us-east-1:123456789012:parameter${given.Name}`] };
    }
    return { operation, action: `unknown:${target}`, resources: [target] };
  }
  const url = new URL(path, 'http://s3');
  const operation = nameS3(method, url);
  const [, bucket, key] = /^\/([^/]+)\/?(.*)$/s.exec(decodeURIComponent(url.pathname)) ?? [];
  const keys = operation === 'DeleteObjects' ? [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, one]) => one) : [key];
  return { operation, action: actionOf[operation] ?? `s3:${operation}`,
    resources: keys.map((one) => `arn:aws:s3:::${bucket}${one ? `/${one}` : ''}`) };
}

const matches = (pattern, text) =>
  new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's').test(text);
const list = (one) => Array.isArray(one) ? one : [one];

// Whether `statements`, as IAM keeps them, allow it.
export function allows(statements, action, resource) {
  return statements.some((one) => one.Effect === 'Allow' && list(one.Action).some((pattern) => matches(pattern, action)) &&
    list(one.Resource).some((pattern) => matches(pattern, resource)));
}

// `upstream`: the emulator's URL. `policies`: statements by access key; a key that is not in it may do everything.
// `onCall(call)`: told of each call of a role before it goes on; the promise that it returns is waited for, and says
// 'before' to have the call lost, 'after' to have its answer lost.
export async function openGate({ upstream, policies, onCall = async () => {} }) {
  const { hostname, port } = new URL(upstream);
  const calls = []; // {role, operation, action, resources}
  const denied = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      return; // the caller is gone
    }
    const body = Buffer.concat(parts);
    const role = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
    const statements = policies[role];
    let call;
    let lost;
    if (statements) {
      call = { role, ...readCall(request.method, request.url, request.headers['x-amz-target'], body) };
      calls.push(call);
      const refused = call.resources.filter((one) => !allows(statements, call.action, one));
      if (refused.length > 0) {
        denied.push(`${role}: ${call.action} on ${refused}`);
        response.writeHead(403, { 'Content-Type': 'application/xml' });
        response.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
        return;
      }
      lost = await onCall(call);
      if (lost === 'before') return request.socket.destroy();
    }
    const onward = send({ hostname, port, method: request.method, path: request.url, headers: request.headers }, async (answer) => {
      const bytes = [];
      for await (const part of answer) bytes.push(part);
      if (lost === 'after') return request.socket.destroy();
      const bucket = call?.resources[0].split(':::')[1]?.split('/')[0];
      const hidden = answer.statusCode === 404 && ['GetObject', 'HeadObject'].includes(call?.operation) &&
        !allows(statements, 's3:ListBucket', `arn:aws:s3:::${bucket}`);
      const headers = { ...answer.headers };
      delete headers['transfer-encoding'];
      response.writeHead(hidden ? 403 : answer.statusCode, headers);
      response.end(request.method === 'HEAD' ? undefined : Buffer.concat(bytes));
    });
    onward.on('error', () => request.socket.destroy());
    onward.end(body);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, calls, denied,
    close: () => { server.closeAllConnections(); server.close(); } };
}
