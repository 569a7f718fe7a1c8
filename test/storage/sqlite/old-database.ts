import Database from 'better-sqlite3';
import type { FhirResource } from 'fhir/r4.js';
import { createReindexServer } from '../../contract/reindex/fixtures.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** A database as an earlier version left it: it has stored the resource, and `downgrade` takes back what came since. */
export async function createOldDatabase(
  resource: FhirResource & { readonly id: string },
  downgrade: string,
): Promise<TestDatabase> {
  const database = await createTestDatabase();
  const { server, client } = await createReindexServer({ database });
  const { status, text } = await client.put(`${resource.resourceType}/${resource.id}`, resource);
  await server.stop();
  if (status !== 201) throw new Error(`PUT answered ${status}: ${text}`);
  const db = new Database(database.url.replace('sqlite:', ''));
  db.exec(downgrade);
  db.close();
  return database;
}
