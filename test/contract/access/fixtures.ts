import type { FhirResource } from 'fhir/r4.js';
import type { Interceptor } from '../../../src/hooks/interceptor.js';
import { PRINCIPAL, type Principal } from '../../../src/model/principal.js';
import { load } from '../../oracle/search-world.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { type Answer, FhirClient, type Sent } from '../support/fhir-client.js';

const HEADER = 'x-test-principal';

/** Believes a header, as an authentication of one's own would believe a token. */
export const believing: Interceptor = {
  name: 'believing',
  hooks: {
    SERVER_INCOMING_REQUEST_PRE_HANDLED: ({ request }) => {
      const [text] = request.headers.get(HEADER) ?? [];
      if (text !== undefined && request.parent === undefined) request.attributes.set(PRINCIPAL, known(text));
    },
  },
};

const principals = new Map<string, Principal>();

/** The same object each time, as for a token that is remembered. */
function known(text: string): Principal {
  const principal = principals.get(text) ?? (JSON.parse(text) as Principal);
  principals.set(text, principal);
  return principal;
}

/** What a token says. */
export type Claims = Partial<Omit<Principal, 'scopes'>>;

/** A client that sends a token with these scopes. */
export class TokenClient extends FhirClient {
  constructor(
    base: string,
    readonly principal: Principal,
  ) {
    super(base);
  }

  override send<Body>(method: string, path: string, sent: Sent = {}): Promise<Answer<Body>> {
    const headers = { ...sent.headers, [HEADER]: JSON.stringify(this.principal) };
    return super.send<Body>(method, path, { ...sent, headers });
  }
}

/** `as(client, 'patient/*.rs', { patient: 'p1' })`; scopes are separated by spaces. */
export function as({ base }: FhirClient, scopes: string, claims: Claims = {}): TokenClient {
  return new TokenClient(base, {
    issuer: 'https://issuer.example',
    subject: 'somebody',
    tenants: { kind: 'all' },
    admin: false,
    expires: Number.MAX_SAFE_INTEGER,
    ...claims,
    scopes: scopes.split(' '),
  });
}

/** A server, and a client that nothing limits. */
export interface AccessWorld {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: FhirClient;
}

/** Two patients with the same kinds of resources, and what is nobody's. */
export async function openAccessWorld(options: StoreTestOptions = {}): Promise<AccessWorld> {
  const server = await createTestServer({
    partitions: ['acme', 'beta'],
    ...options,
    interceptors: [believing, ...(options.interceptors ?? [])],
  });
  const root = new FhirClient(server.url);
  const acme = root.tenant('acme');
  await load(acme, resources());
  await load(root.tenant('beta'), recordOf('p1', 'Foreign'));
  return { server, root, acme };
}

export const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory';

function resources(): readonly FhirResource[] {
  return [
    { resourceType: 'Practitioner', id: 'doc', name: [{ family: 'Hale' }] },
    { resourceType: 'Organization', id: 'org', name: 'Ward' },
    { resourceType: 'Device', id: 'dev' },
    { resourceType: 'Binary', id: 'free', contentType: 'text/plain', data: 'aGk=' },
    ...recordOf('p1', 'Mine'),
    ...recordOf('p2', 'Theirs'),
  ];
}

/** A patient's record: ids end with the patient's. */
export function recordOf(id: string, family: string): readonly FhirResource[] {
  const subject = { reference: `Patient/${id}` };
  return [
    { resourceType: 'Patient', id, name: [{ family }], gender: 'other' },
    observation(`lab-${id}`, id, 'laboratory', 1),
    observation(`vital-${id}`, id, 'vital-signs', 2),
    {
      resourceType: 'Condition',
      id: `con-${id}`,
      subject,
      code: { text: `secret of ${id}` },
    },
    {
      resourceType: 'Encounter',
      id: `enc-${id}`,
      status: 'finished',
      class: { code: 'AMB' },
      subject,
    },
    {
      resourceType: 'Binary',
      id: `bin-${id}`,
      contentType: 'text/plain',
      data: 'aGk=',
      securityContext: { reference: `Condition/con-${id}` },
    },
    {
      resourceType: 'List',
      id: `list-${id}`,
      status: 'current',
      mode: 'working',
      subject,
      entry: [{ item: subject }],
    },
  ];
}

/** An Observation of a patient, which its category tells apart. */
export function observation(id: string, patient: string, category: string, value: number): FhirResource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [{ coding: [{ system: LAB.split('|')[0]!, code: category }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: `Patient/${patient}` },
    effectiveDateTime: '2024-05-01',
    valueQuantity: { value, unit: 'g/dL', system: 'http://unitsofmeasure.org', code: 'g/dL' },
  };
}
