import { isResourceType } from '../fhir/definitions.js';
import { isResourceId } from '../fhir/references.js';
import { FhirError } from '../model/errors.js';
import type { CompartmentTarget, Interaction, QueryParameter } from '../model/request.js';

/** What a method and a path below the (tenant's) base mean: https://hl7.org/fhir/R4/http.html#summary. */
export interface RequestTarget {
  readonly interaction: Interaction;
  readonly resourceType?: string;
  readonly resourceId?: string;
  readonly versionId?: string;
  readonly operation?: string;
  /** Only what belongs to this resource is searched. */
  readonly compartment?: CompartmentTarget;
}

/** Query parameter that carries a page link's token. */
export const PAGE_PARAMETER = '_page';

/** The operation whose URL goes on after its name: files of bulk exports have names. */
export const FILE_OPERATION = '$export-file';
/** The operation whose URL can be deleted: https://hl7.org/fhir/uv/bulkdata/export.html#bulk-data-delete-request */
export const STATUS_OPERATION = '$export-poll-status';

type Methods = Readonly<Partial<Record<string, Interaction>>>;

const TYPE_METHODS: Methods = {
  GET: 'search-type',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const INSTANCE_METHODS: Methods = { GET: 'read', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/**
 * Reads decoded path segments. HEAD counts as GET.
 * @throws FhirError UNKNOWN_RESOURCE_TYPE, METHOD_NOT_ALLOWED, INVALID_REQUEST, NOT_FOUND
 */
export function parseTarget(
  method: string,
  segments: readonly string[],
  parameters: readonly QueryParameter[],
): RequestTarget {
  const verb = method === 'HEAD' ? 'GET' : method;
  const [first] = segments;
  if (first === undefined) return systemTarget(verb, parameters);
  const rest = segments.slice(1);
  if (first.startsWith('$') && rest.length === 0) return operationTarget({ operation: first });
  if (first === FILE_OPERATION && rest.length === 2) return operationTarget({ operation: first });
  if (first === 'metadata' && rest.length === 0) return allowed({ GET: 'capabilities' }, verb, {});
  if (first === '_history' && rest.length === 0) return allowed({ GET: 'history-system' }, verb, {});
  if (first === '_search' && rest.length === 0) return allowed({ POST: 'search-system' }, verb, {});
  if (!isResourceType(first)) {
    throw new FhirError(
      'UNKNOWN_RESOURCE_TYPE',
      `'${first.slice(0, 64)}' is not a resource type of FHIR R4.`,
    );
  }
  return typeTarget(verb, first, rest);
}

function systemTarget(verb: string, parameters: readonly QueryParameter[]): RequestTarget {
  const paged = parameters.some(([name]) => name === PAGE_PARAMETER);
  return allowed({ GET: paged ? 'page' : 'search-system', POST: 'batch' }, verb, {});
}

function typeTarget(verb: string, resourceType: string, rest: readonly string[]): RequestTarget {
  const [second] = rest;
  if (second === undefined) return allowed(TYPE_METHODS, verb, { resourceType });
  const more = rest.slice(1);
  if (more.length === 0) {
    if (second === '_history') return allowed({ GET: 'history-type' }, verb, { resourceType });
    if (second === '_search') return allowed({ POST: 'search-type' }, verb, { resourceType });
    if (second.startsWith('$')) return operationTarget({ resourceType, operation: second });
  }
  if (!isResourceId(second)) {
    throw new FhirError('INVALID_REQUEST', `'${second.slice(0, 80)}' is not a valid resource id.`);
  }
  return instanceTarget(verb, { resourceType, resourceId: second }, more);
}

function instanceTarget(
  verb: string,
  instance: { readonly resourceType: string; readonly resourceId: string },
  rest: readonly string[],
): RequestTarget {
  const [third, fourth, fifth] = rest;
  if (third === undefined) return allowed(INSTANCE_METHODS, verb, instance);
  if (rest.length === 1 && third.startsWith('$')) return operationTarget({ ...instance, operation: third });
  if (third === '_history' && rest.length === 1) return allowed({ GET: 'history-instance' }, verb, instance);
  if (third === '_history' && fourth !== undefined && rest.length === 2) {
    return allowed({ GET: 'vread' }, verb, { ...instance, versionId: fourth });
  }
  if (third === '_history' && fourth !== undefined && fifth?.startsWith('$') && rest.length === 3) {
    return operationTarget({ ...instance, versionId: fourth, operation: fifth });
  }
  return compartmentTarget(verb, { type: instance.resourceType, id: instance.resourceId }, rest);
}

/** `Patient/1/*` and `Patient/1/Observation`: https://hl7.org/fhir/R4/http.html#vsearch. */
function compartmentTarget(
  verb: string,
  { type, id }: { readonly type: string; readonly id: string },
  [what = '', ...rest]: readonly string[],
): RequestTarget {
  const isForm = rest.length === 1 && rest[0] === '_search';
  if (isCompartment(type) && (rest.length === 0 || isForm)) {
    const compartment = { type, id };
    if (what === '_search' && !isForm) return allowed({ POST: 'search-system' }, verb, { compartment });
    if (what === '*') return allowed(searchBy(isForm, 'search-system'), verb, { compartment });
    if (isResourceType(what)) {
      return allowed(searchBy(isForm, 'search-type'), verb, { resourceType: what, compartment });
    }
  }
  throw new FhirError('NOT_FOUND', 'The server has nothing at this URL.');
}

function searchBy(isForm: boolean, interaction: Interaction): Methods {
  return isForm ? { POST: interaction } : { GET: interaction };
}

const COMPARTMENTS: ReadonlySet<string> = new Set<CompartmentTarget['type']>([
  'Device',
  'Encounter',
  'Patient',
  'Practitioner',
  'RelatedPerson',
]);

function isCompartment(type: string): type is CompartmentTarget['type'] {
  return COMPARTMENTS.has(type);
}

/** Each operation has methods of its own. */
function operationTarget(target: Omit<RequestTarget, 'interaction'>): RequestTarget {
  return { interaction: 'operation', ...target };
}

function allowed(methods: Methods, verb: string, target: Omit<RequestTarget, 'interaction'>): RequestTarget {
  const interaction = methods[verb];
  if (interaction) return { interaction, ...target };
  const names = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
  throw new FhirError('METHOD_NOT_ALLOWED', `${verb.slice(0, 20)} is not allowed here.`, {
    headers: { allow: names.join(', ') },
  });
}
