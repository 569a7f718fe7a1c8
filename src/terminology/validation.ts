import { FhirError } from '../model/errors.js';
import type { CodeSystem, Concept } from './code-system.js';
import { Composition } from './compose.js';
import { designationsOf, displayOf } from './expansion.js';
import type { Library } from './library.js';
import type { Member } from './members.js';
import type { ValueSet } from './value-set.js';

/** A code that is looked at. */
export interface GivenCode {
  readonly system: string;
  readonly version: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
}

/** What is asked besides. */
export interface ValidationOptions {
  /** Codes for navigation are welcome too. */
  readonly abstract: boolean;
  readonly displayLanguage: string | undefined;
}

/** What https://hl7.org/fhir/R4/valueset-operation-validate-code.html answers. */
export interface Verdict {
  readonly result: boolean;
  readonly message: string | undefined;
  readonly display: string | undefined;
}

/** Whether the code is in the value set. What can't be told for want of a code system is no, and the message says so. */
export async function validateInValueSet(
  library: Library,
  valueSet: ValueSet,
  given: GivenCode,
  options: ValidationOptions,
): Promise<Verdict> {
  const { system, code, version } = given;
  const versions =
    version === undefined
      ? {}
      : { versions: { preferred: new Map([[system, version]]), demanded: NONE, forced: NONE } };
  const composition = new Composition(library, { only: { system, code }, ...versions });
  try {
    const [member] = await composition.members(valueSet);
    if (member) return judge(member, given, { options, known: composition.used.values() });
    const [partial] = composition.partial.values();
    const part = partial ? ` (of ${partial.url} this server has a part: ${partial.content})` : '';
    return no(`The code ${system}|${code} is not in the value set${part}.`);
  } catch (error) {
    if (error instanceof FhirError && error.code === 'UNKNOWN_CODE_SYSTEM') return no(error.message);
    throw error;
  }
}

/** Whether the code system has the code. */
export function validateInCodeSystem(
  system: CodeSystem,
  given: GivenCode,
  options: ValidationOptions,
): Verdict {
  const concept = system.find(given.code);
  if (concept === undefined) return no(unknownCode(system, given.code));
  return judge(toMember(system, concept), given, { options, known: [system] });
}

/** Why a code system does not have a code. */
export function unknownCode({ url, content }: CodeSystem, code: string): string {
  const part = content === 'complete' ? '' : ` (this server has a part of it: ${content})`;
  return `The code system ${url} has no code ${code.slice(0, 80)}${part}.`;
}

const NONE: ReadonlyMap<string, string> = new Map();

function toMember({ url, version }: CodeSystem, concept: Concept): Member {
  return { system: url, version, code: concept.code, display: concept.display, designations: [], concept };
}

interface Judging {
  readonly options: ValidationOptions;
  readonly known: Iterable<CodeSystem>;
}

function judge(member: Member, given: GivenCode, { options, known }: Judging): Verdict {
  const display = displayOf(member, options.displayLanguage);
  const system = [...known].find(({ url }) => url === member.system);
  if (system?.content === 'complete' && member.concept === undefined)
    return no(unknownCode(system, given.code));
  if (member.concept?.abstract && !options.abstract) {
    return { ...no(`The code ${given.code} is abstract: nothing should be coded with it.`), display };
  }
  if (given.display !== undefined && !hasName(member, given.display)) {
    return { ...no(`The display "${given.display.slice(0, 200)}" is incorrect.`), display };
  }
  return { result: true, message: undefined, display };
}

/** A code without any name can't be named wrongly. */
function hasName(member: Member, display: string): boolean {
  const names = [
    member.display,
    member.concept?.display,
    ...designationsOf(member).map(({ value }) => value),
  ];
  const known = names.filter((name) => name !== undefined);
  return known.length === 0 || known.some((name) => sameText(name, display));
}

function sameText(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(text: string): string {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}

function no(message: string): Verdict {
  return { result: false, message, display: undefined };
}
