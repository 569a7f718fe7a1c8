import type { RequestDetails } from './request.js';

/** The partitions, by name, that a token opens. */
export type TenantGrants =
  | { readonly kind: 'all' }
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'none' };

/** Who a verified token speaks for, and what it grants. */
export interface Principal {
  /** Whoever issued the token: its `iss`. */
  readonly issuer: string;
  /** Who it is issued for: its `sub`. */
  readonly subject?: string;
  /** The client that it is issued to. */
  readonly client?: string;
  /** When the client was registered, where its id may be given anew; milliseconds since 1970 UTC. */
  readonly registered?: number;
  /** Its id, `jti`: no secret. */
  readonly tokenId?: string;
  /** The words of its scope, as granted: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. */
  readonly scopes: readonly string[];
  /** Id of the Patient in the launch context. */
  readonly patient?: string;
  /** The user as a resource: `Practitioner/1`, or a URL that ends so. */
  readonly fhirUser?: string;
  readonly tenants: TenantGrants;
  /** Whether it may manage the server: partitions, reindexing, explanations, metrics. */
  readonly admin: boolean;
  /** When the token is believed no longer; milliseconds since 1970 UTC. */
  readonly expires: number;
}

/** Attribute of a request: its `Principal`, where authentication is on and the request is not public. */
export const PRINCIPAL = 'bulkhead.principal';

/**
 * Who makes a request. Entries of a bundle are made by whoever sent the bundle. Undefined where authentication is off,
 * and for the few requests that are open to everybody.
 */
export function principalOf(request: RequestDetails): Principal | undefined {
  let outer = request;
  while (outer.parent !== undefined) outer = outer.parent;
  return outer.attributes.get(PRINCIPAL) as Principal | undefined;
}

/**
 * Whom what is kept for somebody, such as an export, belongs to: the subject, or else the client, in a form that those of
 * two issuers never share. An id that is given anew is somebody else's.
 */
export function ownerOf({ issuer, subject, client, registered }: Principal): string {
  const since = registered === undefined ? [] : [registered];
  return JSON.stringify([issuer, subject ?? null, subject === undefined ? (client ?? null) : null, ...since]);
}

/** Whether a partition of this name is among those that were granted. */
export function isTenantGranted(tenants: TenantGrants, name: string): boolean {
  switch (tenants.kind) {
    case 'all':
      return true;
    case 'names':
      return tenants.names.includes(name);
    case 'none':
      return false;
  }
}
