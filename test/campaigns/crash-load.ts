import {
  type Journal,
  type JournalEntry,
  type JournalGroup,
  SYSTEM,
  TRANSACTION_SIZE,
} from './crash-journal.js';
import type { Random } from './random.js';

/** One client that writes, one request after the other. */
export interface Client {
  readonly name: string;
  readonly base: string;
  readonly tenant: string;
  readonly random: Random;
  readonly journal: Journal;
  /** Numbers of tokens; shared by clients of one tenant for conditional creates, so that they compete. */
  readonly cycle: number;
  /** Asked before each write. */
  readonly isOver: () => boolean;
  /** Whether the server may say that it has no database: 503, or 504 where it cannot know what was changed. */
  readonly mayRefuse: () => boolean;
}

/** A response, or why there is none: the server says that nothing was changed, or nobody knows. */
type Answer = Response | 'refused' | 'lost';

/** Longest time in which any request has to be answered. */
const PATIENCE_MS = 15_000;

/** How often each write is chosen, of 10. */
const MIX = [
  'create',
  'create',
  'create',
  'create',
  'update',
  'update',
  'update',
  'delete',
  'conditional',
  'transaction',
] as const;

const CONDITIONALS_OF_A_CYCLE = 40;

/**
 * Writes until it is over, or the server is gone; answers which.
 * @throws Error for an answer that no write may get.
 */
export async function writeOn(client: Client): Promise<'over' | 'gone'> {
  const own: JournalEntry[] = [];
  for (let number = 0; !client.isOver(); number++) {
    const token = `${client.name}-${client.cycle}-${number}`;
    const live = own.filter(({ deleted }) => !deleted).slice(-20);
    if (!(await writeOne(client, { token, own, live }))) return 'gone';
  }
  return 'over';
}

interface Turn {
  readonly token: string;
  readonly own: JournalEntry[];
  readonly live: readonly JournalEntry[];
}

/** False where the server was gone. */
async function writeOne(client: Client, { token, own, live }: Turn): Promise<boolean> {
  const { random } = client;
  const target = random.pick(live);
  switch (random.pick(MIX)!) {
    case 'update':
      if (target) return update(client, target);
      break;
    case 'delete':
      if (target) return remove(client, target);
      break;
    case 'conditional':
      return conditionalCreate(client);
    case 'transaction':
      return transaction(client, token);
    case 'create':
  }
  const entry = await createOne(client, token);
  if (entry) own.push(entry);
  return entry !== undefined;
}

/** Undefined where it was not acknowledged. @throws Error for an answer that no create may get. */
export async function createOne(client: Client, token: string): Promise<JournalEntry | undefined> {
  const { base, tenant, journal } = client;
  const entry: JournalEntry = { tenant, token, id: undefined, version: 0, deleted: false, pending: 'create' };
  journal.entries.push(entry);
  const answer = await send(client, { method: 'POST', url: `${base}/Patient`, body: patient(token, 1) });
  if (typeof answer === 'string') {
    notDone(entry, answer);
    return undefined;
  }
  assertStatus(answer, 201);
  entry.id = /Patient\/([^/]+)/.exec(answer.headers.get('location') ?? '')?.[1];
  acknowledge(journal, entry, 1);
  return entry;
}

async function update(client: Client, entry: JournalEntry): Promise<boolean> {
  entry.pending = 'update';
  const version = entry.version + 1;
  const body = { ...patient(entry.token, version), id: entry.id };
  const answer = await send(client, { method: 'PUT', url: `${client.base}/Patient/${entry.id}`, body });
  if (typeof answer === 'string') return notDone(entry, answer);
  assertStatus(answer, 200);
  acknowledge(client.journal, entry, version);
  return true;
}

async function remove(client: Client, entry: JournalEntry): Promise<boolean> {
  entry.pending = 'delete';
  const answer = await send(client, { method: 'DELETE', url: `${client.base}/Patient/${entry.id}` });
  if (typeof answer === 'string') return notDone(entry, answer);
  assertStatus(answer, 204);
  acknowledge(client.journal, entry, entry.version + 1);
  entry.deleted = true;
  return true;
}

async function conditionalCreate(client: Client): Promise<boolean> {
  const { base, tenant, random, journal, cycle } = client;
  const token = `if-none-exist-${cycle}-${random.integer(1, CONDITIONALS_OF_A_CYCLE)}`;
  const key = `${tenant} ${token}`;
  const group = journal.conditionals.get(key) ?? newGroup(tenant, token);
  journal.conditionals.set(key, group);
  const headers = { 'if-none-exist': `identifier=${SYSTEM}|${token}` };
  const sent = { method: 'POST', url: `${base}/Patient`, body: patient(token, 1), headers };
  const answer = await send(client, sent);
  if (typeof answer === 'string') return false;
  if (answer.status !== 200) assertStatus(answer, 201);
  group.acknowledged = true;
  journal.acknowledged++;
  return true;
}

async function transaction(client: Client, token: string): Promise<boolean> {
  const { base, tenant, journal } = client;
  const group = newGroup(tenant, token);
  journal.transactions.push(group);
  const body = { resourceType: 'Bundle', type: 'transaction', entry: transactionEntries(token) };
  const answer = await send(client, { method: 'POST', url: base, body });
  if (typeof answer === 'string') {
    group.refused = answer === 'refused';
    return false;
  }
  assertStatus(answer, 200);
  group.acknowledged = true;
  journal.acknowledged++;
  return true;
}

function transactionEntries(token: string): readonly object[] {
  const fullUrl = 'urn:uuid:6f1c2f0e-0000-4000-8000-000000000001';
  const observation = {
    resourceType: 'Observation',
    identifier: [{ system: SYSTEM, value: token }],
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
    subject: { reference: fullUrl },
  };
  return [
    { fullUrl, resource: patient(token, 1), request: { method: 'POST', url: 'Patient' } },
    ...Array.from({ length: TRANSACTION_SIZE - 1 }, () => ({
      resource: observation,
      request: { method: 'POST', url: 'Observation' },
    })),
  ];
}

/** The family name tells the version, so that a read shows whether text and version belong together. */
function patient(token: string, version: number): object {
  return {
    resourceType: 'Patient',
    identifier: [{ system: SYSTEM, value: token }],
    name: [{ family: `v${version}` }],
  };
}

function newGroup(tenant: string, token: string): JournalGroup {
  return { tenant, token, acknowledged: false, refused: false };
}

function acknowledge(journal: Journal, entry: JournalEntry, version: number): void {
  entry.version = version;
  entry.pending = undefined;
  journal.acknowledged++;
}

/** What was refused is known not to have happened; what was lost stays pending. */
function notDone(entry: JournalEntry, answer: 'refused' | 'lost'): false {
  if (answer === 'refused') entry.pending = undefined;
  return false;
}

interface Sent {
  readonly method: string;
  readonly url: string;
  readonly body?: object;
  readonly headers?: Record<string, string>;
}

/** @throws Error where nothing comes for too long. */
async function send({ mayRefuse }: Client, { method, url, body, headers }: Sent): Promise<Answer> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const response = await fetch(url, {
      method,
      signal,
      headers: { 'content-type': 'application/fhir+json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    await response.arrayBuffer();
    if (mayRefuse() && response.status === 503 && response.headers.has('retry-after')) return 'refused';
    return mayRefuse() && response.status === 504 ? 'lost' : response;
  } catch (error) {
    if (signal.aborted) throw new Error(`${method} ${url} is not answered.`, { cause: error });
    return 'lost';
  }
}

function assertStatus(response: Response, expected: number): void {
  if (response.status !== expected)
    throw new Error(`${response.url}: ${response.status} instead of ${expected}`);
}
