import type { ExecutionContext } from 'ava';
import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { type Answer, FhirClient, type Sent } from '../support/fhir-client.js';
import { type Claims, type LocalIssuer, startIssuer } from './issuer.js';

/** A server that asks everybody who he is, with the tenants acme and beta. */
export interface GuardedWorld {
  readonly server: TestServer;
  readonly issuer: LocalIssuer;
  readonly client: FhirClient;
  /** Sends a request with a token that has these claims. */
  readonly as: (claims: Claims, path: string, sent?: As) => Promise<Answer<OperationOutcome>>;
}

export interface As extends Sent {
  readonly method?: string;
}

export const PATIENT: Patient = { resourceType: 'Patient', name: [{ family: 'Okafor' }] };

/** Opens a world that ends with the test. */
export async function openGuarded(
  t: ExecutionContext,
  options: Omit<StoreTestOptions, 'partitions'> = {},
): Promise<GuardedWorld> {
  const issuer = await startIssuer(t);
  const server = await createTestServer({
    ...options,
    partitions: ['acme', 'beta'],
    settings: { ...issuer.settings, ...options.settings },
  });
  t.teardown(() => server.stop());
  const client = new FhirClient(server.url);
  const as: GuardedWorld['as'] = async (claims, path, { method, ...sent } = {}) =>
    client.send(method ?? (sent.body === undefined ? 'GET' : 'POST'), path, {
      ...sent,
      headers: { authorization: `Bearer ${await issuer.token(claims)}`, ...sent.headers },
    });
  return { server, issuer, client, as };
}

/** The catalogue's code of an error. */
export function codeOf({ body }: Answer<OperationOutcome>): string | undefined {
  return body.issue?.[0]?.details?.coding?.[0]?.code;
}

/** An answer without what differs between any two requests. */
export function comparable({ status, headers, text }: Answer<unknown>): object {
  const kept = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date');
  return { status, headers: Object.fromEntries(kept), text };
}
