import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { Resource } from '../model/resource.js';

/** One parameter of an operation, from a Parameters body or a query. */
export interface OperationParameter {
  readonly name: string;
  /** The primitive value as text (`valueInteger` too); undefined for a resource or a complex value. */
  readonly text: string | undefined;
  readonly resource: Resource | undefined;
  /** A complex value such as `valueMeta`. */
  readonly value: unknown;
}

/** Parameters of every request, which are no operation's own: https://hl7.org/fhir/R4/http.html#parameters */
const PRESENTATION = new Set(['_format', '_pretty', '_summary', '_elements']);

/**
 * The parameters of an operation: of the query, and of the body, which is a Parameters resource, or (where
 * `resourceName` is given) a resource that is that parameter's value.
 * @throws FhirError INVALID_REQUEST
 */
export function readParameters(
  request: RequestDetails,
  resourceName?: string,
): readonly OperationParameter[] {
  const query = request.parameters
    .filter(([name]) => !PRESENTATION.has(name))
    .map(([name, text]) => ({ name, text, resource: undefined, value: text }));
  return [...query, ...bodyParameters(request.body, resourceName)];
}

function bodyParameters(body: unknown, resourceName: string | undefined): OperationParameter[] {
  if (body === undefined) return [];
  if (!isObject(body) || typeof body['resourceType'] !== 'string')
    throw invalid('The body must be a Parameters resource.');
  if (body['resourceType'] !== 'Parameters') {
    if (resourceName === undefined) throw invalid('The body must be a Parameters resource.');
    return [{ name: resourceName, text: undefined, resource: body as unknown as Resource, value: undefined }];
  }
  const { parameter = [] } = body;
  if (!Array.isArray(parameter)) throw invalid('Parameters.parameter must be a list.');
  return parameter.map((one: unknown, index) => toParameter(one, index));
}

function toParameter(one: unknown, index: number): OperationParameter {
  if (!isObject(one) || typeof one['name'] !== 'string')
    throw invalid(`Parameters.parameter[${index}] needs a name.`);
  const [, value] = Object.entries(one).find(([key]) => key.startsWith('value')) ?? [];
  const primitive = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  const resource = isObject(one['resource']) ? (one['resource'] as unknown as Resource) : undefined;
  return { name: one['name'], text: primitive ? String(value) : undefined, resource, value };
}

/** The text of a parameter that may be given once. @throws FhirError INVALID_REQUEST */
export function single(parameters: readonly OperationParameter[], name: string): string | undefined {
  const found = parameters.filter((parameter) => parameter.name === name);
  if (found.length > 1) throw invalid(`The parameter '${name}' was given more than once.`);
  const [one] = found;
  if (one && one.text === undefined) throw invalid(`The parameter '${name}' must be a simple value.`);
  return one?.text;
}

/** @throws FhirError INVALID_REQUEST where the text is not a whole number. */
export function singleInteger(parameters: readonly OperationParameter[], name: string): number | undefined {
  const text = single(parameters, name);
  if (text === undefined) return undefined;
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw invalid(`The parameter '${name}' must be a whole number, not '${text.slice(0, 40)}'.`);
}

/** @throws FhirError INVALID_REQUEST for a parameter that the operation does not know. */
export function assertKnown(parameters: readonly OperationParameter[], known: readonly string[]): void {
  const unknown = parameters.find(({ name }) => !known.includes(name));
  if (unknown)
    throw invalid(
      `Unknown parameter '${unknown.name.slice(0, 80)}'; the operation has ${known.join(', ') || 'none'}.`,
    );
}

function invalid(message: string): FhirError {
  return new FhirError('INVALID_REQUEST', message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
