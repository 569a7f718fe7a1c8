import { contentOf, findCurrent, notFound } from '../interactions/find.js';
import type { ServerParts } from '../interactions/server-parts.js';
import { show } from '../interactions/show.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Coding, Resource } from '../model/resource.js';
import { assertKnown, single, type OperationParameter } from './parameters.js';

/** What an operation serves of the parameters that the specification gives it. */
export interface ServedParameters {
  readonly served: readonly string[];
  readonly refused: readonly string[];
}

/** @throws FhirError NOT_SUPPORTED for what is not served, INVALID_REQUEST for what the operation doesn't have */
export function assertServed(
  parameters: readonly OperationParameter[],
  { served, refused }: ServedParameters,
): void {
  const unserved = parameters.find(({ name }) => refused.includes(name));
  if (unserved)
    throw new FhirError('NOT_SUPPORTED', `The parameter '${unserved.name}' is not supported here.`);
  assertKnown(parameters, served);
}

/** A parameter that is true or false, and false where it is left out. @throws FhirError INVALID_REQUEST */
export function singleBoolean(parameters: readonly OperationParameter[], name: string): boolean {
  const text = single(parameters, name);
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalid(`The parameter '${name}' must be true or false.`);
}

/** The resource that a parameter holds. @throws FhirError INVALID_REQUEST for one of another type */
export function givenResource(
  parameters: readonly OperationParameter[],
  name: string,
  type: string,
): Resource | undefined {
  const given = parameters.find((parameter) => parameter.name === name);
  if (given === undefined) return undefined;
  if (given.resource?.resourceType === type) return given.resource;
  throw invalid(`The parameter '${name}' must be a ${type} resource.`);
}

/** The stored resource that the URL names. @throws FhirError NOT_FOUND, GONE */
export async function storedSubject(server: ServerParts, request: RequestDetails): Promise<Resource> {
  const { resourceType = '', resourceId = '' } = request;
  const scope = await server.resolver.resolveRead(request);
  const current = await findCurrent(server, scope, resourceType, resourceId);
  const [shown] = current ? await show(server, request, [current]) : [];
  if (!shown) throw notFound(resourceType, resourceId);
  return contentOf({ ...shown.version, text: shown.text });
}

/** The Codings of `coding`, `codingA`, …; of a query they can't be given. @throws FhirError INVALID_REQUEST */
export function givenCoding(parameters: readonly OperationParameter[], name: string): Coding | undefined {
  const given = parameters.filter((parameter) => parameter.name === name);
  if (given.length > 1) throw invalid(`The parameter '${name}' was given more than once.`);
  const [one] = given;
  if (one === undefined) return undefined;
  const coding = toCoding(one.value);
  if (coding) return coding;
  throw invalid(`The parameter '${name}' must be a Coding with a code.`);
}

/** Its texts; undefined for what is no Coding or has no code. */
function toCoding(value: unknown): Coding | undefined {
  if (!isObject(value) || !isText(value['code'])) return undefined;
  const texts = ['system', 'version', 'code', 'display'].filter((name) => isText(value[name]));
  return Object.fromEntries(texts.map((name) => [name, value[name]]));
}

/** The Codings of `codeableConcept`; a text alone has none. @throws FhirError INVALID_REQUEST */
export function givenCodings(
  parameters: readonly OperationParameter[],
  name: string,
): readonly Coding[] | undefined {
  const given = parameters.find((parameter) => parameter.name === name);
  if (given === undefined) return undefined;
  const codings: unknown = isObject(given.value) ? (given.value['coding'] ?? []) : undefined;
  if (Array.isArray(codings)) return codings.map(toCoding).filter((one) => one !== undefined);
  throw invalid(`The parameter '${name}' must be a CodeableConcept.`);
}

/** The request lacks something, or has too much of it. */
export function invalid(message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
