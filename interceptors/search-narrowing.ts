import { compartmentParameters, defineInterceptor, FhirError } from '../src/index.js';
import type { HookEvent, Interceptor, MaybePromise, QueryParameter, RequestDetails } from '../src/index.js';

/** What the searches of a caller are limited to. */
export interface Narrowing {
  /** Ids of patients: of types in the Patient compartment only what belongs to one of them is found. */
  readonly patients?: readonly string[];
  /** Ids by type: of these types only the resources with these ids are found. */
  readonly instances?: Readonly<Record<string, readonly string[]>>;
  /** Further parameters by type: `{ Observation: [['category', 'laboratory']] }`. */
  readonly parameters?: Readonly<Record<string, readonly QueryParameter[]>>;
}

/** Options of `searchNarrowing`. */
export interface SearchNarrowingOptions {
  /** The limits of the caller of a request; undefined for none. */
  readonly narrow: (request: RequestDetails) => MaybePromise<Narrowing | undefined>;
  /** Name in logs and explanations; `search-narrowing` if left out. */
  readonly name?: string;
}

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** Nothing has an id like this, as an id may be no longer than 64. */
const NOBODY = '-'.repeat(64);

/**
 * Adds parameters to the searches of limited callers, so that they find, count and page through nothing else. Includes,
 * chains and reads by id are not searches of the type; `authorization` judges what is shown. A search over all types by
 * a limited caller is 403, since each type is limited by parameters of its own.
 */
export function searchNarrowing({ narrow, name = 'search-narrowing' }: SearchNarrowingOptions): Interceptor {
  return defineInterceptor({
    name,
    hooks: {
      STORAGE_PRESEARCH_REGISTERED: {
        // After whatever else changes the parameters, so that nothing takes the limits away.
        order: Number.MAX_SAFE_INTEGER,
        handle: async (event) => {
          const limits = await narrow(event.request);
          return limits === undefined ? undefined : narrowed(event, limits);
        },
      },
    },
  });
}

function narrowed(
  { resourceType: type, value }: HookEvent<'STORAGE_PRESEARCH_REGISTERED'>,
  limits: Narrowing,
): readonly QueryParameter[] | undefined {
  if (type === undefined) throw new FhirError('FORBIDDEN', 'Search one type at a time.');
  const added = [
    ...ofPatients(type, limits.patients),
    ...ofInstances(limits.instances?.[type]),
    ...(limits.parameters?.[type] ?? []),
  ];
  return added.length === 0 ? undefined : [...value, ...added];
}

function ofPatients(type: string, patients: readonly string[] | undefined): readonly QueryParameter[] {
  if (patients === undefined) return [];
  if (type === 'Patient') return ofInstances(patients);
  const codes = compartmentParameters('Patient', type);
  const references = (patients.length === 0 ? [NOBODY] : patients.map(asId)).map((id) => `Patient/${id}`);
  const [code] = codes;
  if (code === undefined) return [];
  if (codes.length === 1) return [[code, references.join(',')]];
  const tests = codes.flatMap((one) => references.map((reference) => `${one} re ${reference}`));
  return [['_filter', tests.join(' or ')]];
}

function ofInstances(ids: readonly string[] | undefined): readonly QueryParameter[] {
  if (ids === undefined) return [];
  return [['_id', (ids.length === 0 ? [NOBODY] : ids.map(asId)).join(',')]];
}

/** @throws Error for what is no id: a comma in it would add another one. */
function asId(id: string): string {
  if (ID.test(id)) return id;
  throw new Error(`'${id}' is no id of a resource.`);
}
