import { type Journal, type JournalEntry, SYSTEM, TRANSACTION_SIZE } from './crash-journal.js';
import type { Random } from './random.js';

/** One client that writes, one request after the other, until the server is gone. */
export interface Client {
  readonly name: string;
  readonly base: string;
  readonly tenant: string;
  readonly random: Random;
  readonly journal: Journal;
  /** Numbers of tokens; shared by clients of one tenant for conditional creates, so that they compete. */
  readonly cycle: number;
}

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

/** Writes until a request fails to be answered. @throws Error for an answer that no write may get. */
export async function writeUntilGone(client: Client): Promise<void> {
  const own: JournalEntry[] = [];
  for (let number = 0; ; number++) {
    const token = `${client.name}-${client.cycle}-${number}`;
    const live = own.filter(({ deleted }) => !deleted).slice(-20);
    if (!(await writeOne(client, { token, own, live }))) return;
  }
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
  return create(client, token, own);
}

async function create(
  { base, tenant, journal }: Client,
  token: string,
  own: JournalEntry[],
): Promise<boolean> {
  const entry: JournalEntry = { tenant, token, id: undefined, version: 0, deleted: false, pending: 'create' };
  journal.entries.push(entry);
  const response = await send(`${base}/Patient`, { method: 'POST', body: patient(token, 1) });
  if (!response) return false;
  assertStatus(response, 201);
  entry.id = /Patient\/([^/]+)/.exec(response.headers.get('location') ?? '')?.[1];
  acknowledge(journal, entry, 1);
  own.push(entry);
  return true;
}

async function update({ base, journal }: Client, entry: JournalEntry): Promise<boolean> {
  entry.pending = 'update';
  const version = entry.version + 1;
  const body = { ...patient(entry.token, version), id: entry.id };
  const response = await send(`${base}/Patient/${entry.id}`, { method: 'PUT', body });
  if (!response) return false;
  assertStatus(response, 200);
  acknowledge(journal, entry, version);
  return true;
}

async function remove({ base, journal }: Client, entry: JournalEntry): Promise<boolean> {
  entry.pending = 'delete';
  const response = await send(`${base}/Patient/${entry.id}`, { method: 'DELETE' });
  if (!response) return false;
  assertStatus(response, 204);
  acknowledge(journal, entry, entry.version + 1);
  entry.deleted = true;
  return true;
}

async function conditionalCreate({ base, tenant, random, journal, cycle }: Client): Promise<boolean> {
  const token = `if-none-exist-${cycle}-${random.integer(1, CONDITIONALS_OF_A_CYCLE)}`;
  const key = `${tenant} ${token}`;
  const group = journal.conditionals.get(key) ?? { tenant, token, acknowledged: false };
  journal.conditionals.set(key, group);
  const headers = { 'if-none-exist': `identifier=${SYSTEM}|${token}` };
  const response = await send(`${base}/Patient`, { method: 'POST', body: patient(token, 1), headers });
  if (!response) return false;
  if (response.status !== 200) assertStatus(response, 201);
  group.acknowledged = true;
  journal.acknowledged++;
  return true;
}

async function transaction({ base, tenant, journal }: Client, token: string): Promise<boolean> {
  const group = { tenant, token, acknowledged: false };
  journal.transactions.push(group);
  const fullUrl = 'urn:uuid:6f1c2f0e-0000-4000-8000-000000000001';
  const observation = {
    resourceType: 'Observation',
    identifier: [{ system: SYSTEM, value: token }],
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '8302-2' }] },
    subject: { reference: fullUrl },
  };
  const entry = [
    { fullUrl, resource: patient(token, 1), request: { method: 'POST', url: 'Patient' } },
    ...Array.from({ length: TRANSACTION_SIZE - 1 }, () => ({
      resource: observation,
      request: { method: 'POST', url: 'Observation' },
    })),
  ];
  const response = await send(base, {
    method: 'POST',
    body: { resourceType: 'Bundle', type: 'transaction', entry },
  });
  if (!response) return false;
  assertStatus(response, 200);
  group.acknowledged = true;
  journal.acknowledged++;
  return true;
}

/** The family name tells the version, so that a read shows whether text and version belong together. */
function patient(token: string, version: number): object {
  return {
    resourceType: 'Patient',
    identifier: [{ system: SYSTEM, value: token }],
    name: [{ family: `v${version}` }],
  };
}

function acknowledge(journal: Journal, entry: JournalEntry, version: number): void {
  entry.version = version;
  entry.pending = undefined;
  journal.acknowledged++;
}

/** Undefined where no complete answer came. */
async function send(
  url: string,
  {
    method,
    body,
    headers,
  }: { readonly method: string; readonly body?: object; readonly headers?: Record<string, string> },
): Promise<Response | undefined> {
  try {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/fhir+json', ...headers },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    await response.arrayBuffer();
    return response;
  } catch {
    return undefined;
  }
}

function assertStatus(response: Response, expected: number): void {
  if (response.status !== expected)
    throw new Error(`${response.url}: ${response.status} instead of ${expected}`);
}
