import type { Interceptor } from './hooks/interceptor.js';
import type { Bulkhead } from './running-server.js';
import { createBulkhead } from './server.js';
import type { Settings } from './settings/schema.js';

/** Tries on a running server whether one partition can learn of another. */
export { IsolationError } from './isolation/isolation-error.js';
export { plannedAttacks, verifyIsolation } from './isolation/verify-isolation.js';
export type {
  IsolationOptions,
  IsolationRow,
  PlannedAttack,
  TenantPlace,
} from './isolation/verify-isolation.js';
export type { IsolationVerdict } from './isolation/check.js';

/** What a test server is made with. */
export interface TestServerOptions {
  /** Partitions to create: names, or names with ids. */
  readonly partitions?: readonly (string | { readonly id: number; readonly name: string })[];
  /** What differs from the defaults; the database is a private temporary one and the port is free. */
  readonly settings?: Partial<Settings>;
  readonly interceptors?: readonly Interceptor[];
  /** Milliseconds since 1970 UTC. */
  readonly clock?: () => number;
}

/** A real server on a free port of the loopback address. */
export interface TestServer {
  /** FHIR base, for example `http://127.0.0.1:40123/fhir`. */
  readonly url: string;
  readonly bulkhead: Bulkhead;
  /** `path` is relative to `url`, without a leading slash: `acme/Patient/1`. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  stop(): Promise<void>;
}

/**
 * Starts a server for a test of your own interceptors.
 *
 * ```ts
 * const server = await createTestServer({ partitions: ['acme', 'beta'], interceptors: [mine] });
 * const response = await server.fetch('acme/Patient', { method: 'POST', … });
 * await server.stop();
 * ```
 */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { partitions = [], settings, interceptors = [], clock } = options;
  const bulkhead = await createBulkhead({
    settings: {
      databaseUrl: 'sqlite::memory:',
      port: 0,
      logLevel: 'silent',
      sqliteSynchronous: 'normal',
      ...settings,
    },
    interceptors,
    ...(clock ? { clock } : {}),
  });
  const url = await startWith(bulkhead, partitions).catch(async (error: unknown) => {
    await bulkhead.stop();
    throw error;
  });
  return {
    url,
    bulkhead,
    fetch: (path, init) => fetch(path === '' ? url : `${url}/${path}`, init),
    stop: () => bulkhead.stop(),
  };
}

async function startWith(
  bulkhead: Bulkhead,
  partitions: NonNullable<TestServerOptions['partitions']>,
): Promise<string> {
  for (const partition of partitions) {
    await bulkhead.partitions.create(typeof partition === 'string' ? { name: partition } : partition);
  }
  return (await bulkhead.start()).url;
}
