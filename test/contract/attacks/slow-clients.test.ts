import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { openSocket, statusesOf } from './sockets.js';

const server = await createTestServer({
  partitions: ['acme'],
  settings: { headersTimeoutMs: 600, stallTimeoutMs: 800, requestTimeoutMs: 60_000, maxConnections: 40 },
});
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

const HEAD = 'POST /fhir/Patient HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\n';
const FOREVER = 200;

test.serial('fault slowloris: a head that comes byte by byte is ended', async (t) => {
  const open = await openSocket(server.url, 'GET /fhir/metadata HTTP/1.1\r\n');
  let end: string | undefined;
  for (let drip = 0; drip < FOREVER && end === undefined; drip++) {
    open.socket.write('X');
    end = await open.closed(50);
  }
  t.deepEqual(statusesOf(end ?? ''), [408]);
  t.regex(end ?? '', /OperationOutcome/);
});

test.serial('fault idle: a connection that asks nothing is ended', async (t) => {
  const open = await openSocket(server.url);
  t.not(await open.closed(), undefined);
});

test.serial('fault slowloris: a body that stands still is ended', async (t) => {
  const open = await openSocket(server.url, `${HEAD}Content-Length: 1000\r\n\r\n{"resourceType"`);
  t.deepEqual(statusesOf((await open.closed()) ?? ''), [408]);
});

test.serial('fault slowloris: a body that comes byte by byte is ended, chunked or not', async (t) => {
  for (const [head, drip] of [
    ['Content-Length: 100000\r\n\r\n', ' '],
    ['Transfer-Encoding: chunked\r\n\r\n', '1\r\n \r\n'],
  ] as const) {
    const open = await openSocket(server.url, HEAD + head);
    let end: string | undefined;
    for (let sent = 0; sent < FOREVER && end === undefined; sent++) {
      open.socket.write(drip);
      end = await open.closed(50);
    }
    t.deepEqual(statusesOf(end ?? ''), [408]);
  }
});

test.serial(
  'fault slowloris: raw content of a Binary that stands still is ended, and nothing is stored',
  async (t) => {
    const head = HEAD.replace('Patient', 'Binary').replace('application/fhir+json', 'text/plain');
    const open = await openSocket(server.url, `${head}Content-Length: 1000\r\n\r\nabc`);
    t.not(await open.closed(), undefined);
    t.is(await client.count('Binary'), 0);
  },
);

test.serial('a body that pauses for less than the limit is read', async (t) => {
  const body = '{"resourceType":"Patient"}';
  const open = await openSocket(
    server.url,
    `${HEAD}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
  );
  for (const part of [body.slice(0, 10), body.slice(10)]) {
    await sleep(200);
    open.socket.write(part);
  }
  t.deepEqual(statusesOf((await open.closed()) ?? ''), [201]);
});

test.serial('fault slow reader: who takes nothing of a large answer is cut off', async (t) => {
  // More than the systems of both sides hold.
  const size = 24 * 2 ** 20;
  const data = 'x'.repeat(size);
  const { body } = await client.post<{ id: string }>('Binary', data, { 'content-type': 'text/plain' });
  const { body: patient } = await client.post<{ id: string }>('Patient', {
    resourceType: 'Patient',
    name: Array.from({ length: 24 }, () => ({ text: 'x'.repeat(2 ** 20) })),
  });
  for (const path of [`Binary/${body.id}`, `Patient/${patient.id}`]) {
    const open = await openSocket(server.url);
    open.socket.pause();
    open.socket.write(`GET /fhir/${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    // What this side does not read, it does not see the end of: the server's list of connections shows it.
    await sleep(6_000);
    open.socket.resume();
    const end = await open.closed();
    t.not(end, undefined, path);
    t.true((end ?? '').length < size, `${path}: ${(end ?? '').length}`);
  }
});

test.serial('a reader that pauses for less than the limit gets all of it', async (t) => {
  const data = 'x'.repeat(24 * 2 ** 20);
  const { body } = await client.post<{ id: string }>('Binary', data, { 'content-type': 'text/plain' });
  const open = await openSocket(server.url);
  open.socket.pause();
  open.socket.write(`GET /fhir/Binary/${body.id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  await sleep(300);
  open.socket.resume();
  t.true(((await open.closed()) ?? '').length > data.length);
});

test.serial(
  'fault idle sockets: more connections than allowed are closed at once, and others go on',
  async (t) => {
    const idle = await Promise.all(Array.from({ length: 60 }, () => openSocket(server.url)));
    const ends = await Promise.all(idle.map((one) => one.closed(400)));
    t.true(ends.filter((end) => end !== undefined).length >= 20);
    await Promise.all(idle.map((one) => one.closed()));
    t.is((await client.get('metadata')).status, 200);
  },
);

test.serial('fault half-open: who hangs up in the middle of a body changes nothing', async (t) => {
  const before = await client.count('Patient');
  for (const end of ['destroy', 'end'] as const) {
    const open = await openSocket(
      server.url,
      `${HEAD}Content-Length: 1000\r\n\r\n{"resourceType":"Patient"}`,
    );
    open.socket[end]();
    await open.closed();
  }
  t.is(await client.count('Patient'), before);
});

test('one address may be held to fewer connections than all together', async (t) => {
  const few = await createTestServer({ settings: { maxConnectionsPerAddress: 3 } });
  try {
    const open = await Promise.all(Array.from({ length: 10 }, () => openSocket(few.url)));
    const ends = await Promise.all(open.map((one) => one.closed(500)));
    t.is(ends.filter((end) => end !== undefined).length, 7);
    for (const { socket } of open) socket.destroy();
    await sleep(100);
    t.is((await new FhirClient(few.url).get('metadata')).status, 200);
  } finally {
    await few.stop();
  }
});
