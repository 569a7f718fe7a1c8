import type { MaybePromise, PartitionChoice, RequestDetails } from '../src/index.js';
import type { NamedPartitions } from './tenant-source.js';

/**
 * The partitions that the caller of a request has been granted, and no others: all, those with these names, or
 * only DEFAULT for what is open to everybody.
 */
export type TenantGrant =
  | { readonly kind: 'all' }
  | { readonly kind: 'names'; readonly names: readonly [string, ...string[]] }
  | { readonly kind: 'public' };

/**
 * What the caller of a request is granted; undefined where the request has no credentials and needs none.
 * @throws FhirError LOGIN_REQUIRED, FORBIDDEN, BUSY
 */
export type GrantSource = (request: RequestDetails) => MaybePromise<TenantGrant | undefined>;

/**
 * Whether a caller may have what it names. Ids cannot be compared with granted names before the partitions are
 * known: they pass here, are not used for the choice, and are compared when the partitions were selected.
 */
export function isGranted(grant: TenantGrant, wanted: NamedPartitions): boolean {
  if (grant.kind !== 'names') return true;
  switch (wanted.by) {
    case 'all':
      return false;
    case 'id':
      return true;
    case 'name':
      return wanted.names.every((name) => grant.names.includes(name));
  }
}

/** The partitions of a granted request. Without a name in it they are all that is granted, but never all there are. */
export function toGrantedChoice(grant: TenantGrant, wanted: NamedPartitions | undefined): PartitionChoice {
  switch (grant.kind) {
    case 'public':
      return { by: 'default' };
    case 'all':
      return wanted ?? { by: 'default' };
    case 'names':
      return wanted?.by === 'name' ? wanted : { by: 'name', names: grant.names };
  }
}
