import type { ExecutionContext } from 'ava';
import type { AuditEvent, Bundle } from 'fhir/r4.js';
import { audit, type AuditOptions } from '../../../interceptors/index.js';
import type { Interceptor } from '../../../src/index.js';
import { createTestServer, type TestServer, type TestServerOptions } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

/** A server that writes AuditEvents, with two tenants. */
export interface Audited {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: FhirClient;
  readonly beta: FhirClient;
}

/** Starts one, which lives as long as the test. */
export async function openAudited(
  t: ExecutionContext,
  options: AuditOptions = {},
  { interceptors = [], ...rest }: TestServerOptions & { readonly interceptors?: readonly Interceptor[] } = {},
): Promise<Audited> {
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    ...rest,
    interceptors: [audit(options), ...interceptors],
  });
  t.teardown(() => server.stop());
  const root = new FhirClient(server.url);
  return { server, root, acme: root.tenant('acme'), beta: root.tenant('beta') };
}

/** The events that a search finds, the oldest first; the search makes one too, which it does not find itself. */
export async function eventsOf(client: FhirClient, query = ''): Promise<readonly AuditEvent[]> {
  return eventsIn(await client.get(`AuditEvent?_sort=_lastUpdated&_count=500${query}`));
}

/** The events on a page. */
export function eventsIn({ status, text, body }: Answer<unknown>): readonly AuditEvent[] {
  if (status !== 200) throw new Error(text);
  return ((body as Bundle<AuditEvent>).entry ?? []).flatMap(({ resource }) => resource ?? []);
}

/** What is asked for after the events that are there already. */
export async function eventsAfter(
  client: FhirClient,
  work: () => Promise<unknown>,
): Promise<readonly AuditEvent[]> {
  const known = new Set((await eventsOf(client)).map(({ id }) => id));
  await work();
  const events = await eventsOf(client);
  // The first search has an event of its own.
  return events.filter((event) => !known.has(event.id) && !queryOf(event)?.includes('AuditEvent?_sort'));
}

/** The query of an event, decoded. */
export function queryOf({ entity = [] }: AuditEvent): string | undefined {
  const encoded = entity.find(({ query }) => query !== undefined)?.query;
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** What an event is about, without what all have. */
export function shapeOf(event: AuditEvent): readonly unknown[] {
  const { subtype = [], action, outcome, meta, entity = [] } = event;
  const profile = meta?.profile?.[0]?.replace(/^.*IHE\.BasicAudit\./, '');
  const codes = subtype.map(({ code }) => code).join(' ');
  const named = entity.flatMap(({ what, role }) => {
    const name = what?.reference ?? (what?.type && `(${what.identifier?.value})`);
    return name === undefined ? [] : [role?.code === '1' ? `patient ${name}` : name];
  });
  return [action, codes, outcome, profile, ...named];
}
