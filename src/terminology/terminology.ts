import { LRUCache } from 'lru-cache';
import { FhirError } from '../model/errors.js';
import { ancestors, descendants, type CodeSystem } from './code-system.js';
import { Composition } from './compose.js';
import { findValueSet, Libraries, type Library } from './library.js';
import type { Members } from './members.js';
import type { TerminologySource } from './terminology-source.js';
import type { ValueSet } from './value-set.js';

/** Codes by their system. */
export type CodesBySystem = ReadonlyMap<string, readonly string[]>;

/** What a value set holds, and how that was found. */
export interface Composed {
  readonly members: Members;
  readonly composition: Composition;
}

/** What was worked out of one library. */
interface WorkedOut {
  readonly of: Library;
  readonly codes: LRUCache<string, CodesBySystem>;
  /** What is being worked out: whoever else asks for it waits for the same. */
  readonly pending: Map<string, Promise<CodesBySystem>>;
  readonly composed: LRUCache<ValueSet, Composed>;
}

/** Codes of value sets that are kept in memory, all together; once as text, once with all that is known of them. */
const KEPT_CODES = 300_000;

/** What the server knows of codes: what ships with R4, and what is stored. */
export class Terminology {
  private readonly libraries: Libraries;
  private kept: WorkedOut | undefined;

  constructor(source: TerminologySource) {
    this.libraries = new Libraries(source);
  }

  /** Tells of types that this server has just written, so that it sees its own writes at once. */
  noticeWrites(types: Iterable<string>): void {
    for (const type of types) if (type === 'CodeSystem' || type === 'ValueSet') this.libraries.forget();
  }

  /** What there is now; one answer is made from one library. */
  library(): Promise<Library> {
    return this.libraries.now();
  }

  /**
   * All codes of a value set, by canonical or `ValueSet/id`.
   * @throws FhirError UNKNOWN_VALUE_SET, UNKNOWN_CODE_SYSTEM, INVALID_VALUE_SET, TOO_COSTLY
   */
  async codesIn(reference: string): Promise<CodesBySystem> {
    const library = await this.library();
    const { codes, pending } = this.keptFor(library);
    const known = codes.get(reference) ?? pending.get(reference);
    if (known) return known;
    const found = this.findCodes(library, reference);
    pending.set(reference, found);
    try {
      codes.set(reference, await found);
      return await found;
    } finally {
      pending.delete(reference);
    }
  }

  private async findCodes(library: Library, reference: string): Promise<CodesBySystem> {
    const composition = new Composition(library);
    const members = await composition.members(await findValueSet(library, reference));
    for (const [url, system] of composition.partial) assertWhole(url, system);
    const bySystem = Map.groupBy(members, ({ system }) => system);
    return new Map([...bySystem].map(([system, list]) => [system, list.map(({ code }) => code)]));
  }

  /**
   * The code itself, and all that it subsumes (`below`) or that subsume it (`above`).
   * @throws FhirError UNKNOWN_CODE_SYSTEM, UNKNOWN_CODE
   */
  async related(direction: 'above' | 'below', system: string, code: string): Promise<readonly string[]> {
    const library = await this.library();
    const known = assertWhole(system, await library.codeSystem({ url: system, version: undefined }));
    const concept = known.find(code);
    if (concept === undefined)
      throw new FhirError('UNKNOWN_CODE', `${system} has no code ${code.slice(0, 80)}.`);
    return [...(direction === 'above' ? ancestors(known, concept) : descendants(known, concept))];
  }

  /**
   * All that a value set holds; asked for the same one again, it is at hand.
   * @throws FhirError UNKNOWN_VALUE_SET, UNKNOWN_CODE_SYSTEM, INVALID_VALUE_SET, TOO_COSTLY
   */
  async compose(library: Library, valueSet: ValueSet): Promise<Composed> {
    const { composed } = this.keptFor(library);
    const known = composed.get(valueSet);
    if (known) return known;
    const composition = new Composition(library);
    const made = { members: await composition.members(valueSet), composition };
    composed.set(valueSet, made);
    return made;
  }

  private keptFor(library: Library): WorkedOut {
    if (this.kept?.of !== library) this.kept = workedOut(library);
    return this.kept;
  }
}

function workedOut(of: Library): WorkedOut {
  return {
    of,
    pending: new Map(),
    codes: new LRUCache({
      maxSize: KEPT_CODES,
      sizeCalculation: (codes) => [...codes.values()].reduce((sum, list) => sum + list.length, 1),
    }),
    composed: new LRUCache({ maxSize: KEPT_CODES, sizeCalculation: ({ members }) => 1 + members.size }),
  };
}

/** A system of which nothing is missing. @throws FhirError UNKNOWN_CODE_SYSTEM */
export function assertWhole(url: string, system: CodeSystem | undefined): CodeSystem {
  if (system?.content === 'complete') return system;
  const why = system === undefined ? 'not at hand' : `here in a part only (${system.content})`;
  throw new FhirError('UNKNOWN_CODE_SYSTEM', `The code system ${url.slice(0, 200)} is ${why}.`);
}
