import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from './random.js';
import { attempt, request } from './move-client.js';

/** Resources that a tenant begins with, of each type. */
export const RECORDS = 100;

/** What was answered to the clients of one phase. */
export class Answers {
  readonly byStatus = new Map<number, number>();
  /** Milliseconds by tenant. */
  readonly times = new Map<string, number[]>();
  /** The beginnings of answers that nobody should get. */
  readonly failures: string[] = [];

  add(tenant: string, status: number, ms: number): void {
    this.byStatus.set(status, (this.byStatus.get(status) ?? 0) + 1);
    const times = this.times.get(tenant) ?? [];
    times.push(ms);
    this.times.set(tenant, times);
  }

  /** Of all tenants but those that are left out. */
  timesBut(...left: readonly string[]): readonly number[] {
    return [...this.times].flatMap(([tenant, times]) => (left.includes(tenant) ? [] : times));
  }
}

/** One who asks again and again until it is over. */
export interface LoadClient {
  readonly base: string;
  readonly tenant: string;
  readonly random: Random;
  readonly answers: Answers;
  /** Milliseconds between an answer and the next request, on average; 0 for a client that never rests. */
  readonly restMs: number;
  readonly isOver: () => boolean;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

type Make = (client: LoadClient) => Asked;

const numberOf = ({ random }: LoadClient): number => random.integer(0, RECORDS - 1);

/** What comes how often, out of a hundred. */
const MIX: readonly [share: number, make: Make][] = [
  [34, (client) => ({ method: 'GET', path: `Patient/p${numberOf(client)}` })],
  [8, (client) => ({ method: 'GET', path: `Observation?subject=Patient/p${numberOf(client)}&_sort=-date` })],
  [6, (client) => ({ method: 'GET', path: `Patient?family=Family${numberOf(client)}&_count=5` })],
  [5, () => ({ method: 'GET', path: 'Observation?code=urn:codes|c3&date=ge2020&_count=10' })],
  [4, (client) => ({ method: 'GET', path: `Observation?subject:Patient.family=Family${numberOf(client)}` })],
  [
    4,
    () => ({ method: 'GET', path: 'Observation?code=urn:codes|c1&_include=Observation:subject&_count=10' }),
  ],
  [3, (client) => ({ method: 'GET', path: `Patient/p${numberOf(client)}/_history?_count=5` })],
  [2, (client) => ({ method: 'GET', path: `Patient/p${numberOf(client)}/$everything?_count=20` })],
  [2, () => ({ method: 'GET', path: 'Patient?_has:Observation:subject:code=urn:codes|c2&_count=5' })],
  [2, (client) => ({ method: 'GET', path: `Patient/none-${numberOf(client)}` })],
  [1, () => ({ method: 'GET', path: 'Patient?no-such-parameter=1' })],
  [12, (client) => ({ method: 'POST', path: 'Observation', body: observationOf(client) })],
  [6, replaceOne],
  [3, (client) => ({ method: 'PATCH', path: `Patient/p${numberOf(client)}`, ...PATCH })],
  [2, createOnce],
  [2, (client) => ({ method: 'DELETE', path: `Observation/d${numberOf(client)}` })],
  [3, (client) => ({ method: 'POST', path: '', body: bundleOf(client, 'transaction') })],
  [1, (client) => ({ method: 'POST', path: '', body: bundleOf(client, 'batch') })],
];

const SHARES = MIX.reduce((sum, [share]) => sum + share, 0);

const PATCH = {
  headers: { 'content-type': 'application/json-patch+json' },
  body: [{ op: 'add', path: '/active', value: true }],
};

/** Asks until it is over. What is answered with 5xx, or what is wrong altogether, is kept. */
export async function ask(client: LoadClient): Promise<void> {
  const { random, restMs, isOver } = client;
  while (!isOver()) {
    await one(client, drawn(client));
    if (restMs > 0) await pause(random.integer(0, 2 * restMs));
  }
}

async function one(client: LoadClient, { method, path, body, headers }: Asked): Promise<void> {
  const { base, tenant, answers } = client;
  const sent = { ...(body && { body }), ...(headers && { headers }) };
  const answer = await attempt(() => request(base, method, path, sent));
  if (answer === undefined) {
    answers.failures.push(`${tenant} ${method} ${path}: no answer`);
    return;
  }
  answers.add(tenant, answer.status, answer.ms);
  if (answer.status >= 500)
    answers.failures.push(
      `${tenant} ${method} ${path}: ${answer.status} ${answer.bytes.toString().slice(0, 300)}`,
    );
}

function drawn(client: LoadClient): Asked {
  let left = client.random.integer(1, SHARES);
  for (const [share, make] of MIX) {
    left -= share;
    if (left <= 0) return make(client);
  }
  throw new Error('The shares do not add up.');
}

/** What a tenant begins with. */
export function* recordsOf(): Iterable<object> {
  for (let number = 0; number < RECORDS; number++) {
    yield patientOf(number);
    yield { ...measured(number, number), id: `o${number}` };
  }
}

function patientOf(number: number): object {
  return {
    resourceType: 'Patient',
    id: `p${number}`,
    identifier: [{ system: 'urn:mrn', value: String(number) }],
    name: [{ family: `Family${number}`, given: ['Ada'] }],
    birthDate: `19${String(number % 100).padStart(2, '0')}-01-01`,
  };
}

function measured(patient: number, number: number): object {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { coding: [{ system: 'urn:codes', code: `c${number % 10}` }] },
    subject: { reference: `Patient/p${patient}` },
    effectiveDateTime: `202${number % 6}-0${1 + (number % 9)}-01`,
    valueQuantity: { value: number, unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
  };
}

function observationOf(client: LoadClient): object {
  return measured(numberOf(client), client.random.integer(0, 1000));
}

function replaceOne(client: LoadClient): Asked {
  const number = numberOf(client);
  return { method: 'PUT', path: `Patient/p${number}`, body: patientOf(number) };
}

function createOnce(client: LoadClient): Asked {
  const number = numberOf(client);
  const headers = { 'if-none-exist': `identifier=urn:once|${number}` };
  const body = { resourceType: 'Patient', identifier: [{ system: 'urn:once', value: String(number) }] };
  return { method: 'POST', path: 'Patient', body, headers };
}

function bundleOf(client: LoadClient, type: 'batch' | 'transaction'): object {
  const number = numberOf(client);
  const entry = [
    { resource: patientOf(number), request: { method: 'PUT', url: `Patient/p${number}` } },
    { resource: observationOf(client), request: { method: 'POST', url: 'Observation' } },
    {
      resource: { ...measured(number, number), id: `d${number}` },
      request: { method: 'PUT', url: `Observation/d${number}` },
    },
    { request: { method: 'GET', url: `Patient/p${number}` } },
  ];
  return { resourceType: 'Bundle', type, entry };
}
