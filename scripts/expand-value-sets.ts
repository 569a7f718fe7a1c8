import type { CompactStructure, RequiredValueSets } from '../src/fhir/r4/compact.js';
import type { SourceCodeSystem, SourceConcept, SourceInclude, SourceValueSet } from './source-definitions.js';

/** The terminology that value sets are expanded from. */
export interface Terminology {
  readonly valueSets: ReadonlyMap<string, SourceValueSet>;
  readonly codeSystems: ReadonlyMap<string, SourceCodeSystem>;
}

/** Codes of every value set that some element requires; a set that cannot be listed is left out. */
export function expandRequiredValueSets(
  structures: readonly CompactStructure[],
  terminology: Terminology,
): RequiredValueSets {
  const expanded = [...requiredUrls(structures)]
    .toSorted()
    .map((url) => [url, expand(url, terminology)] as const);
  return Object.fromEntries(
    expanded.filter((entry): entry is [string, Record<string, string[]>] => !!entry[1]),
  );
}

/** Structures whose required bindings name their value set's code system, where there is exactly one. */
export function nameSystems(
  structures: readonly CompactStructure[],
  terminology: Terminology,
): CompactStructure[] {
  return structures.map((structure) => ({
    ...structure,
    elements: structure.elements.map((element) => {
      const { binding } = element;
      const system = binding?.strength === 'required' ? onlySystem(binding.valueSet, terminology) : undefined;
      return binding && system ? { ...element, binding: { ...binding, system } } : element;
    }),
  }));
}

function requiredUrls(structures: readonly CompactStructure[]): Set<string> {
  const bindings = structures.flatMap(({ elements }) => elements.flatMap(({ binding }) => binding ?? []));
  return new Set(bindings.filter(({ strength }) => strength === 'required').map(({ valueSet }) => valueSet));
}

function onlySystem(url: string, terminology: Terminology): string | undefined {
  const includes = terminology.valueSets.get(url)?.compose?.include ?? [];
  const systems = new Set(includes.map(({ system }) => system));
  return systems.size === 1 ? [...systems][0] : undefined;
}

/** R4's required value sets use whole code systems and lists of codes; anything else is not expanded. */
function expand(url: string, terminology: Terminology): Record<string, string[]> | undefined {
  const compose = terminology.valueSets.get(url)?.compose;
  if (!compose || compose.exclude) return undefined;
  const codes: Record<string, string[]> = {};
  for (const include of compose.include) {
    const included = includedCodes(include, terminology);
    if (!included || !include.system) return undefined;
    codes[include.system] = [...(codes[include.system] ?? []), ...included];
  }
  return codes;
}

function includedCodes(include: SourceInclude, terminology: Terminology): string[] | undefined {
  if (include.filter || include.valueSet) return undefined;
  if (include.concept) return include.concept.map(({ code }) => code);
  const system = terminology.codeSystems.get(include.system ?? '');
  return system?.content === 'complete' ? allCodes(system.concept ?? []) : undefined;
}

function allCodes(concepts: readonly SourceConcept[]): string[] {
  return concepts.flatMap(({ code, concept }) => [code, ...allCodes(concept ?? [])]);
}
