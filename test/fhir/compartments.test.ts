import test from 'ava';
import {
  compartmentOwners,
  compartmentParameters,
  compartmentTypes,
  patientCompartmentMembers,
} from '../../src/fhir/compartments.js';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';

const registry = createSearchParameterRegistry();
const at = (reference: string) => ({ reference });

test('a compartment names the parameters by which a type belongs to it', (t) => {
  t.deepEqual(compartmentParameters('Patient', 'Observation'), ['subject', 'performer']);
  t.deepEqual(compartmentParameters('Encounter', 'Observation'), ['encounter']);
  t.deepEqual(compartmentParameters('Patient', 'Medication'), []);
  t.deepEqual(compartmentParameters('Patient', 'constructor'), []);
  t.is(compartmentTypes('Patient').length, 66);
});

test('every parameter of a compartment is a reference parameter of the type', (t) => {
  for (const type of compartmentTypes('Patient')) {
    for (const code of compartmentParameters('Patient', type)) {
      t.is(registry.find(type, code)?.type, 'reference', `${type} ${code}`);
    }
  }
});

test('a resource belongs to each patient it refers to, and to no other resource', (t) => {
  const observation = {
    resourceType: 'Observation',
    subject: at('Patient/1'),
    performer: [at('Practitioner/9'), at('Patient/2'), at('Patient/1')],
    focus: [at('Patient/3')],
  };
  t.deepEqual(patientCompartmentMembers(observation, registry), ['1', '2']);
});

test('a patient belongs to its own compartment, and to those it links to', (t) => {
  t.deepEqual(patientCompartmentMembers({ resourceType: 'Patient', id: 'a' }, registry), ['a']);
  const linked = { resourceType: 'Patient', id: 'a', link: [{ other: at('Patient/b'), type: 'refer' }] };
  t.deepEqual(patientCompartmentMembers(linked, registry), ['a', 'b']);
});

test('a resource of a type outside the compartment belongs to nobody', (t) => {
  t.deepEqual(patientCompartmentMembers({ resourceType: 'Organization', id: '1' }, registry), []);
  t.deepEqual(
    compartmentOwners('Device', { resourceType: 'Observation', device: at('Device/d') }, registry),
    ['d'],
  );
});
