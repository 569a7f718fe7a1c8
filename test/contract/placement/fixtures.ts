import type { ExecutionContext } from 'ava';
import type { Bundle, Parameters, ParametersParameter } from 'fhir/r4.js';
import type { Placement } from '../../../src/model/partition.js';
import { placementUnderTest, storeUnderTest } from '../../support/test-store.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

/** The placements besides `shared` that this run is about: on PostgreSQL schemas, unless it is about databases. */
export const OWN_PLACEMENTS: readonly Placement[] =
  storeUnderTest() === 'sqlite' || placementUnderTest() === 'database' ? ['database'] : ['schema'];

/** A server that ends with the test, and a client of its server level. */
export async function openServer(
  t: ExecutionContext,
  options: StoreTestOptions = {},
): Promise<{ readonly server: TestServer; readonly root: FhirClient }> {
  const server = await createTestServer({
    ...options,
    settings: { placement: 'shared', fullText: 'on', ...options.settings },
  });
  t.teardown(() => server.stop());
  return { server, root: new FhirClient(server.url) };
}

/** Calls a `$partition-management-…` operation. */
export function manage(
  root: FhirClient,
  operation: string,
  values: Readonly<Record<string, string | number>>,
) {
  const parameter = Object.entries(values).map(([name, value]): ParametersParameter =>
    typeof value === 'number' ? { name, valueInteger: value } : { name, valueString: value },
  );
  const body = { resourceType: 'Parameters', parameter };
  return root.post<Parameters>(`$partition-management-${operation}`, body);
}

/** Creates a partition and gives a client of it. */
export async function createPlaced(
  t: ExecutionContext,
  root: FhirClient,
  name: string,
  placement: Placement,
): Promise<FhirClient> {
  const { status, text } = await manage(root, 'create-partition', { name, placement });
  t.is(status, 200, text);
  return root.tenant(name);
}

/** Where a partition is now. */
export async function placementOf(root: FhirClient, name: string): Promise<string | undefined> {
  const { body } = await root.get<Parameters>(`$partition-management-read-partition?name=${name}`);
  return body.parameter?.find((one) => one.name === 'placement')?.valueCode;
}

/** The ids of all pages of a search, in order. */
export async function allIds(client: FhirClient, search: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let url: string | undefined = search; url !== undefined;) {
    const { status, text, body }: { status: number; text: string; body: Bundle } =
      await client.get<Bundle>(url);
    if (status !== 200) throw new Error(`${url} answered ${status}: ${text}`);
    ids.push(...(body.entry ?? []).map(({ resource }) => resource?.id ?? ''));
    url = body.link?.find(({ relation }) => relation === 'next')?.url;
  }
  return ids;
}
