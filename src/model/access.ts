import { createHash } from 'node:crypto';
import { FhirError } from './errors.js';
import { NON_PARTITIONABLE_TYPES } from './partition.js';
import { type Principal, principalOf } from './principal.js';
import type { QueryParameter, RequestDetails } from './request.js';
import { parseSmartScope, type Permission, type SmartScope } from './smart-scope.js';

/** Resources that something is granted for: those that meet all that is said here. */
export interface AccessAlternative {
  /** Id of a Patient: only what is in its compartment. Null: of whomever. */
  readonly patient: string | null;
  /** Only what a search by these parameters finds. */
  readonly criteria: readonly QueryParameter[];
}

/** What is granted of one permission on one type; a resource needs one of the alternatives. */
export type Grant =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'limited'; readonly alternatives: readonly AccessAlternative[] };

/** What a token may do. */
export interface Access {
  /** Equal for tokens that may do the same. */
  readonly digest: string;
  /** Whether it may manage the server. */
  readonly admin: boolean;
  /** `*`: what is granted of every type at once. */
  readonly grantOf: (permission: Permission, type: string) => Grant;
  /** The same, of scopes that are not about one patient. */
  readonly grantBeyondPatient: (permission: Permission, type: string) => Grant;
  /** Whether anything is granted at all. */
  readonly grantsAny: boolean;
}

/** An access within which stores answer. */
export interface ScopedAccess {
  readonly access: Access;
  /** What is done with resources that are looked up by their ids. Searches always need `search`. */
  readonly instance: 'read' | 'update' | 'delete';
}

/**
 * What a patient's record refers to without being a part of it, and may be read by whoever may read the record, where
 * the scope says so.
 */
const OUTSIDE_OF_RECORDS: ReadonlySet<string> = new Set([
  'Location',
  'Medication',
  'Organization',
  'Practitioner',
  'PractitionerRole',
  ...NON_PARTITIONABLE_TYPES,
]);

const RESOURCE_ID = /^[A-Za-z0-9\-.]{1,64}$/;
const ALL: Grant = { kind: 'all' };
const NONE: Grant = { kind: 'none' };

const known = new WeakMap<Principal, Access>();

/** What a request may do; null: everything, as nobody is told apart. */
export function accessOf(request: RequestDetails): Access | null {
  const principal = principalOf(request);
  return principal === undefined ? null : accessOfPrincipal(principal);
}

/** What the scopes of a token grant, read once. */
export function accessOfPrincipal(principal: Principal): Access {
  const read = known.get(principal);
  if (read !== undefined) return read;
  const access = toAccess(principal);
  known.set(principal, access);
  return access;
}

/** Whether resources of every type may be read without limits. */
export function isWide(access: Access): boolean {
  return access.grantOf('read', '*').kind === 'all';
}

/** Whether who may see a resource of the type is said by what it belongs to, which no grant of the type tells. */
export function isToldByContext(access: Access, type: string): boolean {
  return type === 'Binary' && !isWide(access);
}

/** Whether something may be done with all resources of a type; `*`: with those of every type. */
export function isGrantedWhole(access: Access, permission: Permission, type: string): boolean {
  if (access.grantOf(permission, type).kind !== 'all') return false;
  return type === '*' ? isWide(access) : !isToldByContext(access, type);
}

/** The error for what no scope covers: https://www.rfc-editor.org/rfc/rfc6750#section-3.1. */
export function insufficientScope(message: string): FhirError {
  return new FhirError('FORBIDDEN', message, {
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
  });
}

function toAccess(principal: Principal): Access {
  const { patient = null, admin } = principal;
  const granted = new Map(principal.scopes.toSorted().flatMap((word) => meantBy(word, principal)));
  const scopes = [...granted.values()];
  const identity = JSON.stringify([[...granted.keys()], patient]);
  return {
    digest: createHash('sha256').update(identity).digest('base64url'),
    admin,
    grantOf: grantsOf(scopes, patient),
    grantBeyondPatient: grantsOf(
      scopes.filter(({ level }) => level !== 'patient'),
      patient,
    ),
    grantsAny: scopes.length > 0,
  };
}

/** A word of a scope and what it means; nothing where it means nothing. */
function meantBy(word: string, principal: Principal): readonly (readonly [string, SmartScope])[] {
  const scope = parseSmartScope(word);
  return scope !== undefined && isMeant(scope, principal) ? [[word, scope]] : [];
}

/** What the scopes grant, worked out once for each question. */
function grantsOf(scopes: readonly SmartScope[], patient: string | null): Access['grantOf'] {
  const grants = new Map<string, Grant>();
  return (permission, type) => {
    const key = `${permission} ${type}`;
    const grant = grants.get(key) ?? toGrant(scopes, permission, { type, patient });
    grants.set(key, grant);
    return grant;
  };
}

/** What is granted of a patient or for a user is nothing where the token does not say which. */
function isMeant({ level }: SmartScope, { patient, fhirUser }: Principal): boolean {
  switch (level) {
    case 'patient':
      return patient !== undefined && RESOURCE_ID.test(patient);
    case 'user':
      return fhirUser !== undefined && fhirUser !== '';
    case 'system':
      return true;
  }
}

function toGrant(
  scopes: readonly SmartScope[],
  permission: Permission,
  { type, patient }: { readonly type: string; readonly patient: string | null },
): Grant {
  const alternatives = scopes
    .filter((scope) => scope.permissions.has(permission) && (scope.type === '*' || scope.type === type))
    .flatMap((scope) => toAlternative(scope, permission, { type, patient }) ?? []);
  if (alternatives.length === 0) return NONE;
  const isAll = alternatives.some((one) => one.patient === null && one.criteria.length === 0);
  return isAll ? ALL : { kind: 'limited', alternatives };
}

/** Undefined where nothing is granted. */
function toAlternative(
  { level, criteria }: SmartScope,
  permission: Permission,
  { type, patient }: { readonly type: string; readonly patient: string | null },
): AccessAlternative | undefined {
  if (level !== 'patient') return { patient: null, criteria };
  if (!OUTSIDE_OF_RECORDS.has(type)) return { patient, criteria };
  return permission === 'read' || permission === 'search' ? { patient: null, criteria } : undefined;
}
