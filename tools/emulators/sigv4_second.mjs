#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// sigv4_second.mjs FILE: asks a second signer, npm's aws4, about each request of src/aws/testdata/sigv4.jsonl.
// NODE_MODULES names the folder that aws4 is in (build/emulators/node/node_modules).
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.env.NODE_MODULES, 'x.js'))
const aws4 = require('aws4')

// What aws4 does otherwise than S3 and botocore: it takes the first of several parameters of one name.
const passedOver = new Set(['one name twice'])
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase())

let compared = 0
for (const line of readFileSync(process.argv[2], 'utf8').trimEnd().split('\n')) {
  const vector = JSON.parse(line)
  if (passedOver.has(vector.name)) continue
  const path = vector.path.split('/').map(encode).join('/')
  const query = vector.query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  const headers = Object.fromEntries(vector.headers)
  headers.Host = vector.host
  headers['X-Amz-Date'] = vector.added['x-amz-date']
  if (vector.payload === null) headers['X-Amz-Content-Sha256'] = 'UNSIGNED-PAYLOAD'
  const signed = aws4.sign(
    { method: vector.method, service: vector.service, region: vector.region, path: query ? `${path}?${query}` : path, headers,
      // A body alone would add headers of its own.
      body: vector.payload || undefined, extraHeadersToInclude: { range: true },
      extraHeadersToIgnore: { 'content-length': true, ...('Content-Type' in headers ? {} : { 'content-type': true }) } },
    { accessKeyId: vector.access_key_id, secretAccessKey: vector.secret_access_key, sessionToken: vector.session_token || undefined })
  if (signed.headers.Authorization !== vector.added.authorization) {
    console.error(`${vector.name}: aws4 signs\n  ${signed.headers.Authorization}\nwhere the file has\n  ${vector.added.authorization}`)
    process.exitCode = 1
  }
  ++compared
}
console.log(`${compared} requests signed as aws4 signs them`)
