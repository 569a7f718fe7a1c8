import test from 'ava';
import {
  DEFAULT_PARTITION_ID,
  NON_PARTITIONABLE_TYPES,
  type PartitionChoice,
  type PartitionId,
} from '../../src/model/partition.js';
import type { TenantGrants } from '../../src/model/principal.js';
import type { Interaction } from '../../src/model/request.js';
import type { StoredVersion } from '../../src/storage/store.js';
import type { PartitionResolverOptions } from '../../src/partition/resolver.js';
import {
  BETA,
  openWorld,
  reads,
  creates,
  both,
  named,
  requestOf,
  withToken,
  GRANTED_ACME,
  GRANTED_ALL,
  outcome,
  scope,
  definitionsOf,
  Patient,
  readBy,
  assignment,
} from './resolver-fixtures.js';

const readWith = (tenants: TenantGrants, choice: PartitionChoice, type = 'Patient') =>
  readBy(choice, { grants: 'judged' }, withToken(requestOf('read', { resourceType: type }), tenants));

test('a token reads the tenants that it grants', async (t) => {
  const refused = 'FORBIDDEN: The token does not grant this tenant.';
  t.like(await readWith(GRANTED_ACME, named('acme')), { partitions: [1], types: null });
  t.is(await readWith(GRANTED_ACME, named('beta')), refused);
  t.is(await readWith(GRANTED_ACME, named('nobody')), refused);
  t.like(await readWith(GRANTED_ALL, named('beta')), { partitions: [2] });
  t.like(await readWith(GRANTED_ACME, { by: 'default' }, 'CodeSystem'), {
    partitions: [0],
    types: NON_PARTITIONABLE_TYPES,
  });
  t.is(await readBy(named('acme'), { grants: 'judged' }), refused);
});

const changeOf = (interaction: Interaction, type: string, options: Partial<PartitionResolverOptions> = {}) =>
  readBy(
    named('acme'),
    { grants: 'judged', ...options },
    withToken(requestOf(interaction, { resourceType: type }), GRANTED_ACME),
  );

test('a token changes what it is granted, and not what everybody reads', async (t) => {
  const refused = 'FORBIDDEN: The token does not grant this tenant.';
  for (const interaction of ['update', 'patch', 'delete'] as const) {
    t.is(await changeOf(interaction, 'CodeSystem'), refused);
    t.like(await changeOf(interaction, 'ValueSet'), { partitions: [1] });
    t.like(await changeOf(interaction, 'Patient'), { partitions: [1] });
  }
  t.like(await changeOf('read', 'CodeSystem'), { partitions: [0] });
  t.like(await changeOf('update', 'CodeSystem', { grants: 'ignored' }), { partitions: [0] });
});

const createWith = async (tenants: TenantGrants, choice: PartitionChoice, type: string): Promise<unknown> => {
  const { resolver } = await openWorld(
    { grants: 'judged' },
    creates(() => choice),
  );
  return outcome(() =>
    resolver.resolveCreate(withToken(requestOf('create'), tenants), { resourceType: type }),
  );
};

test('a token creates in the tenants that it grants', async (t) => {
  const refused = 'FORBIDDEN: The token does not grant this tenant.';
  t.like(await createWith(GRANTED_ACME, named('acme'), 'Patient'), { partition: 1 });
  t.is(await createWith(GRANTED_ACME, named('beta'), 'Patient'), refused);
  t.is(await createWith(GRANTED_ACME, { by: 'default' }, 'CodeSystem'), refused);
  t.like(await createWith(GRANTED_ALL, { by: 'default' }, 'CodeSystem'), { partition: 0 });
});

test('without partitions a token grants no tenants, but somebody must have been let in', async (t) => {
  const options = { enabled: false, grants: 'judged' } as const;
  const refused = 'FORBIDDEN: The token does not grant this tenant.';
  for (const interaction of ['read', 'update'] as const) {
    const request = requestOf(interaction);
    t.like(await readBy(undefined, options, withToken(request, { kind: 'none' })), { partitions: [0] });
    t.is(await readBy(undefined, options, request), refused);
  }
});

const neverAsked = (): never => {
  throw new Error('It was asked.');
};

test('the statement of capabilities is for everybody, and of definitions alone', async (t) => {
  const { resolver } = await openWorld({ grants: 'judged' }, reads(neverAsked));
  t.deepEqual(await resolver.resolveRead(requestOf('capabilities')), definitionsOf(0));
  t.deepEqual(resolver.scopeOfDefinitions(), definitionsOf(0));
  t.like(
    await readBy(
      named('acme'),
      { grants: 'judged' },
      withToken(requestOf('capabilities', { resourceType: undefined }), GRANTED_ACME),
    ),
    { partitions: [1] },
  );
  t.deepEqual(
    await readBy(named('acme'), {}, requestOf('capabilities', { resourceType: undefined })),
    scope(1),
  );
});

const tokenFor = (interaction: Interaction) =>
  withToken(requestOf(interaction), GRANTED_ALL, 'system/Patient.r');

test('a scope carries what the token may do there', async (t) => {
  const { resolver } = await openWorld({}, both(named('acme')));
  for (const [interaction, instance] of [
    ['read', 'read'],
    ['update', 'update'],
    ['patch', 'update'],
    ['delete', 'delete'],
  ] as const) {
    t.is((await resolver.resolveRead(tokenFor(interaction))).access?.instance, instance);
    t.like(resolver.scopeOfWrite(tokenFor(interaction), BETA), {
      partitions: [2],
      all: false,
      types: null,
      access: { instance },
    });
  }
  const created = await resolver.resolveCreate(tokenFor('create'), Patient);
  t.is(created.access?.instance, 'read');
  t.like(resolver.scopeOfAssignment(created), {
    partitions: [1],
    all: false,
    types: null,
    access: { instance: 'read' },
  });
});

test('what is derived from a decision is of one partition, and of nobody where nobody is told apart', async (t) => {
  const { resolver } = await openWorld({}, both(named('acme')));
  const created = await resolver.resolveCreate(requestOf('create'), Patient);
  t.deepEqual(created, assignment(1));
  t.deepEqual(resolver.scopeOfAssignment(created), scope(1));
  t.deepEqual(resolver.scopeOfWrite(requestOf('update'), BETA), scope(2));
  t.deepEqual(resolver.scopeOfJob(BETA), scope(2));
  t.deepEqual(resolver.assignmentOfJob(BETA), assignment(2));
  const current = { partition: BETA, partitionDate: '2026-01-01' } as StoredVersion;
  t.deepEqual(resolver.assignmentOf(current), assignment(2, '2026-01-01'));
  t.is(DEFAULT_PARTITION_ID, 0 as PartitionId);
});
