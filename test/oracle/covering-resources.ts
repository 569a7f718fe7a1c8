import type { FhirResource, SearchParameter } from 'fhir/r4.js';
import type { SearchParameterDefinition } from '../../src/fhir/r4/compact.js';
import { Random } from '../contract/search/random.js';
import { generateResource } from './generated-resources.js';
import { parametersOf } from './parameters.js';
import { textsIn } from './query-values.js';

/** Where a value of a parameter stands. */
export interface Covered {
  readonly resource: FhirResource;
  readonly definition: SearchParameterDefinition;
}

const ATTEMPTS = 60;

/**
 * Resources of a type in which, among them, every parameter of the type has a value that can be asked for. All
 * their references lead to the resource `1` of a type in `targets`.
 */
export function coveringResources(type: string, targets: ReadonlySet<string>): readonly Covered[] {
  if (type === 'SearchParameter') return searchParameterCovers();
  const missing = new Map([...parametersOf(type)].filter(([, definition]) => isWritten(definition)));
  const random = new Random(type.length * 7919);
  const covered: Covered[] = [];
  let kept = 0;
  for (let attempt = 0; attempt < ATTEMPTS && (missing.size > 0 || kept === 0); attempt++) {
    const generation = { random, rarity: 1 + (attempt % 2), targets, ids: ['1'] };
    const resource = generateResource(type, String(kept + 1), generation);
    const found = [...missing.values()].filter((definition) => textsIn(resource, definition).length > 0);
    if (found.length === 0) continue;
    kept++;
    for (const definition of found) {
      missing.delete(definition.code);
      covered.push({ resource, definition });
    }
  }
  return covered;
}

/** A server takes these at their word, so that they have to make sense. */
function searchParameterCovers(): readonly Covered[] {
  const resource: SearchParameter = {
    resourceType: 'SearchParameter',
    id: '1',
    meta: {
      tag: [{ system: 'urn:codes', code: 'a' }],
      security: [{ system: 'urn:codes', code: 'a' }],
      profile: ['http://x.example/profile'],
      source: 'http://lab.example',
    },
    url: 'http://x.example/SearchParameter/covering',
    version: '1.0',
    name: 'Covering',
    status: 'draft',
    date: '2020-02-29',
    publisher: 'Somebody',
    description: 'Of no use',
    useContext: [
      {
        code: { system: 'urn:codes', code: 'a' },
        valueCodeableConcept: { coding: [{ code: 'a' }], text: 'a' },
      },
      { code: { system: 'urn:codes', code: 'a' }, valueQuantity: { value: 5.4 } },
    ],
    jurisdiction: [{ coding: [{ system: 'urn:codes', code: 'a' }] }],
    code: 'covering',
    base: ['Basic'],
    type: 'token',
    expression: 'Basic.code',
    target: ['Patient'],
    derivedFrom: 'http://x.example/SearchParameter/original',
    component: [{ definition: 'http://x.example/SearchParameter/part', expression: 'code' }],
  };
  return [...parametersOf('SearchParameter').values()]
    .filter((definition) => isWritten(definition) && textsIn(resource, definition).length > 0)
    .map((definition) => ({ resource, definition }));
}

/** The time of an update is the server's to say, and what has no expression is found in no element. */
function isWritten({ code, expression }: SearchParameterDefinition): boolean {
  return code !== '_lastUpdated' && expression !== '';
}
