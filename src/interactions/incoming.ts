import { extractIndexValues } from '../fhir/extract.js';
import { copyNumberTexts, stringifyJson } from '../fhir/json.js';
import { withServerMeta } from '../fhir/meta.js';
import { forEachReference, type LiteralReference, parseReference } from '../fhir/references.js';
import { rewriteReferences } from '../fhir/rewrite-references.js';
import { validateResource } from '../fhir/validate/validate.js';
import type { IndexValues } from '../fhir/index-values.js';
import type { SearchParameterRegistry } from '../fhir/search-parameters.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';
import { assertNoBlobReference } from './blob-pointer.js';
import type { ServerParts } from './server-parts.js';

/** A resource ready to be stored: text, index values and the references to check. */
export interface PreparedResource {
  readonly resource: Resource;
  readonly text: string;
  readonly index: IndexValues;
  readonly references: readonly LiteralReference[];
}

/**
 * The request's body as a resource of the type that the URL names.
 * @throws FhirError INVALID_REQUEST, INVALID_RESOURCE
 */
export async function acceptResource(server: ServerParts, request: RequestDetails): Promise<Resource> {
  const { body, resourceType } = request;
  if (!isJsonObject(body)) throw new FhirError('INVALID_REQUEST', 'The body must be a FHIR resource.');
  if (typeof body['resourceType'] !== 'string') {
    throw new FhirError('INVALID_REQUEST', 'The body has no resourceType.', { expression: ['resourceType'] });
  }
  if (resourceType !== undefined && body['resourceType'] !== resourceType) {
    const message = `The body is a ${body['resourceType'].slice(0, 64)}, but the URL says ${resourceType}.`;
    throw new FhirError('INVALID_REQUEST', message, { expression: ['resourceType'] });
  }
  const resource = body as unknown as Resource;
  assertNoBlobReference(resource);
  await assertValid(server, request, resource);
  return resource;
}

/**
 * Checks a resource as `validation` in the settings says.
 * @throws FhirError INVALID_RESOURCE with every finding as an issue.
 */
export async function assertValid(
  server: ServerParts,
  request: RequestDetails,
  resource: Resource,
): Promise<void> {
  const mode = server.settings.validation;
  const found = mode === 'off' ? [] : await validateResource(resource, { mode });
  const issues = await server.hooks.transform('VALIDATION_COMPLETED', { request, resource }, found);
  const errors = issues.filter(isError);
  if (errors.length === 0) return;
  throw new FhirError('INVALID_RESOURCE', errors[0]?.diagnostics ?? 'The resource is not valid.', { issues });
}

/** Checks again what a hook has replaced. */
export async function assertReplacementValid(
  server: ServerParts,
  request: RequestDetails,
  change: { readonly before: Resource; readonly after: Resource },
): Promise<void> {
  if (change.after !== change.before) await assertValid(server, request, change.after);
}

/** Gives the resource its id and version, and computes everything that storage needs of it. */
export function prepareResource(
  request: RequestDetails,
  content: {
    readonly resource: Resource;
    readonly id: string;
    readonly version: number;
    readonly updated: number;
    /** The parameters in force where it is stored. */
    readonly registry: SearchParameterRegistry;
  },
): PreparedResource {
  const local = toLocalReferences(request, content.resource);
  const resource = withServerMeta(local.resource, content);
  return {
    resource,
    text: stringifyJson(resource),
    index: extractIndexValues(resource, content.registry),
    references: local.references,
  };
}

/**
 * Stored references are relative: a reference to this server's own URL loses the base. One to another tenant's
 * URL has no target here, whether that tenant exists or not.
 */
function toLocalReferences(
  request: RequestDetails,
  resource: Resource,
): { readonly resource: Resource; readonly references: readonly LiteralReference[] } {
  const replacements = new Map<string, string>();
  const references = new Map<string, LiteralReference>();
  forEachReference(resource, (found) => {
    const parsed = parseReference(found.text);
    if (parsed.kind === 'conditional') throw unresolvedCondition(found.text, found.expression);
    if (parsed.kind !== 'relative' && parsed.kind !== 'absolute') return;
    const { type, id } = parsed;
    if (parsed.kind === 'absolute') {
      if (!`${parsed.base}/`.startsWith(`${request.serverBase}/`)) return;
      if (parsed.base !== request.base) throw unknownTarget(`${type}/${id}`, found.expression);
      replacements.set(found.text, found.text.slice(request.base.length + 1));
    }
    if (!references.has(`${type}/${id}`))
      references.set(`${type}/${id}`, { type, id, expression: found.expression });
  });
  return { resource: rewriteReferences(resource, replacements), references: [...references.values()] };
}

/** The one answer to a reference without a target, wherever the target may or may not be. */
export function unknownTarget(reference: string, expression: string): FhirError {
  return new FhirError('REFERENCE_NOT_FOUND', `Reference target ${reference} was not found.`, {
    expression: [expression],
  });
}

function unresolvedCondition(text: string, expression: string): FhirError {
  const message = `Conditional reference '${text.slice(0, 200)}' is allowed in transactions only.`;
  return new FhirError('INVALID_REQUEST', message, { expression: [expression] });
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isError(issue: OutcomeIssue): boolean {
  return issue.severity === 'error' || issue.severity === 'fatal';
}

/** A resource out of a Bundle or Parameters, with the exact texts of its numbers. */
export function partOf(whole: object, part: Resource): Resource {
  return copyNumberTexts(whole, { ...part });
}
