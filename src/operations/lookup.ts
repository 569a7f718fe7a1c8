/** CodeSystem/$lookup: https://hl7.org/fhir/R4/codesystem-operation-lookup.html */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { CodeSystem, Concept, ConceptProperty, Designation } from '../terminology/code-system.js';
import { designationsOf, displayOf } from '../terminology/expansion.js';
import { unknownCode } from '../terminology/validation.js';
import { namedCodeSystem } from './code-system-subject.js';
import { readParameters, single, type OperationParameter } from './parameters.js';
import { assertServed, givenCoding, invalid } from './terminology-parameters.js';

const SERVED = {
  served: ['code', 'system', 'version', 'coding', 'displayLanguage', 'property'],
  refused: ['date'],
};

/** Everything that is known of a code; with `property` what is asked for. */
export async function lookup(server: ServerParts, request: RequestDetails): Promise<OutgoingResponse> {
  const parameters = readParameters(request);
  assertServed(parameters, SERVED);
  const { url, version, code } = readCode(parameters);
  const system = await namedCodeSystem(server, request, { url, version });
  const concept = system.find(code);
  if (concept === undefined) throw new FhirError('UNKNOWN_CODE', unknownCode(system, code));
  const named = { display: concept.display, designations: [], concept };
  const wanted = parameters.filter(({ name }) => name === 'property').map(({ text }) => text ?? '');
  const language = single(parameters, 'displayLanguage');
  return resourceResponse(request, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'name', valueString: system.name ?? system.url },
      ...(system.version === undefined ? [] : [{ name: 'version', valueString: system.version }]),
      {
        name: 'display',
        valueString: displayOf(named, language) ?? concept.code,
      },
      ...designationsOf(named)
        .filter((one) => isWanted(one, wanted))
        .map(toDesignationParameter),
      ...propertiesOf(system, concept)
        .filter(({ code: name }) => wanted.length === 0 || wanted.includes(name))
        .map(toPropertyParameter),
    ],
  });
}

function readCode(parameters: readonly OperationParameter[]): {
  readonly url: string;
  readonly version: string | undefined;
  readonly code: string;
} {
  const code = single(parameters, 'code');
  const coding = givenCoding(parameters, 'coding');
  if ((code === undefined) === (coding === undefined)) throw invalid('Give code with system, or coding.');
  const url = coding ? coding.system : single(parameters, 'system');
  if (url === undefined) throw invalid('A code goes with its system.');
  const version = coding ? coding.version : single(parameters, 'version');
  return { url, version, code: coding?.code ?? code ?? '' };
}

/** `designation` asks for all of them, `lang.de` for those in German. */
function isWanted({ language }: Designation, wanted: readonly string[]): boolean {
  return wanted.length === 0 || wanted.includes('designation') || wanted.includes(`lang.${language ?? ''}`);
}

function propertiesOf(system: CodeSystem, concept: Concept): readonly ConceptProperty[] {
  const { definition, inactive, properties, parents, children, supplemented } = concept;
  const all = [...properties, ...(supplemented?.properties ?? [])];
  const told = all.filter(({ code }) => code !== 'parent' && code !== 'child');
  return [
    ...(definition === undefined ? [] : [{ code: 'definition', kind: 'String', value: definition }]),
    ...(system.propertyCodes.has('inactive') ? [] : [{ code: 'inactive', kind: 'Boolean', value: inactive }]),
    ...told,
    ...[...parents].map((value) => ({ code: 'parent', kind: 'Code', value })),
    ...[...children].map((value) => ({ code: 'child', kind: 'Code', value })),
  ];
}

function toPropertyParameter({ code, kind, value }: ConceptProperty): object {
  return {
    name: 'property',
    part: [
      { name: 'code', valueCode: code },
      { name: 'value', [`value${kind}`]: value },
    ],
  };
}

function toDesignationParameter({ language, use, value }: Designation): object {
  return {
    name: 'designation',
    part: [
      ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
      ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
      { name: 'value', valueString: value },
    ],
  };
}
