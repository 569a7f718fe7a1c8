import type { CodeSystem, ValueSet } from 'fhir/r4.js';

export const ANIMALS = 'http://example.org/animals';

/** A small hierarchy: nested, by `parent`, and with everything that concepts may have. */
export const animals: CodeSystem = {
  resourceType: 'CodeSystem',
  url: ANIMALS,
  version: '1',
  name: 'Animals',
  status: 'active',
  content: 'complete',
  caseSensitive: true,
  property: [
    { code: 'legs', type: 'integer' },
    { code: 'parent', type: 'code' },
    { code: 'inactive', type: 'boolean' },
    { code: 'notSelectable', type: 'boolean' },
  ],
  concept: [
    {
      code: 'mammal',
      display: 'Mammal',
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'dog',
          display: 'Dog',
          definition: 'A friend.',
          designation: [
            { language: 'de', value: 'Hund' },
            { language: 'fr', value: 'Chien' },
          ],
          property: [{ code: 'legs', valueInteger: 4 }],
        },
        { code: 'whale', display: 'Whale', property: [{ code: 'legs', valueInteger: 0 }] },
        { code: 'mammoth', display: 'Mammoth', property: [{ code: 'inactive', valueBoolean: true }] },
      ],
    },
    { code: 'puppy', display: 'Puppy', property: [{ code: 'parent', valueCode: 'dog' }] },
    { code: 'bird', display: 'Bird', property: [{ code: 'legs', valueInteger: 2 }] },
  ],
};

/** A value set that is made of the parts. */
export function valueSetOf(url: string, ...include: NonNullable<ValueSet['compose']>['include']): ValueSet {
  return { resourceType: 'ValueSet', url, status: 'active', compose: { include } };
}
