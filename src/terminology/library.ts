import { LRUCache } from 'lru-cache';
import { FhirError } from '../model/errors.js';
import type { Resource } from '../model/resource.js';
import { compareVersions, parseCanonical, type Canonical } from './canonical.js';
import { toCodeSystem, type CodeSystem } from './code-system.js';
import { textOf } from './json-parts.js';
import { ShippedTerminology } from './shipped.js';
import { parseImplicit, toImplicitValueSet } from './implicit-value-set.js';
import { withSupplements } from './supplement.js';
import type { TerminologySource, TerminologyType } from './terminology-source.js';
import { toValueSet, type ValueSet } from './value-set.js';

/** Concepts in the code systems that are kept in memory, all together. */
const KEPT_CONCEPTS = 300_000;
const KEPT_VALUE_SETS = 1000;

/** What there is at one moment: as the database stood at one revision. Reads each resource once. */
export class Library {
  private readonly codeSystems = new LRUCache<string, CodeSystem>({
    maxSize: KEPT_CONCEPTS,
    sizeCalculation: ({ concepts }) => 1 + concepts.size,
  });
  private readonly valueSets = new LRUCache<string, ValueSet>({ max: KEPT_VALUE_SETS });
  /** What was asked for and is not there. */
  private readonly missing = new LRUCache<string, true>({ max: KEPT_VALUE_SETS });

  constructor(
    private readonly source: TerminologySource,
    private readonly shipped: ShippedTerminology,
  ) {}

  /** The code system with the URL, with what supplements add to it; without a version the newest one. */
  codeSystem(canonical: Canonical): Promise<CodeSystem | undefined> {
    const read = (resource: Resource): Promise<CodeSystem> => this.readCodeSystem(resource);
    return this.find('CodeSystem', canonical, { cache: this.codeSystems, read });
  }

  /** A code system as it is stored or given, with what supplements add to it. */
  async readCodeSystem(resource: Resource): Promise<CodeSystem> {
    const system = toCodeSystem(resource);
    const known = system.content === 'supplement' ? [] : await this.source.supplements(system.url);
    const supplements = known.filter((one) => one['content'] === 'supplement');
    const newest = [...Map.groupBy(supplements, (one) => one['url']).values()].flatMap(
      (versions) => versions.filter((one) => one['status'] !== 'retired').toSorted(newerFirst)[0] ?? [],
    );
    return withSupplements(system, newest);
  }

  /**
   * The value set with the URL; where there is none, the implicit one that the URL names.
   * @throws FhirError INVALID_VALUE_SET
   */
  valueSet(canonical: Canonical): Promise<ValueSet | undefined> {
    return this.find('ValueSet', canonical, { cache: this.valueSets, read: async (one) => toValueSet(one) });
  }

  /** @throws FhirError INVALID_VALUE_SET */
  async valueSetById(id: string): Promise<ValueSet | undefined> {
    const known = this.valueSets.get(`/${id}`);
    if (known) return known;
    const resource = await this.source.read('ValueSet', id);
    if (resource === undefined) return undefined;
    const valueSet = toValueSet(resource);
    this.valueSets.set(`/${id}`, valueSet);
    return valueSet;
  }

  private async find<Item extends object>(
    type: TerminologyType,
    canonical: Canonical,
    {
      cache,
      read,
    }: { readonly cache: LRUCache<string, Item>; readonly read: (resource: Resource) => Promise<Item> },
  ): Promise<Item | undefined> {
    const key = `${canonical.version ?? ''} ${canonical.url}`;
    const known = cache.get(key);
    if (known !== undefined || this.missing.has(`${type} ${key}`)) return known;
    const resource = await this.resource(type, canonical);
    if (resource === undefined) this.missing.set(`${type} ${key}`, true);
    else cache.set(key, await read(resource));
    return resource && cache.get(key);
  }

  /** What is stored goes before what ships, so that a server can have its own. */
  private async resource(type: TerminologyType, { url, version }: Canonical): Promise<Resource | undefined> {
    const stored = await this.source.find(type, url);
    const [newest] = stored.filter((one) => isVersion(one, version)).toSorted(newerFirst);
    if (newest) return newest;
    const shipped = this.shipped.find(type, url);
    if (shipped && isVersion(shipped, version)) return shipped;
    return type === 'ValueSet' ? this.implicit({ url, version }) : undefined;
  }

  /** https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.valueSet */
  private async implicit({ url, version }: Canonical): Promise<Resource | undefined> {
    const named = parseImplicit(url);
    if (named) {
      const system = await this.resource('CodeSystem', { url: named.system, version });
      return system && toImplicitValueSet(url, system, named.root);
    }
    const systems = await this.source.withValueSet(url);
    const [newest] = systems.filter((one) => isVersion(one, version)).toSorted(newerFirst);
    return newest && toImplicitValueSet(url, newest);
  }
}

/** The library as it is now: a new one after anything was written. */
export class Libraries {
  private current: { readonly revision: string; readonly library: Library } | undefined;

  constructor(
    private readonly source: TerminologySource,
    private readonly shipped = new ShippedTerminology(),
  ) {}

  /** Nothing is taken for granted any more. */
  forget(): void {
    this.source.forget();
  }

  async now(): Promise<Library> {
    const revision = await this.source.revision();
    if (this.current?.revision !== revision)
      this.current = { revision, library: new Library(this.source, this.shipped) };
    return this.current.library;
  }
}

/** The value set that a canonical or `ValueSet/id` names. @throws FhirError UNKNOWN_VALUE_SET, INVALID_VALUE_SET */
export async function findValueSet(library: Library, reference: string): Promise<ValueSet> {
  const [, id] = /^ValueSet\/([A-Za-z0-9.-]{1,64})$/.exec(reference) ?? [];
  const found =
    id === undefined ? await library.valueSet(parseCanonical(reference)) : await library.valueSetById(id);
  if (found) return found;
  throw new FhirError('UNKNOWN_VALUE_SET', `There is no value set ${reference.slice(0, 200)}.`);
}

function isVersion(resource: Resource, version: string | undefined): boolean {
  return version === undefined || textOf(resource['version']) === version;
}

/** Retired ones last, then by version, then by the time of their last change. */
function newerFirst(one: Resource, other: Resource): number {
  const retired = Number(one['status'] === 'retired') - Number(other['status'] === 'retired');
  if (retired !== 0) return retired;
  const versions = compareVersions(textOf(other['version']), textOf(one['version']));
  return versions || compareVersions(other.meta?.lastUpdated, one.meta?.lastUpdated);
}
