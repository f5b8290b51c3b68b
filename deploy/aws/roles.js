// SPDX-License-Identifier: MIT
// The policies of the two functions' roles, made from permissions.json: the one list of what each may do.
'use strict';
const permissions = require('./permissions.json');

// The ARN of `on`, for serverless.yml.
function resource(of, on) {
  const prefix = '${self:service}-${sls:stage}';
  if (on === 'ids') return { 'Fn::GetAtt': ['IdsQueue', 'Arn'] };
  if (on === 'dead') return { 'Fn::GetAtt': ['DeadLetters', 'Arn'] };
  if (on === 'key') {
    return { 'Fn::Sub': 'arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${self:custom.key}' };
  }
  if (on === 'logs') {
    return { 'Fn::Sub':
      `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${prefix}-${of}:*` };
  }
  if (on === 'bucket' || on.startsWith('bucket/')) {
    return { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::\${self:custom.storage.bucket}${on.slice('bucket'.length)}` };
  }
  throw new Error(`permissions.json: '${on}' is nothing that a role can be allowed`);
}

const statements = (of) => permissions[of].map(({ action, on }) =>
  ({ Effect: 'Allow', Action: action, Resource: on.map((name) => resource(of, name)) }));

module.exports = { harvester: statements('harvester'), collector: statements('collector') };
