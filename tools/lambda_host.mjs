// SPDX-License-Identifier: MIT
// Stands in for AWS Lambda and its mapping from SQS, on this machine. A function's zip runs in @vercel/fun, which nobody
// wrote for us: it unpacks the zip, serves the Runtime API, freezes the process between calls. As a program:
//
//   node tools/lambda_host.mjs --zip=build/lambda.zip --handler=harvester --event=event.json
//   node tools/lambda_host.mjs --zip=build/lambda.zip --handler=collector --queue=URL [--idle=5]
//
// The first calls the function once with an event and prints the answer. The second hands it the messages of a queue, one
// a call, as many at once as the queue has message groups to give, and deletes those that succeeded; it ends when no
// message came for --idle seconds. More flags: --timeout=180 and --memory=256, of the function. Variables whose names begin
// with FN_ are the function's, without that beginning. Exit code 1 when a call failed.
import { openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const emulators = process.env.TMDBC_EMULATORS ?? join(root, 'build/emulators');

// fun, which tools/emulators/install node brings.
function loadFun() {
  const require = createRequire(join(emulators, 'node/package.json'));
  try {
    return { createFunction: require('@vercel/fun').createFunction,
      RuntimeServer: require('@vercel/fun/dist/src/runtime-server.js').RuntimeServer,
      NativeProvider: require('@vercel/fun/dist/src/providers/native/index.js').default };
  } catch (error) {
    throw new Error(`@vercel/fun is not there (${error.code}): run tools/emulators/install node`);
  }
}

const childProcess = createRequire(import.meta.url)('node:child_process');
const printedBy = new Map(); // by a function's name, where its output goes

// One function of Lambda. Calls at once run in processes of their own, as there.
export class FunctionHost {
  // `timeout` in seconds. `environment` are the function's variables, `identity` the access key with which it calls AWS,
  // `log` the file that gets what it prints (else that goes where ours goes).
  static async open({ zip, handler, environment, identity = 'testing', timeout = 180, memory = 256, log }) {
    const host = new FunctionHost();
    const { createFunction, RuntimeServer, NativeProvider } = loadFun();
    const printed = log ? openSync(log, 'a') : 'inherit';
    // fun sends no content type, a deadline in 1970, and a name of its own.
    if (!RuntimeServer.prototype.asAws) {
      const next = RuntimeServer.prototype.handleNextInvocation;
      RuntimeServer.prototype.asAws = true;
      RuntimeServer.prototype.handleNextInvocation = function (request, response) {
        const { Timeout, FunctionName } = this.lambda.params;
        const setHeader = response.setHeader.bind(response);
        response.setHeader = (name, value) => setHeader(name, /deadline-ms/i.test(name) ? `${Date.now() + Timeout * 1000}` :
          /function-arn/i.test(name) ? `arn:aws:lambda:us-east-1:123456789012:function:${FunctionName}` : value);
        response.setHeader('Content-Type', 'application/json');
        return next.call(this, request, response);
      };
      // Of a process that is killed at the wrong moment (between its answer and its next question, or while it is frozen)
      // it does not notice.
      const exited = { StatusCode: 200, FunctionError: 'Unhandled',
        Payload: JSON.stringify({ errorMessage: 'Process exited before completing request' }) };
      const death = (server) => {
        if (!server.death) server.death = new Promise((resolve) => { server.die = () => resolve(exited); });
        return server.death;
      };
      const { invoke, close } = RuntimeServer.prototype;
      RuntimeServer.prototype.invoke = function (params) {
        return Promise.race([death(this), invoke.call(this, params)]);
      };
      RuntimeServer.prototype.close = function (done) {
        death(this);
        this.die();
        return close.call(this, done);
      };
      for (const name of ['freezeProcess', 'unfreezeProcess']) {
        const signal = NativeProvider.prototype[name];
        NativeProvider.prototype[name] = function (process) {
          try {
            signal.call(this, process);
          } catch (error) {
            if (error.code !== 'ESRCH') throw error;
          }
        };
      }
      const create = NativeProvider.prototype.createProcess;
      NativeProvider.prototype.createProcess = async function () {
        const process = await create.call(this);
        this.lambda.params.born?.(process);
        return process;
      };
      // It starts them with our own stdout, and says which function's in their environment alone.
      const spawn = childProcess.spawn;
      childProcess.spawn = (file, words, options) => {
        const own = printedBy.get(options?.env?.AWS_LAMBDA_FUNCTION_NAME);
        return spawn(file, words, own && own !== 'inherit' ? { ...options, stdio: ['ignore', own, own] } : options);
      };
    }
    const name = `host-${handler}`;
    printedBy.set(name, printed);
    host.processes = new Set();
    host.fn = await createFunction({
      Code: { ZipFile: readFileSync(zip) }, Runtime: 'provided', Handler: handler, FunctionName: name,
      Timeout: timeout, MemorySize: memory, Region: 'us-east-1', AccessKeyId: identity, SecretAccessKey: identity,
      Environment: { Variables: environment },
      born: (process) => {
        host.processes.add(process);
        process.on('exit', () => host.processes.delete(process));
      },
    });
    // A process that was killed while nobody called it is not given out again.
    host.fn.provider.pool._config.testOnBorrow = true;
    host.fn.provider.pool._factory.validate = async (process) => process.exitCode === null && process.signalCode === null;
    return host;
  }

  // {answer}, or {error} with what the function or the host said.
  async call(event) {
    const { FunctionError, Payload } = await this.fn.invoke({ InvocationType: 'RequestResponse', Payload: JSON.stringify(event) });
    const said = JSON.parse(String(Payload) || 'null');
    return FunctionError ? { error: said?.errorMessage ?? String(Payload) } : { answer: said };
  }

  // Ends every process as if its machine had gone: no signal that could be caught.
  kill() {
    for (const process of this.processes) process.kill('SIGKILL');
    return this.processes.size;
  }

  async close() {
    this.kill();
    await this.fn.destroy();
  }
}

// The mapping from a FIFO queue to a function: messages of it as events, deleted when the call succeeded. `sqs(operation,
// arguments)` calls the queue. Runs until `ended()` says so; `heard(result, message)` is told of each call.
export async function mapQueue({ sqs, queue, host, pollers = 2, ended, heard = () => {} }) {
  const arn = `arn:aws:sqs:us-east-1:123456789012:${queue.split('/').pop()}`;
  const poll = async () => {
    while (!ended()) {
      const { Messages = [] } = await sqs('ReceiveMessage', { QueueUrl: queue, MaxNumberOfMessages: 1, WaitTimeSeconds: 0,
        MessageSystemAttributeNames: ['All'] });
      if (Messages.length === 0) {
        await sleep(50);
        continue;
      }
      const [message] = Messages;
      const result = await host.call({ Records: [{ messageId: message.MessageId, receiptHandle: message.ReceiptHandle,
        body: message.Body, attributes: message.Attributes ?? {}, messageAttributes: {}, md5OfBody: message.MD5OfBody,
        eventSource: 'aws:sqs', eventSourceARN: arn, awsRegion: 'us-east-1' }] });
      if (!result.error) await sqs('DeleteMessage', { QueueUrl: queue, ReceiptHandle: message.ReceiptHandle });
      heard(result, message);
    }
  };
  await Promise.all(Array.from({ length: pollers }, () => poll()));
}

async function main(words) {
  const given = Object.fromEntries(words.map((word) => word.replace(/^--/, '').split(/=(.*)/s).slice(0, 2)));
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('FN_'))
    .map(([name, value]) => [name.slice(3), value]));
  const host = await FunctionHost.open({ zip: given.zip, handler: given.handler, environment,
    identity: process.env.AWS_ACCESS_KEY_ID, timeout: Number(given.timeout ?? 180), memory: Number(given.memory ?? 256) });
  let failed = 0;
  const say = (result) => {
    if (result.error) failed += 1;
    console.log(JSON.stringify({ handler: given.handler, ...result }));
  };
  if (given.event) {
    say(await host.call(JSON.parse(readFileSync(given.event))));
  } else {
    const { SQS } = createRequire(join(root, 'package.json'))('@aws-sdk/client-sqs');
    const client = new SQS({ region: process.env.AWS_REGION ?? 'us-east-1', useQueueUrlAsEndpoint: false });
    let quiet = Date.now();
    await mapQueue({ sqs: (operation, input) => client[operation[0].toLowerCase() + operation.slice(1)](input),
      queue: given.queue, host, ended: () => Date.now() - quiet > Number(given.idle ?? 5) * 1000,
      heard: (result) => { quiet = Date.now(); say(result); } });
  }
  await host.close();
  return failed ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exit(await main(process.argv.slice(2)));
