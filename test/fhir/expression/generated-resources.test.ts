import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import type { Resource } from '../../../src/model/resource.js';
import { RESOURCE_TYPES } from '../../../src/fhir/r4/resource-types.js';
import { createSearchParameterRegistry } from '../../../src/fhir/search-parameters.js';
import { Random } from '../../contract/search/random.js';
import { generateResource } from '../../oracle/generated-resources.js';
import { disagreements } from './engine-comparison.js';

const registry = createSearchParameterRegistry();

/** One resource of a type has all elements, one has some. */
const RARITIES = [1, 3];

function asStored(resource: FhirResource): Resource {
  return JSON.parse(JSON.stringify(resource)) as Resource;
}

test('compiled expressions find what the FHIRPath engine finds in generated resources of all types', (t) => {
  const types = [...RESOURCE_TYPES];
  t.is(types.length, 146);
  const random = new Random(146);
  const wrong = types.flatMap((type) =>
    RARITIES.flatMap((rarity) => {
      const generation = { random, rarity, targets: RESOURCE_TYPES, ids: ['1'] };
      return disagreements(registry, asStored(generateResource(type, '1', generation)));
    }),
  );
  t.deepEqual(wrong, []);
});
