import type { Bundle, OperationOutcome, SearchParameter } from 'fhir/r4.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer, type TestServer } from '../../support/test-server.js';
import type { DatabaseContents } from '../../support/test-store.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

/** A SearchParameter on Patient that finds the text of an extension of its own. */
export function parameterOf(
  code: string,
  more: Partial<SearchParameter> = {},
): SearchParameter & { url: string } {
  return {
    resourceType: 'SearchParameter',
    url: `http://example.org/SearchParameter/${code}`,
    name: code,
    status: 'active',
    description: `Finds ${code}`,
    code,
    base: ['Patient'],
    type: 'string',
    expression: `Patient.extension('http://example.org/${code}').value.ofType(string)`,
    ...more,
  };
}

/** A patient with the text that `parameterOf(code)` finds. */
export function patientWith(code: string, value: string): object {
  return {
    resourceType: 'Patient',
    extension: [{ url: `http://example.org/${code}`, valueString: value }],
  };
}

/** Creates a parameter and gives it back as stored. */
export async function createParameter(
  client: FhirClient,
  parameter: SearchParameter,
): Promise<SearchParameter & { id: string }> {
  const { status, body, text } = await client.post<SearchParameter & { id: string }>(
    'SearchParameter',
    parameter,
  );
  if (status !== 201) throw new Error(`create answered ${status}: ${text}`);
  return body;
}

/** Ids that a search matches. */
export function matchesOf({ body }: Answer<Bundle>): readonly (string | undefined)[] {
  return (body.entry ?? [])
    .filter(({ search }) => search?.mode === 'match')
    .map((entry) => entry.resource?.id);
}

/** Diagnostics of the outcome that came with a search. */
export function warningsOf({ body }: Answer<Bundle>): readonly (string | undefined)[] {
  return (body.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'OperationOutcome'
      ? (resource as OperationOutcome).issue.map(({ diagnostics }) => diagnostics)
      : [],
  );
}

/** Sends a JSON Patch. */
export function patchParameter<Body>(
  client: FhirClient,
  id: string,
  operations: readonly object[],
): Promise<Answer<Body>> {
  return client.send<Body>('PATCH', `SearchParameter/${id}`, {
    body: JSON.stringify(operations),
    headers: { 'content-type': 'application/json-patch+json' },
  });
}

/** Two servers on one database, and a client of each. */
export interface ServerPair {
  readonly servers: readonly [TestServer, TestServer];
  readonly clients: readonly [FhirClient, FhirClient];
  stop(): Promise<void>;
}

export async function createServerPair(
  contents: DatabaseContents = 'search-parameters',
): Promise<ServerPair> {
  const database = await createTestDatabase(contents);
  const first = await createTestServer({ database });
  const second = await createTestServer({ database });
  return {
    servers: [first, second],
    clients: [new FhirClient(first.url), new FhirClient(second.url)],
    stop: async () => {
      await first.stop();
      await second.stop();
      await database.drop();
    },
  };
}
