// SPDX-License-Identifier: MIT
// A plugin of osls: before a deploy, TMDB_API_KEY goes from the environment (or .env) into an encrypted parameter of
// Systems Manager and nowhere else: neither into a template nor into a function's settings.
'use strict';
const { PutParameterCommand, SSMClient } = require('@aws-sdk/client-ssm');

module.exports = class Key {
  constructor(serverless) {
    this.hooks = {
      'before:deploy:deploy': async () => {
        const Value = process.env.TMDB_API_KEY?.trim();
        if (!Value) throw new serverless.classes.Error('TMDB_API_KEY is not set: put it in .env');
        const client = new SSMClient(await serverless.getProvider('aws').getAwsSdkV3Config());
        const Name = serverless.service.custom.key;
        await client.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
      },
    };
  }
};
