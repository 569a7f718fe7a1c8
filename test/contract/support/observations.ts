import type { Observation } from 'fhir/r4.js';

/** An Observation of a subject, and nothing else that matters. */
export function observationOn(id: string, subject: string): Observation {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    code: { text: 'x' },
    subject: { reference: subject },
  };
}
