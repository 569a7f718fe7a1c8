import test from 'ava';
import { createSearchParameterRegistry } from '../../../src/fhir/search-parameters.js';
import { disagreements } from './engine-comparison.js';
import { SAMPLES, syntheaSample } from './sample-resources.js';

const registry = createSearchParameterRegistry();

test('compiled expressions find what the FHIRPath engine finds in resources of every shape', (t) => {
  t.deepEqual(
    SAMPLES.flatMap((one) => disagreements(registry, one)),
    [],
  );
});

test('compiled expressions find what the FHIRPath engine finds in synthetic patients', (t) => {
  const resources = syntheaSample();
  if (resources.length === 0) t.log('no data beside the repository');
  t.deepEqual(
    resources.flatMap((one) => disagreements(registry, one)),
    [],
  );
});
