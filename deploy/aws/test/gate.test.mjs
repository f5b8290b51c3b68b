// SPDX-License-Identifier: MIT
// That the judge of the roles judges as AWS does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allows, readCall } from './gate.mjs';

test('requests are taken for the operations that they are', () => {
  const rows = [
    ['GET', '/b/state/head.json', 'GetObject', 's3:GetObject', ['arn:aws:s3:::b/state/head.json']],
    ['HEAD', '/b/inbox/bundle/1', 'HeadObject', 's3:GetObject', ['arn:aws:s3:::b/inbox/bundle/1']],
    ['GET', '/b?list-type=2&prefix=inbox%2F', 'ListObjectsV2', 's3:ListBucket', ['arn:aws:s3:::b']],
    ['GET', '/b/?list-type=2', 'ListObjectsV2', 's3:ListBucket', ['arn:aws:s3:::b']],
    ['PUT', '/b/a%20b', 'PutObject', 's3:PutObject', ['arn:aws:s3:::b/a b']],
    ['PUT', '/b/k?partNumber=1&uploadId=u', 'UploadPart', 's3:PutObject', ['arn:aws:s3:::b/k']],
    ['POST', '/b/k?uploads=', 'CreateMultipartUpload', 's3:PutObject', ['arn:aws:s3:::b/k']],
    ['POST', '/b/k?uploadId=u', 'CompleteMultipartUpload', 's3:PutObject', ['arn:aws:s3:::b/k']],
    ['DELETE', '/b/k?uploadId=u', 'AbortMultipartUpload', 's3:AbortMultipartUpload', ['arn:aws:s3:::b/k']],
    ['DELETE', '/b/k', 'DeleteObject', 's3:DeleteObject', ['arn:aws:s3:::b/k']],
    ['PUT', '/b', 'CreateBucket', 's3:CreateBucket', ['arn:aws:s3:::b']],
  ];
  for (const [method, path, operation, action, resources] of rows) {
    assert.deepEqual(readCall(method, path, undefined, Buffer.from('')), { operation, action, resources }, `${method} ${path}`);
  }
  const many = '<Delete><Object><Key>inbox/1</Key></Object><Object><Key>records/2</Key></Object></Delete>';
  assert.deepEqual(readCall('POST', '/b?delete=', undefined, Buffer.from(many)).resources,
    ['arn:aws:s3:::b/inbox/1', 'arn:aws:s3:::b/records/2']);
  const sent = readCall('POST', '/', 'AmazonSQS.SendMessageBatch', Buffer.from('{"QueueUrl":"https://sqs/1/ids.fifo"}'));
  assert.deepEqual(sent, { operation: 'SendMessageBatch', action: 'sqs:SendMessage', resources: ['arn:aws:sqs:us-east-1:123456789012:ids.fifo'] });
});

test('a policy allows its actions on its resources alone', () => {
  const policy = [{ Effect: 'Allow', Action: 's3:GetObject', Resource: ['arn:aws:s3:::b/inbox/*'] }, { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: 'arn:aws:s3:::b' }];
  assert.ok(allows(policy, 's3:GetObject', 'arn:aws:s3:::b/inbox/bundle/1'));
  assert.ok(!allows(policy, 's3:GetObject', 'arn:aws:s3:::b/records/1'));
  assert.ok(!allows(policy, 's3:PutObject', 'arn:aws:s3:::b/inbox/bundle/1'));
  assert.ok(!allows(policy, 's3:ListBucket', 'arn:aws:s3:::bb'));
  assert.ok(!allows(policy, 's3:GetObject', 'arn:aws:s3:::bxinbox/1'));
});
