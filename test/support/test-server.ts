import {
  createTestServer as createServer,
  type TestServer,
  type TestServerOptions,
} from '../../src/testing.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import type { DatabaseContents } from './test-store.js';

export type { TestServer, TestServerOptions } from '../../src/testing.js';

/** What the project's own tests may say besides. */
export interface StoreTestOptions extends TestServerOptions {
  /** Shared with other servers, and dropped by the test; a private one that ends with the server if left out. */
  readonly database?: TestDatabase;
  /** What the private one begins with; nothing if left out. */
  readonly contents?: DatabaseContents;
}

/** `createTestServer` on the store under test. */
export async function createTestServer(options: StoreTestOptions = {}): Promise<TestServer> {
  const { contents, database = await createTestDatabase(contents), settings, ...others } = options;
  const ending = options.database === undefined ? () => database.drop() : undefined;
  const server = await createServer({ ...others, settings: { ...database.settings, ...settings } }).catch(
    async (error: unknown) => {
      await ending?.();
      throw error;
    },
  );
  return {
    ...server,
    stop: async () => {
      await server.stop();
      await ending?.();
    },
  };
}
