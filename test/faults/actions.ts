import { type JournalEntry, type Journal, SYSTEM, TRANSACTION_SIZE } from '../campaigns/crash-journal.js';

/** One tenant's client, who writes down what it was told. */
export interface Writer {
  /** With the tenant. */
  readonly base: string;
  readonly tenant: string;
  readonly journal: Journal;
}

/** Longer than any request may take. */
const PATIENCE_MS = 30_000;

/** An answer; undefined where there was none, or one that says nothing of what was done. */
export async function send(
  url: string,
  method: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response | undefined> {
  try {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/fhir+json', ...headers },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.status >= 500 ? undefined : response;
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError')
      throw new Error(`${method} ${url} hangs`, { cause: error });
    return undefined;
  }
}

export async function create({ base, tenant, journal }: Writer, token: string): Promise<JournalEntry> {
  const entry: JournalEntry = { tenant, token, id: undefined, version: 0, deleted: false, pending: 'create' };
  journal.entries.push(entry);
  const response = await send(`${base}/Patient`, 'POST', patient(token, 1));
  if (response?.status === 201) {
    entry.id = /Patient\/([^/]+)/.exec(response.headers.get('location') ?? '')?.[1];
    acknowledge(journal, entry, 1);
  }
  return entry;
}

export async function update({ base, journal }: Writer, entry: JournalEntry): Promise<void> {
  if (entry.id === undefined) return;
  const version = entry.version + 1;
  entry.pending = 'update';
  const response = await send(`${base}/Patient/${entry.id}`, 'PUT', {
    ...patient(entry.token, version),
    id: entry.id,
  });
  if (response?.status === 200) acknowledge(journal, entry, version);
}

export async function remove({ base, journal }: Writer, entry: JournalEntry): Promise<void> {
  if (entry.id === undefined || entry.pending !== undefined) return;
  entry.pending = 'delete';
  const response = await send(`${base}/Patient/${entry.id}`, 'DELETE');
  if (response?.status !== 204) return;
  acknowledge(journal, entry, entry.version + 1);
  entry.deleted = true;
}

/** The same twice: a client that was told nothing asks again. */
export async function conditionalCreate({ base, tenant, journal }: Writer, token: string): Promise<void> {
  const group = { tenant, token, acknowledged: false, refused: false };
  journal.conditionals.set(`${tenant} ${token}`, group);
  for (let attempt = 0; attempt < 2; attempt++) {
    const headers = { 'if-none-exist': `identifier=${SYSTEM}|${token}` };
    const response = await send(`${base}/Patient`, 'POST', patient(token, 1), headers);
    if (response?.ok !== true) continue;
    group.acknowledged = true;
    journal.acknowledged++;
  }
}

export async function transaction({ base, tenant, journal }: Writer, token: string): Promise<void> {
  const group = { tenant, token, acknowledged: false, refused: false };
  journal.transactions.push(group);
  const fullUrl = 'urn:uuid:6f1c2f0e-0000-4000-8000-000000000001';
  const observation = {
    resourceType: 'Observation',
    identifier: [{ system: SYSTEM, value: token }],
    status: 'final',
    code: { text: 'height' },
    subject: { reference: fullUrl },
  };
  const entry = [
    { fullUrl, resource: patient(token, 1), request: { method: 'POST', url: 'Patient' } },
    ...Array.from({ length: TRANSACTION_SIZE - 1 }, () => ({
      resource: observation,
      request: { method: 'POST', url: 'Observation' },
    })),
  ];
  const response = await send(base, 'POST', { resourceType: 'Bundle', type: 'transaction', entry });
  if (response?.status !== 200) return;
  group.acknowledged = true;
  journal.acknowledged++;
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
