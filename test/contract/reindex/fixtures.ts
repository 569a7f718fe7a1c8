import { setTimeout as pause } from 'node:timers/promises';
import type { Parameters } from 'fhir/r4.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

/** A reindex waits this long until every write that may have missed a new parameter has ended; in milliseconds. */
const SETTLED_MS = 11_000;

/** A server whose clock can be put forward. */
export interface ReindexServer {
  readonly server: TestServer;
  readonly client: FhirClient;
  /** Lets the time pass that a reindex would wait for. */
  readonly settle: () => void;
}

export async function createReindexServer(options: StoreTestOptions = {}): Promise<ReindexServer> {
  let offset = 0;
  const server = await createTestServer({ clock: () => Date.now() + offset, ...options });
  return { server, client: new FhirClient(server.url), settle: () => void (offset += SETTLED_MS) };
}

/** Parameters of an answer by name; the last one of equal names. */
export function valuesOf({ body }: Answer<Parameters>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    (body.parameter ?? []).map(({ name, ...value }) => [name, Object.values(value)[0] as unknown]),
  );
}

/** Starts a reindex at `path` and waits for its end; answers its last status. */
export async function reindexed(
  client: FhirClient,
  path = '$reindex',
  parameters: readonly object[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  const started = await client.post<Parameters>(path, { resourceType: 'Parameters', parameter: parameters });
  if (started.status !== 202) throw new Error(`$reindex answered ${started.status}: ${started.text}`);
  return ended(client, String(valuesOf(started)['job']));
}

/** Waits for the end of a job; answers its last status. */
export async function ended(client: FhirClient, job: string): Promise<Readonly<Record<string, unknown>>> {
  for (;;) {
    const status = valuesOf(await client.get<Parameters>(`$reindex-status?job=${job}`));
    if (status['state'] !== 'running') return status;
    await pause(20);
  }
}
