import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import {
  DEFAULT_PARTITION_ID,
  NON_PARTITIONABLE_TYPES,
  type Partition,
  type PartitionId,
} from '../../src/model/partition.js';
import { PRINCIPAL, type Principal, type TenantGrants } from '../../src/model/principal.js';
import type { RequestDetails } from '../../src/model/request.js';
import { assertMayChange, granted, knownPrincipal } from '../../src/partition/tenant-grants.js';
import { aRequest } from '../hooks/fixtures.js';

const DEFAULT: Partition = { id: DEFAULT_PARTITION_ID, name: 'DEFAULT' };
const ACME: Partition = { id: 1 as PartitionId, name: 'acme' };
const BETA: Partition = { id: 2 as PartitionId, name: 'beta' };

function requestOf(tenants: TenantGrants, admin = false): RequestDetails {
  const principal: Principal = { issuer: 'https://issuer.example', scopes: [], tenants, admin, expires: 0 };
  return { ...aRequest(), attributes: new Map([[PRINCIPAL, principal]]) };
}

const everybody = requestOf({ kind: 'all' });
const acme = requestOf({ kind: 'names', names: ['acme'] });
const both = requestOf({ kind: 'names', names: ['acme', 'beta'] });
const nobody = requestOf({ kind: 'none' });
const administrator = requestOf({ kind: 'none' }, true);

const of = (...partitions: readonly Partition[]) => ({ partitions, all: false, types: null });
const allOf = (...partitions: readonly Partition[]) => ({ partitions, all: true, types: null });

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof FhirError ? `${error.code}: ${error.message}` : error;
  }
}

const REFUSED = 'FORBIDDEN: The token does not grant this tenant.';

test('a token that grants all tenants gets what is selected', (t) => {
  for (const selected of [of(ACME), of(DEFAULT), allOf(DEFAULT, ACME, BETA)])
    t.is(
      granted(everybody, 'Patient', () => selected),
      selected,
    );
});

const readBy = (request: RequestDetails, ...partitions: readonly Partition[]): unknown =>
  outcome(() => granted(request, 'Patient', () => of(...partitions)).partitions);

test('a token gets the tenants that it names, and no others beside them', (t) => {
  t.deepEqual(readBy(acme, ACME), [ACME]);
  t.deepEqual(readBy(both, ACME, BETA), [ACME, BETA]);
  t.is(readBy(acme, BETA), REFUSED);
  t.is(readBy(acme, ACME, BETA), REFUSED);
  t.is(readBy(acme, DEFAULT), REFUSED);
  t.is(readBy(nobody, ACME), REFUSED);
});

test('all partitions are for those who are granted all, whichever there are', (t) => {
  for (const selected of [allOf(ACME), allOf(DEFAULT), allOf(DEFAULT, ACME)])
    for (const type of ['Patient', 'ValueSet', undefined])
      t.is(
        outcome(() => granted(acme, type, () => selected)),
        REFUSED,
      );
});

test('definitions of DEFAULT are read by anybody who was let in, and nothing else there', (t) => {
  for (const request of [acme, nobody])
    t.deepEqual(
      granted(request, 'ValueSet', () => of(DEFAULT)),
      { ...of(DEFAULT), types: NON_PARTITIONABLE_TYPES } as never,
    );
  for (const type of ['Patient', undefined])
    t.is(
      outcome(() => granted(acme, type, () => of(DEFAULT))),
      REFUSED,
    );
  t.is(
    outcome(() => granted(acme, 'ValueSet', () => of(BETA))),
    REFUSED,
  );
  t.is(
    outcome(() => granted(acme, 'ValueSet', () => of(DEFAULT, BETA))),
    REFUSED,
  );
});

test('whoever manages the server has DEFAULT, and no tenant by that', (t) => {
  t.is(granted(administrator, 'Patient', () => of(DEFAULT)).types, null);
  t.is(
    outcome(() => granted(administrator, 'Patient', () => of(ACME))),
    REFUSED,
  );
});

const selectUnknown = (): never => {
  throw new FhirError('UNKNOWN_PARTITION', 'There is none.');
};

test('a tenant that is not granted is refused in the same words, whether it exists or not', (t) => {
  t.is(
    outcome(() => granted(acme, 'Patient', selectUnknown)),
    REFUSED,
  );
  t.is(
    outcome(() => granted(everybody, 'Patient', selectUnknown)),
    'UNKNOWN_PARTITION: There is none.',
  );
});

test('other errors are told as they are', (t) => {
  for (const error of [
    new FhirError('INVALID_REQUEST', 'It is wrong.'),
    Object.assign(new Error('It is broken.'), { code: 'UNKNOWN_PARTITION' }),
  ])
    t.is(
      t.throws(() =>
        granted(acme, 'Patient', () => {
          throw error;
        }),
      ),
      error,
    );
});

const changedBy = (request: RequestDetails, ...partitions: readonly Partition[]): unknown =>
  outcome(() => assertMayChange(request, of(...partitions)));

test('a change needs a grant of each partition that it may change', (t) => {
  t.is(changedBy(acme, ACME), undefined);
  t.is(changedBy(everybody, DEFAULT, ACME), undefined);
  t.is(changedBy(administrator, DEFAULT), undefined);
  t.is(changedBy(acme, DEFAULT), REFUSED);
  t.is(changedBy(acme, ACME, BETA), REFUSED);
  t.is(changedBy(administrator, ACME), REFUSED);
});

test('whoever is not known gets nothing', (t) => {
  const unknown = aRequest();
  t.is(
    outcome(() => knownPrincipal(unknown)),
    REFUSED,
  );
  t.is(
    outcome(() => granted(unknown, 'ValueSet', () => of(DEFAULT))),
    REFUSED,
  );
  t.is(
    outcome(() => assertMayChange(unknown, of(ACME))),
    REFUSED,
  );
  t.is(knownPrincipal(acme).tenants.kind, 'names');
});
