import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from 'ava';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { FhirError, HookRegistry } from '../../src/index.js';
import type {
  ErrorCode,
  Interceptor,
  Partition,
  PartitionChoice,
  PartitionId,
  ReadTarget,
  RequestDetails,
  Resource,
} from '../../src/index.js';
import { createTestServer } from '../support/test-server.js';
import type { TestServer, TestServerOptions } from '../support/test-server.js';

/** A read of Patient/1, with changes. Headers are given by name. */
export function aRequest({
  headers = {},
  ...changes
}: Omit<Partial<RequestDetails>, 'headers'> & {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
} = {}): RequestDetails {
  const entries = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), typeof value === 'string' ? [value] : value] as const,
  );
  return {
    id: 'request-1',
    method: 'GET',
    interaction: 'read',
    urlTenant: undefined,
    serverBase: 'http://localhost/fhir',
    base: 'http://localhost/fhir',
    path: 'Patient/1',
    resourceType: 'Patient',
    resourceId: '1',
    versionId: undefined,
    operation: undefined,
    parameters: [],
    body: undefined,
    parent: undefined,
    attributes: new Map(),
    ...changes,
    headers: new Map(entries),
  };
}

export const PATIENT: Resource = { resourceType: 'Patient', name: [{ family: 'Okafor' }] };
export const VALUE_SET: Resource = { resourceType: 'ValueSet', status: 'draft' };

/** A partition. */
export function aPartition(id: number, name = `p${id}`): Partition {
  return { id: id as PartitionId, name };
}

/** Asks the interceptors what a read is answered with. */
export async function choiceToRead(
  interceptor: Interceptor,
  request: RequestDetails,
  target: Partial<ReadTarget> = {},
): Promise<PartitionChoice | undefined> {
  const { interaction, resourceType, resourceId: id, operation } = request;
  return registryOf(interceptor).decide('STORAGE_PARTITION_IDENTIFY_READ', {
    request,
    target: { interaction, resourceType, id, operation, ...target },
  });
}

/** Asks the interceptor what a create is answered with. */
export async function choiceToCreate(
  interceptor: Interceptor,
  request: RequestDetails,
  resource: Resource = PATIENT,
): Promise<PartitionChoice | undefined> {
  return registryOf(interceptor).decide('STORAGE_PARTITION_IDENTIFY_CREATE', { request, resource });
}

/** Tells the interceptor which partitions were selected. */
export async function select(
  interceptor: Interceptor,
  request: RequestDetails,
  selected: { readonly partitions: readonly Partition[]; readonly all?: boolean },
): Promise<void> {
  const { interaction, resourceType, resourceId: id } = request;
  const target = { interaction, resourceType, id };
  await registryOf(interceptor).veto('STORAGE_PARTITION_SELECTED', {
    all: false,
    ...selected,
    request,
    target,
  });
}

/** Asserts that something is refused with a code of the catalogue, and gives the error. */
export async function refused(
  t: ExecutionContext,
  attempt: () => unknown,
  code: ErrorCode,
): Promise<FhirError> {
  const error = await t.throwsAsync(async () => attempt(), { instanceOf: FhirError });
  t.is(error?.code, code, error?.message ?? 'nothing was thrown');
  return error as FhirError;
}

/** A server that ends with the test. */
export async function serve(t: ExecutionContext, options: TestServerOptions): Promise<TestServer> {
  const server = await createTestServer(options);
  t.teardown(() => server.stop());
  return server;
}

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  /** The error code of an OperationOutcome, else undefined. */
  readonly code: string | undefined;
}

/** Sends a request; a body makes it a POST unless the method is told. */
export async function send(
  server: Pick<TestServer, 'fetch'>,
  path: string,
  { body, method, headers = {} }: Sent = {},
): Promise<Answer> {
  const response = await server.fetch(path, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { 'content-type': 'application/fhir+json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body: json, code: codeOf(json) };
}

interface Sent {
  readonly body?: unknown;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function codeOf(body: { readonly issue?: unknown }): string | undefined {
  const [issue] = (body.issue ?? []) as readonly { details?: { coding?: readonly { code?: string }[] } }[];
  return issue?.details?.coding?.[0]?.code;
}

/** Ids of a search's matches, sorted. */
export function idsOf({ body }: Answer): readonly string[] {
  const entries = (body['entry'] ?? []) as readonly { resource?: { id?: string } }[];
  return entries.map(({ resource }) => resource?.id ?? '').toSorted();
}

/** An issuer of tokens, with its key set on a port of its own. */
export interface TestIssuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** How often the key set was fetched. */
  readonly fetches: () => number;
  /** A token that is valid for ten minutes, unless the claims say otherwise; `undefined` leaves a claim out. */
  readonly token: (claims: JWTPayload) => Promise<string>;
  /** As `token`, signed by a key that the key set does not have. */
  readonly forgedToken: (claims: JWTPayload) => Promise<string>;
  readonly stop: () => Promise<void>;
}

type SigningKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

/** Starts an issuer that ends with the test. */
export async function anIssuer(t: ExecutionContext): Promise<TestIssuer> {
  const [pair, stranger] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
  let fetches = 0;
  const server = createServer((_, response) => {
    fetches += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(keys));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const audience = 'https://fhir.example';
  const sign = (key: SigningKey, claims: JWTPayload): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: issuer, aud: audience, iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(key);
  };
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => void server.close(() => resolve()));
  };
  t.teardown(stop);
  return {
    issuer,
    audience,
    jwksUrl: `${issuer}/jwks.json`,
    fetches: () => fetches,
    token: (claims) => sign(pair.privateKey, claims),
    forgedToken: (claims) => sign(stranger.privateKey, claims),
    stop,
  };
}

function registryOf(interceptor: Interceptor): HookRegistry {
  const registry = new HookRegistry({ onSwallowed: () => undefined });
  registry.register(interceptor);
  return registry;
}
