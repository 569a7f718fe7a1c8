import test from 'ava';
import { createTestServer } from '../../support/test-server.js';

const TYPES = ['Patient', 'Account', 'Observation', 'Basic'] as const;
const CONTENT: Readonly<Record<string, object>> = {
  Account: { status: 'active' },
  Basic: { code: { text: 'note' } },
  Observation: { status: 'final', code: { text: 'weight' } },
};

/** Types of all results of a tenant, where another one has stored first in an order of its own. */
async function typesAfter(first: readonly string[]): Promise<readonly string[]> {
  const server = await createTestServer({ partitions: ['acme', 'beta'] });
  try {
    const store = async (tenant: string, types: readonly string[]): Promise<void> => {
      for (const resourceType of types)
        await server.fetch(`${tenant}/${resourceType}/one`, {
          method: 'PUT',
          headers: { 'content-type': 'application/fhir+json' },
          body: JSON.stringify({ resourceType, id: 'one', ...CONTENT[resourceType] }),
        });
    };
    await store('beta', first);
    await store('acme', TYPES);
    const response = await server.fetch('acme?_id=one');
    const { entry } = (await response.json()) as {
      readonly entry: readonly { readonly resource: { readonly resourceType: string } }[];
    };
    return entry.map(({ resource }) => resource.resourceType);
  } finally {
    await server.stop();
  }
}

test('results over several types do not tell what another tenant stored first', async (t) => {
  const alone = await typesAfter([]);
  t.deepEqual(alone, [...TYPES].toSorted());
  t.deepEqual(await typesAfter(['Observation', 'Basic', 'Patient', 'Account']), alone);
  t.deepEqual(await typesAfter([...TYPES].toSorted().toReversed()), alone);
});
