import type { ExecutionContext } from 'ava';
import type { RunningExample } from '../../examples/run-example.js';
import type { Settings } from '../../src/index.js';
import { createTestDatabase } from '../support/test-database.js';

/** An example that listens. */
export type Running<Example extends RunningExample> = Example & {
  fetch(path: string, init?: RequestInit): Promise<Response>;
};

/** Starts an example on a free port; it ends with the test. */
export async function started<Example extends RunningExample>(
  t: ExecutionContext,
  { start }: { readonly start: (changes: Partial<Settings>) => Promise<Example> },
): Promise<Running<Example>> {
  const database = await createTestDatabase();
  t.teardown(() => database.drop());
  const example = await start({ ...database.settings, port: 0, logLevel: 'silent' });
  t.teardown(() => example.stop());
  return { ...example, fetch: (path, init) => fetch(`${example.url}/${path}`, init) };
}
