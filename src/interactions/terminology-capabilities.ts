/** TerminologyCapabilities: https://hl7.org/fhir/R4/terminologycapabilities.html */
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';
import { EXPANSION_PARAMETERS } from '../operations/expand.js';
import type { ServerParts } from './server-parts.js';

/** What applies to every code system, whether it is stored or ships with R4. */
export function terminologyCapabilities(server: ServerParts, request: RequestDetails): Resource {
  return {
    resourceType: 'TerminologyCapabilities',
    status: 'active',
    date: new Date(performance.timeOrigin).toISOString(),
    publisher: 'Bulkhead',
    kind: 'instance',
    software: { name: 'Bulkhead', version: server.version },
    implementation: { description: 'Bulkhead FHIR server', url: request.base },
    codeSystem: [{ subsumption: true }],
    expansion: {
      hierarchical: false,
      paging: true,
      incomplete: false,
      parameter: EXPANSION_PARAMETERS.map((name) => ({ name })),
      textFilter: 'Words that the code or the display must have, each of them.',
    },
    codeSearch: 'all',
    validateCode: { translations: false },
  };
}
