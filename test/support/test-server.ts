import {
  createTestServer as createServer,
  type TestServer,
  type TestServerOptions,
} from '../../src/testing.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export type { TestServer, TestServerOptions } from '../../src/testing.js';

/** What the project's own tests may say besides. */
export interface StoreTestOptions extends TestServerOptions {
  /** Shared with other servers, and dropped by the test; a private one that ends with the server if left out. */
  readonly database?: TestDatabase;
}

/** `createTestServer` on the store under test. */
export async function createTestServer(options: StoreTestOptions = {}): Promise<TestServer> {
  const { database = await createTestDatabase(), settings, ...others } = options;
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
