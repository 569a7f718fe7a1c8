import { FhirError } from '../model/errors.js';
import type { SearchLimits, SearchValue, ValueCriterion } from './search-request.js';

/** Answers what stands in value sets and code systems. */
export interface CodeLookup {
  /** All codes of a value set (canonical, or `ValueSet/id`) by system. @throws FhirError */
  codesIn(reference: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The code itself and all above or below it. @throws FhirError */
  related(direction: 'above' | 'below', system: string, code: string): Promise<readonly string[]>;
}

/** What codes are looked up with, and how many may be found. */
export interface CodeListParts {
  readonly codes: CodeLookup;
  readonly limits: Pick<SearchLimits, 'maxCodes' | 'maxValues'>;
}

type LookedUp = Extract<SearchValue, { kind: 'value-set' | 'related' }>;
type CodesBySystem = ReadonlyMap<string, readonly string[]>;

/** Whether the value stands for codes that have to be looked up. */
export function isCodeList(value: SearchValue): value is LookedUp {
  return value.kind === 'value-set' || value.kind === 'related';
}

/**
 * The alternatives of one parameter with the codes of each system in one list, in place of the value sets and
 * concepts that stand for them.
 * @throws FhirError INVALID_SEARCH for what can't be looked up, LIMIT_EXCEEDED for more than may be found
 */
export async function resolveCodeLists(
  { values, parameter }: ValueCriterion,
  { codes, limits }: CodeListParts,
): Promise<readonly SearchValue[]> {
  const open = values.filter(isCodeList);
  const lists = new Map<string, Set<string>>();
  for (const value of open) {
    for (const [system, found] of await lookUp(value, codes)) {
      const list = lists.get(system) ?? new Set();
      lists.set(system, list);
      for (const code of found) list.add(code);
    }
    if (lists.size > limits.maxValues) {
      const message = `Search parameter "${value.name}" stands for more than ${limits.maxValues} code systems.`;
      throw new FhirError('LIMIT_EXCEEDED', message, { parameter: value.name });
    }
  }
  const found = [...lists].map(([system, list]) => toList(system, list));
  const isCode = parameter.valueTypes.length === 1 && parameter.valueTypes[0] === 'code';
  // An element of type code has no system of its own where its binding has several (Task.intent).
  if (isCode && open.length > 0)
    found.push(toList(null, new Set([...lists.values()].flatMap((list) => [...list]))));
  return [...values.filter((value) => !isCodeList(value)), ...found];
}

function toList(system: string | null, codes: Iterable<string>): SearchValue {
  return { kind: 'token-list', system, codes: [...codes] };
}

/** The server's own error says what is wrong; here it is the search that is wrong. */
async function lookUp(value: LookedUp, codes: CodeLookup): Promise<CodesBySystem> {
  try {
    if (value.kind === 'value-set') return await codes.codesIn(value.reference);
    const { direction, system, code } = value;
    return new Map([[system, await codes.related(direction, system, code)]]);
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    const { name } = value;
    const isLimit = error.code === 'TOO_COSTLY' || error.code === 'LIMIT_EXCEEDED';
    const refusal = isLimit ? 'LIMIT_EXCEEDED' : 'INVALID_SEARCH';
    throw new FhirError(refusal, `Search parameter "${name}": ${error.message}`, { parameter: name });
  }
}

/** The lookup of one search: what it answers is counted together. */
export function countedLookup({ codes, limits: { maxCodes } }: CodeListParts): CodeLookup {
  let count = 0;
  const counted = (found: number): void => {
    count += found;
    if (count > maxCodes)
      throw new FhirError('LIMIT_EXCEEDED', `The search stands for more than ${maxCodes} codes.`);
  };
  return {
    codesIn: async (reference) => {
      const found = await codes.codesIn(reference);
      for (const list of found.values()) counted(list.length);
      return found;
    },
    related: async (direction, system, code) => {
      const found = await codes.related(direction, system, code);
      counted(found.length);
      return found;
    },
  };
}
