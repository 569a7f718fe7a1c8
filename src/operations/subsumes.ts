/** CodeSystem/$subsumes: https://hl7.org/fhir/R4/codesystem-operation-subsumes.html */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { ancestors, type CodeSystem, type Concept } from '../terminology/code-system.js';
import { unknownCode } from '../terminology/validation.js';
import { namedCodeSystem, storedCodeSystem } from './code-system-subject.js';
import { readParameters, single, type OperationParameter } from './parameters.js';
import { assertServed, givenCoding, invalid } from './terminology-parameters.js';

const SERVED = { served: ['codeA', 'codeB', 'system', 'version', 'codingA', 'codingB'], refused: [] };

/** How two codes of one system stand to each other. */
export async function subsumes(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request);
  assertServed(parameters, SERVED);
  const sides = (['A', 'B'] as const).map((side) => readSide(parameters, side));
  const systems = new Set(sides.flatMap(({ system }) => system ?? []));
  if (systems.size > 1) throw invalid('Both codes must be of one system.');
  const [url] = systems;
  const system = await subject(server, request, { url, version: single(parameters, 'version') });
  if (url !== undefined && url !== system.url)
    throw invalid(`The codes are of ${url}, not of ${system.url}.`);
  const [a, b] = sides.map(({ code }) => conceptOf(system, code));
  const outcome = a && b ? compare(system, a, b) : 'not-subsumed';
  return resourceResponse(request, {
    resourceType: 'Parameters',
    parameter: [{ name: 'outcome', valueCode: outcome }],
  });
}

function readSide(
  parameters: readonly OperationParameter[],
  side: 'A' | 'B',
): { readonly code: string; readonly system: string | undefined } {
  const code = single(parameters, `code${side}`);
  const coding = givenCoding(parameters, `coding${side}`);
  if ((code === undefined) === (coding === undefined))
    throw invalid(`Give code${side} with system, or coding${side}.`);
  const system = coding?.system ?? single(parameters, 'system');
  return { code: coding?.code ?? code ?? '', system };
}

async function subject(
  server: ServerParts,
  request: RequestDetails,
  { url, version }: { readonly url: string | undefined; readonly version: string | undefined },
): Promise<CodeSystem> {
  if (request.resourceId !== undefined) return storedCodeSystem(server, request);
  if (url === undefined) throw invalid('Codes go with their system.');
  return namedCodeSystem(server, request, { url, version });
}

function conceptOf(system: CodeSystem, code: string): Concept {
  const concept = system.find(code);
  if (concept === undefined) throw new FhirError('UNKNOWN_CODE', unknownCode(system, code));
  return concept;
}

function compare(system: CodeSystem, a: Concept, b: Concept): string {
  if (a === b) return 'equivalent';
  if (ancestors(system, b).has(a.code)) return 'subsumes';
  return ancestors(system, a).has(b.code) ? 'subsumed-by' : 'not-subsumed';
}
