import { normalizeString } from '../fhir/normalize.js';
import type { Resource } from '../model/resource.js';
import { toCanonical } from './canonical.js';
import type { CodeSystem, Designation } from './code-system.js';
import type { Composition } from './compose.js';
import type { Member, Members } from './members.js';
import type { ValueSet } from './value-set.js';

/** How an expansion is wanted: https://hl7.org/fhir/R4/valueset-operation-expand.html */
export interface ExpansionOptions {
  /** Words that code or display must have, each of them. */
  readonly filter: string | undefined;
  readonly offset: number;
  /** Undefined: all. */
  readonly count: number | undefined;
  readonly activeOnly: boolean;
  readonly excludeNotForUI: boolean;
  readonly includeDesignations: boolean;
  /** `compose` comes back too. */
  readonly includeDefinition: boolean;
  readonly displayLanguage: string | undefined;
  /** Parameters of the request, to be told in the expansion. */
  readonly parameters: readonly ExpansionParameter[];
}

/** `ValueSet.expansion.parameter` */
export interface ExpansionParameter {
  readonly name: string;
  readonly valueString?: string;
  readonly valueUri?: string;
  readonly valueBoolean?: boolean;
  readonly valueInteger?: number;
}

/** What is expanded, and when (milliseconds since 1970 UTC). */
export interface Expanding {
  readonly valueSet: ValueSet;
  readonly members: Members;
  readonly composition: Composition;
  readonly now: number;
}

/** Says that there may be codes which the expansion does not have. */
const UNCLOSED = 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed';
const LEFT_OUT: ReadonlySet<string> = new Set(['text', 'contained', 'compose', 'expansion']);

/** The value set with its expansion: a flat list in the order of the definition, or one page of it. */
export function toExpansion(expanding: Expanding, options: ExpansionOptions): Resource {
  const { valueSet, composition, now } = expanding;
  const chosen = choose(expanding.members, options);
  const end = options.count === undefined ? undefined : options.offset + options.count;
  const isPage = options.offset > 0 || options.count !== undefined;
  const kept = Object.entries(valueSet.resource).filter(
    ([name]) => !LEFT_OUT.has(name) || (options.includeDefinition && name === 'compose'),
  );
  return {
    ...Object.fromEntries(kept),
    resourceType: 'ValueSet',
    expansion: {
      ...(composition.partial.size === 0 ? {} : { extension: [{ url: UNCLOSED, valueBoolean: true }] }),
      timestamp: new Date(now).toISOString(),
      total: chosen.length,
      ...(isPage ? { offset: options.offset } : {}),
      ...listed('parameter', [...options.parameters, ...usedSystems(composition)]),
      ...listed(
        'contains',
        chosen.slice(options.offset, end).map((member) => toContains(member, options)),
      ),
    },
  };
}

/** FHIR has no empty lists: https://hl7.org/fhir/R4/json.html */
function listed(name: string, list: readonly object[]): object {
  return list.length === 0 ? {} : { [name]: list };
}

function choose(members: Members, options: ExpansionOptions): readonly Member[] {
  const words = normalizeString(options.filter ?? '')
    .split(' ')
    .filter(Boolean);
  return [...members].filter((member) => {
    if (options.activeOnly && member.concept?.inactive) return false;
    if (options.excludeNotForUI && member.concept?.abstract) return false;
    if (words.length === 0) return true;
    const text = normalizeString(`${member.code} ${displayOf(member, options.displayLanguage) ?? ''}`);
    return words.every((word) => text.includes(word));
  });
}

/** Which code systems were used, of which only a part was at hand, and what supplements them. */
function usedSystems({ used, partial }: Composition): readonly ExpansionParameter[] {
  const systems = [...used.values()].map((system) => ({ name: 'used-codesystem', valueUri: nameOf(system) }));
  const parts = [...partial.values()].map((system) => ({
    name: `used-${system.content}`,
    valueUri: nameOf(system),
  }));
  const supplements = [...used.values()].flatMap((system) => system.supplements ?? []);
  return [...systems, ...parts, ...supplements.map((valueUri) => ({ name: 'used-supplement', valueUri }))];
}

function nameOf({ url, version }: CodeSystem): string {
  return toCanonical(url, version);
}

function toContains(member: Member, options: ExpansionOptions): object {
  const { system, code, concept } = member;
  const display = displayOf(member, options.displayLanguage);
  const designations = options.includeDesignations ? designationsOf(member) : [];
  return {
    system,
    ...(concept?.abstract ? { abstract: true } : {}),
    ...(concept?.inactive ? { inactive: true } : {}),
    code,
    ...(display === undefined ? {} : { display }),
    ...(designations.length === 0 ? {} : { designation: designations.map(toDesignation) }),
  };
}

/** The display in the language (`de` is also found for `de-CH`), or the one without language. */
export function displayOf(
  member: Pick<Member, 'display' | 'concept' | 'designations'>,
  language: string | undefined,
): string | undefined {
  if (language === undefined) return member.display;
  const wanted = language.toLowerCase();
  const all = designationsOf(member);
  const inLanguage =
    all.find((one) => one.language?.toLowerCase() === wanted) ??
    all.find((one) => one.language?.toLowerCase() === wanted.split('-')[0]);
  return inLanguage?.value ?? member.display;
}

/** Other names of a code: the value set's own first. */
export function designationsOf({
  designations,
  concept,
}: Pick<Member, 'concept' | 'designations'>): readonly Designation[] {
  if (concept === undefined) return designations;
  return [...designations, ...concept.designations, ...(concept.supplemented?.designations ?? [])];
}

/** A designation as FHIR writes it. */
export function toDesignation({ language, use, value }: Designation): object {
  return { ...(language === undefined ? {} : { language }), ...(use === undefined ? {} : { use }), value };
}
