import { FhirError } from '../model/errors.js';
import { parseCanonical, toCanonical } from './canonical.js';
import { toCodeSystem, type CodeSystem, type Concept } from './code-system.js';
import { conceptTest, FilterError } from './concept-filter.js';
import { findValueSet, type Library } from './library.js';
import { Members, type Member } from './members.js';
import { invalidValueSet, toValueSet, type ConceptSet, type ValueSet } from './value-set.js';

/** What is asked of a value set: all of its codes, or whether one is among them. */
export interface ComposeQuestion {
  readonly only?: { readonly system: string; readonly code: string };
  /** Versions of code systems by URL: where the value set names none; must be; instead of what it names. */
  readonly versions?: SystemVersions;
}

/** https://hl7.org/fhir/R4/valueset-operation-expand.html: system-version, check-system-version, force-system-version. */
export interface SystemVersions {
  readonly preferred: ReadonlyMap<string, string>;
  readonly demanded: ReadonlyMap<string, string>;
  readonly forced: ReadonlyMap<string, string>;
}

/** Codes in one value set, with those that it is made of. */
export const MOST_MEMBERS = 50_000;
/** Concepts that are looked at for one answer. */
const MOST_STEPS = 1_000_000;
/** Value sets within value sets. */
const DEEPEST = 30;

/** One include or exclude, and whose it is. */
interface Part {
  readonly set: ConceptSet;
  readonly owner: ValueSet;
  readonly depth: number;
}

/**
 * Works out what a value set holds: https://hl7.org/fhir/R4/valueset.html#compositions. One is made for each
 * question; value sets that are met several times are worked out once. Nothing is ever left out silently: what can't
 * be listed is an error that says why.
 */
export class Composition {
  /** Code systems that gave codes, by canonical. */
  readonly used = new Map<string, CodeSystem>();
  /** Code systems of which all concepts, or those that pass a filter, were asked for, and a part is at hand. */
  readonly partial = new Map<string, CodeSystem>();
  /** What was worked out, or why it could not be. */
  private readonly done = new Map<ValueSet, Members | FhirError>();
  private readonly open = new Set<ValueSet>();
  private readonly contained = new Map<object, ValueSet>();
  private steps = 0;

  constructor(
    private readonly library: Library,
    private readonly question: ComposeQuestion = {},
  ) {}

  /**
   * The codes of the value set; with `only`, this code or none.
   * @throws FhirError UNKNOWN_VALUE_SET, UNKNOWN_CODE_SYSTEM, INVALID_VALUE_SET, TOO_COSTLY
   */
  members(valueSet: ValueSet): Promise<Members> {
    return this.membersAt(valueSet, 0);
  }

  private async membersAt(valueSet: ValueSet, depth: number): Promise<Members> {
    const known = this.done.get(valueSet);
    if (known instanceof FhirError) throw known;
    if (known) return known;
    const name = nameOf(valueSet);
    if (this.open.has(valueSet)) throw invalidValueSet(name, 'it is made of itself');
    if (depth > DEEPEST) throw invalidValueSet(name, `it is made of value sets more than ${DEEPEST} deep`);
    this.open.add(valueSet);
    try {
      const members = await this.workOut(valueSet, depth);
      this.done.set(valueSet, members);
      return members;
    } catch (error) {
      if (error instanceof FhirError) this.done.set(valueSet, error);
      throw error;
    } finally {
      this.open.delete(valueSet);
    }
  }

  private async workOut(valueSet: ValueSet, depth: number): Promise<Members> {
    for (const supplement of valueSet.supplements) await this.assertAtHand(supplement, valueSet);
    const members = await this.union(valueSet, depth);
    for (const set of members.size > 0 ? valueSet.exclude : []) {
      await this.exclude(members, { set, owner: valueSet, depth });
    }
    if (!valueSet.withInactive) {
      for (const { system, code, concept } of members) if (concept?.inactive) members.delete(system, code);
    }
    return members;
  }

  private async assertAtHand(supplement: string, owner: ValueSet): Promise<void> {
    const known = await this.library.codeSystem(parseCanonical(supplement));
    if (known?.content === 'supplement') return;
    throw invalidValueSet(nameOf(owner), `it needs the supplement ${supplement}, which is not at hand`);
  }

  /** One code may be found in a part although another part can't be worked out. */
  private async union(owner: ValueSet, depth: number): Promise<Members> {
    const members = new Members();
    const refusals: FhirError[] = [];
    for (const set of owner.include) {
      try {
        for (const member of await this.part({ set, owner, depth })) this.add(members, member, owner);
      } catch (error) {
        if (!(error instanceof FhirError) || this.question.only === undefined) throw error;
        refusals.push(error);
      }
    }
    if (members.size === 0 && refusals[0]) throw refusals[0];
    return members;
  }

  private add(members: Members, member: Member, owner: ValueSet): void {
    members.add(member);
    if (members.size > MOST_MEMBERS) {
      throw new FhirError(
        'TOO_COSTLY',
        `The value set ${nameOf(owner)} has more than ${MOST_MEMBERS} codes.`,
      );
    }
  }

  /** A whole system goes without being known. */
  private async exclude(members: Members, part: Part): Promise<void> {
    const { system, concepts, filters, valueSets, version } = part.set;
    const isWhole = concepts === undefined && filters.length === 0 && valueSets.length === 0;
    if (isWhole && version === undefined) {
      for (const member of members) if (member.system === system) members.delete(member.system, member.code);
      return;
    }
    for (const member of await this.part(part)) members.delete(member.system, member.code);
  }

  /** What the system gives and is in each of the value sets. */
  private async part(part: Part): Promise<Iterable<Member>> {
    const { system, valueSets, concepts, filters } = part.set;
    const { only } = this.question;
    if (system !== undefined && only !== undefined && system !== only.system) return [];
    const imported: Members[] = [];
    for (const reference of valueSets) imported.push(await this.imported(reference, part));
    const [first, ...others] = imported;
    const inAll = (member: Member): boolean => others.every((set) => set.has(member.system, member.code));
    if (first !== undefined && (system === undefined || (concepts === undefined && filters.length === 0))) {
      return [...first].filter((member) => (system ?? member.system) === member.system && inAll(member));
    }
    const members = await this.fromSystem(part, system ?? '');
    return first ? members.filter((one) => first.has(one.system, one.code) && inAll(one)) : members;
  }

  private async imported(reference: string, { owner, depth }: Part): Promise<Members> {
    return this.membersAt(await this.valueSet(reference, owner), depth + 1);
  }

  private async valueSet(reference: string, owner: ValueSet): Promise<ValueSet> {
    if (!reference.startsWith('#')) return this.storedValueSet(reference, owner);
    const resource = owner.contained.get(reference.slice(1));
    if (resource?.resourceType !== 'ValueSet')
      throw invalidValueSet(nameOf(owner), `it contains no value set ${reference}`);
    const known = this.contained.get(resource) ?? { ...toValueSet(resource), contained: owner.contained };
    this.contained.set(resource, known);
    return known;
  }

  private async storedValueSet(reference: string, owner: ValueSet): Promise<ValueSet> {
    try {
      return await findValueSet(this.library, reference);
    } catch (error) {
      if (!(error instanceof FhirError) || error.code !== 'UNKNOWN_VALUE_SET') throw error;
      throw new FhirError(
        'UNKNOWN_VALUE_SET',
        `The value set ${nameOf(owner)} is made of ${reference.slice(0, 200)}, which is not at hand.`,
        { status: 422 },
      );
    }
  }

  private async fromSystem({ set, owner }: Part, url: string): Promise<readonly Member[]> {
    const system = await this.codeSystem(url, set, owner);
    if (set.concepts !== undefined) return this.listed(set, system);
    const listing = assertListable(url, system, owner);
    if (listing.content !== 'complete') this.partial.set(listing.url, listing);
    this.use(listing);
    const candidates = this.candidates(listing, costOf(set));
    return filtered(candidates, { set, system: listing, owner }).map((one) => toMember(listing, one));
  }

  /** Listed codes are members as they are listed, whether their system is at hand or not. */
  private listed(
    { system = '', version, concepts = [] }: ConceptSet,
    known: CodeSystem | undefined,
  ): Member[] {
    const { only } = this.question;
    if (known) this.use(known);
    this.count(concepts.length);
    return concepts.flatMap((listed) => {
      const concept = known?.find(listed.code);
      const code = concept?.code ?? listed.code;
      if (only !== undefined && only.code !== code && known?.find(only.code)?.code !== code) return [];
      return [
        {
          system,
          version: known?.version ?? version,
          code,
          display: listed.display ?? concept?.display,
          designations: listed.designations,
          concept,
        },
      ];
    });
  }

  private candidates(system: CodeSystem, cost: number): readonly Concept[] {
    const { only } = this.question;
    if (only !== undefined) {
      const concept = system.find(only.code);
      return concept ? [concept] : [];
    }
    this.count(system.concepts.size * cost);
    return [...system.concepts.values()];
  }

  private count(steps: number): void {
    this.steps += steps;
    if (this.steps > MOST_STEPS)
      throw new FhirError('TOO_COSTLY', 'The value set is made of too many codes to be worked out.');
  }

  private use(system: CodeSystem): void {
    this.used.set(toCanonical(system.url, system.version), system);
  }

  private async codeSystem(url: string, set: ConceptSet, owner: ValueSet): Promise<CodeSystem | undefined> {
    if (url.startsWith('#')) {
      const resource = owner.contained.get(url.slice(1));
      return resource?.resourceType === 'CodeSystem' ? toCodeSystem(resource) : undefined;
    }
    const { preferred, demanded, forced } = this.question.versions ?? NO_VERSIONS;
    const version = forced.get(url) ?? set.version ?? preferred.get(url) ?? demanded.get(url);
    const system = await this.library.codeSystem({ url, version });
    const demand = demanded.get(url);
    if (demand !== undefined && (system?.version ?? version) !== demand) {
      throw new FhirError(
        'INVALID_VALUE_SET',
        `The value set ${nameOf(owner)} uses ${toCanonical(url, system?.version ?? version)}, not version ${demand}.`,
      );
    }
    return system;
  }
}

const NO_VERSIONS: SystemVersions = { preferred: new Map(), demanded: new Map(), forced: new Map() };

/** Steps for each concept: a pattern is as much work as it is long. */
function costOf({ filters }: ConceptSet): number {
  const lengths = filters.map(({ op, value }) => (op === 'regex' ? value.length : 0));
  return lengths.reduce((sum, length) => sum + length, 1);
}

/** Filters, and what they belong to. */
interface Filtering {
  readonly set: ConceptSet;
  readonly system: CodeSystem;
  readonly owner: ValueSet;
}

function filtered(concepts: readonly Concept[], { set, system, owner }: Filtering): readonly Concept[] {
  try {
    const tests = set.filters.map((filter) => conceptTest(filter, system));
    return concepts.filter((concept) => tests.every((test) => test(concept)));
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw invalidValueSet(nameOf(owner), error.message);
  }
}

/** @throws FhirError UNKNOWN_CODE_SYSTEM */
function assertListable(url: string, system: CodeSystem | undefined, owner: ValueSet): CodeSystem {
  if (system !== undefined && system.content !== 'not-present' && system.content !== 'supplement')
    return system;
  const why =
    system === undefined
      ? 'which is not at hand'
      : system.content === 'supplement'
        ? 'which is a supplement and has no codes of its own'
        : 'of which this server has the name only';
  throw new FhirError(
    'UNKNOWN_CODE_SYSTEM',
    `The value set ${nameOf(owner)} needs the concepts of ${url}, ${why}.`,
    { status: 422 },
  );
}

function toMember(system: CodeSystem, concept: Concept): Member {
  const { url, version } = system;
  return { system: url, version, code: concept.code, display: concept.display, designations: [], concept };
}

function nameOf({ url, resource }: ValueSet): string {
  return url ?? (resource.id === undefined ? 'in the request' : `ValueSet/${resource.id}`);
}
