import type { ExecutionContext } from 'ava';
import type { BuiltInPointcuts } from '../../../src/hooks/pointcuts.js';
import type { Hooks } from '../../../src/index.js';
import { createTestServer, type TestServer, type TestServerOptions } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';

/** A server with one interceptor; `acme` is its partition 1. */
export interface Hooked {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: FhirClient;
}

/** Starts a server with these hooks, which lives as long as the test. */
export async function openHooked(
  t: ExecutionContext,
  hooks: Hooks,
  options: TestServerOptions = {},
): Promise<Hooked> {
  const { interceptors = [], ...rest } = options;
  const tested = { name: 'tested', order: -1, hooks };
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    ...rest,
    interceptors: [tested, ...interceptors],
  });
  t.teardown(() => server.stop());
  const root = new FhirClient(server.url);
  return { server, root, acme: root.tenant('acme') };
}

/** A server for tests that run one after the other, each with hooks of its own. */
export interface Shared extends Hooked {
  /** Registers hooks for as long as the test runs. */
  hook(t: ExecutionContext, hooks: Hooks): void;
}

/** Starts one, which lives until it is stopped. */
export async function openShared(): Promise<Shared> {
  const server = await createTestServer({ partitions: ['acme', 'beta'] });
  const root = new FhirClient(server.url);
  return {
    server,
    root,
    acme: root.tenant('acme'),
    hook: (t, hooks) => t.teardown(server.bulkhead.hooks.register({ name: 'tested', order: -1, hooks })),
  };
}

/** Shows that a pointcut fires, and does what its manual says. */
export type PointcutTest = (t: ExecutionContext) => Promise<void>;

/** A test for every pointcut that begins so. */
export type PointcutTests<Prefix extends string> = Readonly<
  Record<Extract<keyof BuiltInPointcuts, `${Prefix}${string}`>, PointcutTest>
>;

export const PATIENT = { resourceType: 'Patient', id: 'p1', gender: 'female' } as const;

export function observationOf(patient: string) {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: patient },
  } as const;
}

export const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

/** A bundle of one or more entries. */
export function bundleOf(type: 'batch' | 'transaction', ...entry: readonly object[]): object {
  return { resourceType: 'Bundle', type, entry };
}

/** Waits for something that happens after the response. */
export async function eventually(t: ExecutionContext, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !holds(); turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.true(holds());
}
