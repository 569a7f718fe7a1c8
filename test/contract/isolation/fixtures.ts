import { randomUUID } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Bundle, FhirResource, OperationOutcome } from 'fhir/r4.js';
import { plantedResources } from '../../../src/isolation/planted.js';
import { createTestServer, type StoreTestOptions, type TestServer } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

/** One tenant of the tests: its client, and a text that stands in everything that it stores. */
export interface Tenant {
  readonly name: string;
  readonly client: FhirClient;
  readonly canary: string;
}

/** A server whose tenants hold the same ids, identifiers, names and values. */
export interface World {
  readonly server: TestServer;
  readonly root: FhirClient;
  readonly acme: Tenant;
  readonly beta: Tenant;
}

/** The tenant that attacks is acme. What only beta holds has this id, and nobody has the other one. */
export const FOREIGN_ID = 'held-by-beta-1';
export const UNUSED_ID = 'held-by-none-1';

export async function openWorld(options: Omit<StoreTestOptions, 'partitions'> = {}): Promise<World> {
  const server = await createTestServer({ ...options, partitions: ['acme', 'beta'] });
  const root = new FhirClient(server.url);
  return { server, root, acme: tenant(root, 'acme'), beta: tenant(root, 'beta') };
}

/** Both tenants hold the same; beta holds some more under FOREIGN_ID. */
export async function openSeededWorld(options: Omit<StoreTestOptions, 'partitions'> = {}): Promise<World> {
  const world = await openWorld(options);
  for (const one of [world.acme, world.beta]) await store(one, ...commonResources(one));
  await store(world.beta, ...foreignResources(world.beta));
  return world;
}

function tenant(root: FhirClient, name: string): Tenant {
  return { name, client: root.tenant(name), canary: `canary-${name}-${randomUUID()}` };
}

/** Stores resources under their own ids. @throws Error unless all are stored. */
export async function store({ client }: Tenant, ...resources: readonly FhirResource[]): Promise<void> {
  const entry = resources.map((resource) => ({
    resource,
    request: { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, text } = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  if (status !== 200) throw new Error(text);
}

/** The same for every tenant but for the canary. */
export function commonResources({ canary }: Tenant): readonly FhirResource[] {
  const meta = labels(canary);
  const subject = { reference: 'Patient/p1' };
  const status = 'final' as const;
  const code = { coding: [{ system: 'http://loinc.org', code: '29463-7' }], text: canary };
  return [
    { resourceType: 'Organization', id: 'o1', meta, name: 'Clinic', alias: [canary] },
    {
      resourceType: 'Patient',
      id: 'p1',
      meta,
      identifier: [{ system: 'urn:mrn', value: '1' }],
      name: [{ family: 'Okafor', text: canary }],
      birthDate: '1980-04-05',
      gender: 'female',
      active: true,
      managingOrganization: { reference: 'Organization/o1' },
    },
    {
      resourceType: 'Observation',
      id: 'b1',
      meta,
      status,
      code,
      subject,
      effectiveDateTime: '2024-05-06T07:08:09Z',
      valueQuantity: { value: 70, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' },
      note: [{ text: canary }],
    },
    {
      resourceType: 'RiskAssessment',
      id: 'r1',
      meta,
      status,
      subject,
      prediction: [{ probabilityDecimal: 0.5, rationale: canary }],
    },
    {
      resourceType: 'PlanDefinition',
      id: 'd1',
      meta,
      status: 'draft',
      url: 'http://example.org/plan',
      title: canary,
    },
  ];
}

/** What beta alone holds, under FOREIGN_ID, with the labels that it has in common with acme. */
export function foreignResources({ canary }: Tenant): readonly FhirResource[] {
  const common = labels(canary);
  return planted(canary)
    .slice(0, FIRST_FOREIGN)
    .map((resource) => {
      const { profile = [], tag = [], security = [] } = resource.meta ?? {};
      const meta = {
        ...resource.meta,
        profile: [...common.profile, ...profile],
        tag: [...common.tag, ...tag],
        security: [...common.security, ...security],
      };
      return { ...resource, meta };
    });
}

/** What else beta may hold, which refers to that. */
export function furtherForeignResources({ canary }: Tenant): readonly FhirResource[] {
  return planted(canary).slice(FIRST_FOREIGN);
}

/** The Patient, the Observation and the Binary. */
const FIRST_FOREIGN = 3;

function planted(canary: string): readonly FhirResource[] {
  return plantedResources({ id: FOREIGN_ID, canary }) as unknown as readonly FhirResource[];
}

/** Labels that tell the tenant, and labels that are equal for all. */
function labels(canary: string) {
  return {
    source: 'urn:source',
    profile: ['http://example.org/profile', `http://example.org/${canary}`],
    tag: [
      { system: 'urn:tag', code: 'same' },
      { system: 'urn:tag', code: canary },
    ],
    security: [
      { system: 'urn:security', code: 'same' },
      { system: 'urn:security', code: canary },
    ],
  };
}

/** Everything that a tenant holds and has held. */
export async function wholeHistory({ client }: Tenant): Promise<string> {
  return (await client.get<Bundle>('_history?_count=1000')).text;
}

/** The ids of a searchset's or history's entries, in order. */
export function idsOf({ body }: Answer<Bundle>): readonly string[] {
  return (body.entry ?? []).map(({ resource }) => `${resource?.resourceType}/${resource?.id}`);
}

export function linkOf({ body }: Answer<Bundle>, relation: string): string | undefined {
  return body.link?.find((link) => link.relation === relation)?.url;
}

/** The answer shows the one tenant's content, and nothing of the other's. */
export function assertOnly(t: ExecutionContext, answer: Answer<unknown>, world: World): void {
  const { acme, beta } = world;
  t.true(answer.text.includes(acme.canary), answer.text.slice(0, 500));
  assertNothingOf(t, answer, beta);
}

export function assertNothingOf(
  t: ExecutionContext,
  { text, headers }: Answer<unknown>,
  { canary, name }: Tenant,
): void {
  const whole = `${text} ${JSON.stringify([...headers])}`;
  t.false(whole.includes(canary), whole.slice(0, 2000));
  t.false(whole.includes(`/${name}/`), whole.slice(0, 2000));
}

export function diagnosticsOf({ body }: Answer<unknown>): string {
  return (body as OperationOutcome).issue[0]?.diagnostics ?? '';
}
