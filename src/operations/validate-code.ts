/**
 * ValueSet/$validate-code: https://hl7.org/fhir/R4/valueset-operation-validate-code.html
 * CodeSystem/$validate-code: https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
 */
import type { OutgoingResponse } from '../hooks/pointcuts.js';
import { resourceResponse } from '../interactions/response.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Coding } from '../model/resource.js';
import { toCodeSystem, type CodeSystem } from '../terminology/code-system.js';
import {
  validateInCodeSystem,
  validateInValueSet,
  type GivenCode,
  type Verdict,
} from '../terminology/validation.js';
import { namedCodeSystem, storedCodeSystem } from './code-system-subject.js';
import { readParameters, single, type OperationParameter } from './parameters.js';
import {
  assertServed,
  givenCoding,
  givenCodings,
  givenResource,
  invalid,
  singleBoolean,
} from './terminology-parameters.js';
import { subjectValueSet, VALUE_SET_PARAMETERS } from './value-set-subject.js';

const CODE_PARAMETERS = ['code', 'display', 'coding', 'codeableConcept', 'abstract', 'displayLanguage'];
const IN_VALUE_SET = {
  served: [...VALUE_SET_PARAMETERS, ...CODE_PARAMETERS, 'system', 'systemVersion'],
  refused: ['context', 'date'],
};
const IN_CODE_SYSTEM = {
  served: ['url', 'codeSystem', 'version', ...CODE_PARAMETERS],
  refused: ['date'],
};

type Parameters = readonly OperationParameter[];

/** Whether a code is in a value set. */
export async function validateCodeInValueSet(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const parameters = readParameters(request, 'valueSet');
  assertServed(parameters, IN_VALUE_SET);
  const library = await server.terminology.library();
  const system = single(parameters, 'system');
  const version = single(parameters, 'systemVersion');
  const codes = readCodes(parameters, { system, version });
  const valueSet = await subjectValueSet(server, request, { parameters, library });
  const verdicts: Verdict[] = [];
  for (const code of codes)
    verdicts.push(await validateInValueSet(library, valueSet, code, optionsOf(parameters)));
  return verdictResponse(request, verdicts);
}

/** Whether a code is in a code system. */
export async function validateCodeInCodeSystem(
  server: ServerParts,
  request: RequestDetails,
): Promise<OutgoingResponse> {
  const parameters = readParameters(request, 'codeSystem');
  assertServed(parameters, IN_CODE_SYSTEM);
  await server.resolver.resolveRead(request);
  const url = single(parameters, 'url');
  const given = givenResource(parameters, 'codeSystem', 'CodeSystem');
  if ([request.resourceId, url, given].filter((way) => way !== undefined).length > 1)
    throw invalid('Name one code system: by the id in the URL, by url, or by codeSystem (POST).');
  const version = single(parameters, 'version');
  const subject =
    request.resourceId === undefined ? given && toCodeSystem(given) : await storedCodeSystem(server, request);
  const named = subject?.url ?? url;
  const codes = readCodes(parameters, { system: named, version });
  const verdicts: Verdict[] = [];
  for (const code of codes) {
    if (named !== undefined && code.system !== named) verdicts.push(otherSystem(code, named));
    else verdicts.push(await verdictOf(server, request, { code, subject, parameters }));
  }
  return verdictResponse(request, verdicts);
}

async function verdictOf(
  server: ServerParts,
  request: RequestDetails,
  {
    code,
    subject,
    parameters,
  }: {
    readonly code: GivenCode;
    readonly subject: CodeSystem | undefined;
    readonly parameters: Parameters;
  },
): Promise<Verdict> {
  try {
    const canonical = { url: code.system, version: code.version };
    const system = subject ?? (await namedCodeSystem(server, request, canonical));
    return validateInCodeSystem(system, code, optionsOf(parameters));
  } catch (error) {
    if (!(error instanceof FhirError) || error.code !== 'UNKNOWN_CODE_SYSTEM') throw error;
    return { result: false, message: error.message, display: undefined };
  }
}

function otherSystem({ system, code }: GivenCode, url: string): Verdict {
  return { result: false, message: `The code ${system}|${code} is none of ${url}.`, display: undefined };
}

function optionsOf(parameters: Parameters): {
  readonly abstract: boolean;
  readonly displayLanguage: string | undefined;
} {
  return {
    abstract: singleBoolean(parameters, 'abstract'),
    displayLanguage: single(parameters, 'displayLanguage'),
  };
}

/** One code, one Coding, or the Codings of a CodeableConcept. @throws FhirError INVALID_REQUEST */
function readCodes(
  parameters: Parameters,
  { system, version }: { readonly system: string | undefined; readonly version: string | undefined },
): readonly GivenCode[] {
  const code = single(parameters, 'code');
  const coding = givenCoding(parameters, 'coding');
  const codings = givenCodings(parameters, 'codeableConcept');
  if ([code, coding, codings].filter((one) => one !== undefined).length !== 1)
    throw invalid('Give one of code, coding and codeableConcept.');
  if (coding) return [toGiven(coding)];
  // Concepts often have a coding of nobody's system beside those that count.
  if (codings) return codings.filter(hasSystem).map(toGiven);
  if (code === undefined || system === undefined) throw invalid('A code goes with its system.');
  return [{ system, version, code, display: single(parameters, 'display') }];
}

function hasSystem(coding: Coding): boolean {
  return coding.system !== undefined;
}

function toGiven({ system, version, code, display }: Coding): GivenCode {
  if (system === undefined || code === undefined) throw invalid('A coding needs system and code.');
  return { system, version, code, display };
}

const NO_CODE: Verdict = {
  result: false,
  message: 'No coding of the codeableConcept has a system and a code.',
  display: undefined,
};

/** Of several codes one is enough. */
function verdictResponse(request: RequestDetails, verdicts: readonly Verdict[]): OutgoingResponse {
  const { result, message, display } = verdicts.find((verdict) => verdict.result) ?? verdicts[0] ?? NO_CODE;
  return resourceResponse(request, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'result', valueBoolean: result },
      ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
      ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
    ],
  });
}
