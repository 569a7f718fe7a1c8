import { createTestServer } from '../../src/testing.js';

/** Has a server ask a migrated database for a search parameter, upon which R4's own become rows of it. */
export async function storeSearchParameters(databaseUrl: string): Promise<void> {
  const server = await createTestServer({ settings: { databaseUrl } });
  try {
    const { status } = await server.fetch('SearchParameter/Patient-name');
    if (status !== 200) throw new Error(`The template of search parameters cannot be made: ${status}`);
  } finally {
    await server.stop();
  }
}
