import type { FhirResource, Reference } from 'fhir/r4.js';
import type { FhirClient } from '../contract/support/fhir-client.js';
import { parameterOf } from './parameters.js';
import type { RandomQuery } from './random-queries.js';
import type { QueryPart } from './search-oracle.js';
import { load } from './search-world.js';

/** What a contained resource must not have: https://hl7.org/fhir/R4/domainresource.html#contained. */
const NOT_CONTAINED = new Set(['_lastUpdated', '_security']);
/** What asks for other resources that lead here, of which a container knows none. */
const BACKWARDS = new Set(['_has', '_list']);
const EXTENSION = 'http://example.org/part';
const PER_CONTAINER = 3;
const STANDING = /^([A-Za-z]+)\/([A-Za-z0-9.-]+)(?:\/_history\/\d+)?$/;
/** Links of the random chains. */
const MAX_LINKS = 2;

/** Stores copies of the resources once more, some together in a Basic, under the same ids. */
export async function loadContained(client: FhirClient, resources: readonly FhirResource[]): Promise<void> {
  const groups = [...Map.groupBy(resources, ({ resourceType }) => resourceType).values()];
  const containers = groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / PER_CONTAINER) }, (_, at) =>
      toContainer(`c${at}`, group.slice(at * PER_CONTAINER, (at + 1) * PER_CONTAINER)),
    ),
  );
  await load(client, containers);
}

function toContainer(id: string, parts: readonly FhirResource[]): FhirResource {
  const [first] = parts;
  return {
    resourceType: 'Basic',
    id: `${first?.resourceType}-${id}`,
    code: { text: 'container' },
    contained: parts.map(asContained),
    extension: parts.map((part) => ({ url: EXTENSION, valueReference: { reference: `#${part.id}` } })),
  };
}

function asContained(resource: FhirResource): FhirResource {
  const { versionId: _version, lastUpdated: _updated, security: _security, ...meta } = resource.meta ?? {};
  return { ...resource, meta };
}

/** Whether the query means the same of a contained copy. */
export function isOfContained({ type, parts }: RandomQuery): boolean {
  return parts.every(([name, value]) => {
    const [code = '', modifier] = name.split(':');
    if (BACKWARDS.has(code) || NOT_CONTAINED.has(code)) return false;
    if (code === '_filter') return ![...BACKWARDS, ...NOT_CONTAINED].some((one) => value.includes(one));
    const isOpen = modifier === 'above' || modifier === 'below';
    return (
      name.includes('.') || !isOpen || parameterOf(type, code).type !== 'reference' || value.includes('://')
    );
  });
}

/** Stores each resource with what it refers to inside of it, and that with what it refers to: nothing else is there. */
export async function loadSelfContained(
  client: FhirClient,
  resources: readonly FhirResource[],
): Promise<void> {
  const byName = new Map(resources.map((one) => [`${one.resourceType}/${one.id}`, one]));
  await load(
    client,
    resources.map((resource) => selfContained(resource, byName)),
  );
}

function selfContained(resource: FhirResource, byName: ReadonlyMap<string, FhirResource>): FhirResource {
  const inside = new Map<string, FhirResource>();
  let from = [resource];
  for (let link = 0; link < MAX_LINKS; link++) {
    const names = from.flatMap(namesIn).filter((name) => byName.has(name) && !inside.has(name));
    from = [...new Set(names)].flatMap((name) => byName.get(name) ?? []);
    for (const one of from) inside.set(`${one.resourceType}/${one.id}`, one);
  }
  const inner = (one: FhirResource): FhirResource => rewritten(one, inside);
  const contained = [...inside].map(([name, one]) => ({ ...asContained(inner(one)), id: fragmentOf(name) }));
  return { ...inner(resource), ...(contained.length === 0 ? {} : { contained }) } as FhirResource;
}

function namesIn(resource: FhirResource): string[] {
  const names: string[] = [];
  JSON.stringify(resource, (key, value: unknown) => {
    const name = key === 'reference' && typeof value === 'string' ? nameOf(value) : undefined;
    if (name !== undefined) names.push(name);
    return value;
  });
  return names;
}

function nameOf(reference: string): string | undefined {
  const [, type, id] = STANDING.exec(reference) ?? [];
  return type === undefined ? undefined : `${type}/${id}`;
}

function fragmentOf(name: string): string {
  return name.replace('/', '-');
}

/** References lead inside; where they would lead further they only say that there is something. */
function rewritten(resource: FhirResource, inside: ReadonlyMap<string, FhirResource>): FhirResource {
  const text = JSON.stringify(resource, (_key, value: unknown) => {
    const name = isReference(value) ? nameOf(value.reference ?? '') : undefined;
    if (!isReference(value) || name === undefined) return value;
    const { reference: _reference, ...rest } = value;
    return inside.has(name) ? { ...rest, reference: `#${fragmentOf(name)}` } : { ...rest, display: name };
  });
  return JSON.parse(text) as FhirResource;
}

function isReference(value: unknown): value is Reference {
  return (
    typeof value === 'object' && value !== null && 'reference' in value && typeof value.reference === 'string'
  );
}

/** Whether the query means the same where all references lead inside. */
export function isOfSelfContained({ type, parts }: RandomQuery): boolean {
  return parts.some(([name]) => name.includes('.')) && parts.every((part) => endsTheSame(type, part));
}

function endsTheSame(type: string, [name]: QueryPart): boolean {
  if (name.includes('_has:') || name === '_list' || name === '_filter') return false;
  const links = name.split('.');
  const last = links.pop() ?? '';
  const targets = links.map((link) => link.split(':')[1] ?? '');
  // Canonical URLs lead to what is stored.
  if (targets.includes('Measure')) return false;
  const [code = ''] = last.split(':');
  const kind = parameterOf(targets.at(-1) ?? type, code).type;
  return kind !== 'reference' && kind !== 'composite' && code !== '_id' && !NOT_CONTAINED.has(code);
}
