import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import { extractIndexValues } from '../../src/fhir/extract.js';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import type { QueryParameter } from '../../src/model/request.js';
import type { Resource } from '../../src/model/resource.js';
import { parseSearch } from '../../src/search/parse.js';
import { planSearch } from '../../src/search/plan.js';
import { DEFAULT_SEARCH_LIMITS } from '../../src/search/search-request.js';
import { judgeCondition } from '../../src/storage/judge-condition.js';
import { Random } from '../contract/search/random.js';
import { generateResource } from '../oracle/generated-resources.js';
import { parametersOf } from '../oracle/parameters.js';
import { modifiersOf, textsIn } from '../oracle/query-values.js';
import { SearchOracle } from '../oracle/search-oracle.js';

const BASE = 'https://here.example/fhir';
const TYPES = ['Patient', 'Observation', 'Encounter', 'Condition', 'List'];
const IDS = ['1', '2', '3', '4', '5', '6'];
const registry = createSearchParameterRegistry('on');
const context = {
  registry,
  limits: DEFAULT_SEARCH_LIMITS,
  handling: 'strict',
  toLocal: () => null,
  now: Date.now(),
} as const;

const generation = { random: new Random(7), rarity: 3, targets: new Set(TYPES), ids: IDS };
const resources = TYPES.flatMap((type) => IDS.map((id) => generateResource(type, id, generation)));
const oracle = new SearchOracle(resources, BASE);

/** Undefined where it can't be told, or the search is none. */
function judge(resource: FhirResource, parameter: QueryParameter): boolean | undefined {
  const { resourceType: type, id = '' } = resource;
  const where = planned(type, parameter);
  if (where === undefined) return undefined;
  const index = extractIndexValues(resource as unknown as Resource, registry);
  return judgeCondition(where, { type, id, updated: 0, index });
}

function planned(type: string, parameter: QueryParameter) {
  try {
    return planSearch(parseSearch(type, [parameter], context)).where;
  } catch {
    return undefined;
  }
}

/** Decided by the server's terminology, or by resources that are looked up first. */
const LOOKED_UP = new Set(['in', 'not-in', 'above', 'below']);

for (const type of TYPES)
  test(`what is judged of a ${type} without the database is what a look at it says`, (t) => {
    let [judged, held] = [0, 0];
    const own = oracle.resourcesOf(type);
    for (const definition of parametersOf(type).values()) {
      if (definition.code.startsWith('_') || definition.expression === '') continue;
      for (const modifier of [undefined, ...modifiersOf(definition.type)]) {
        if (modifier !== undefined && LOOKED_UP.has(modifier)) continue;
        const texts = new Set(own.flatMap((one) => textsIn(one, definition, modifier)));
        const name = modifier === undefined ? definition.code : `${definition.code}:${modifier}`;
        for (const value of [...texts].slice(0, 12))
          for (const resource of own) {
            const verdict = judge(resource, [name, value]);
            if (verdict === undefined) continue;
            judged += 1;
            if (verdict) held += 1;
            t.is(
              verdict,
              oracle.holds(resource, name, value),
              `${type}?${name}=${value} ${JSON.stringify(resource)}`,
            );
          }
      }
    }
    t.true(judged > 200, `${judged} were judged`);
    t.true(held > 20, `${held} held`);
  });
