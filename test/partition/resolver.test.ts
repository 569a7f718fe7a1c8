import test from 'ava';
import type { Interceptor } from '../../src/hooks/interceptor.js';
import type { PartitionChoice, PartitionId } from '../../src/model/partition.js';
import type { Interaction } from '../../src/model/request.js';
import { PartitionDirectory } from '../../src/partition/directory.js';
import { PartitionResolver, targetOf } from '../../src/partition/resolver.js';
import type { PartitionRegistry } from '../../src/storage/store.js';
import { aRegistry } from '../hooks/fixtures.js';
import {
  BETA,
  openWorld,
  reads,
  creates,
  both,
  named,
  numbered,
  requestOf,
  outcome,
  scope,
  definitionsOf,
  Patient,
  readBy,
  createBy,
  assignment,
  EVERYTHING,
} from './resolver-fixtures.js';

test('a read is of the partitions that a hook names, by name or by id, each once', async (t) => {
  t.deepEqual(await readBy(named('acme')), scope(1));
  t.deepEqual(await readBy(named('beta', 'acme')), scope(2, 1));
  t.deepEqual(await readBy(numbered(2, 2)), scope(2));
  t.deepEqual(await readBy(numbered(2, 1, 2)), scope(2, 1));
  t.deepEqual(await readBy({ by: 'default' }), scope(0));
});

test('a read of all partitions is one of those that there are, and of those that will be', async (t) => {
  t.deepEqual(await readBy({ by: 'all' }), EVERYTHING);
});

test('a partition that is unknown is refused', async (t) => {
  const unknown = "UNKNOWN_PARTITION: There is no partition 'nobody'.";
  t.is(await readBy(named('nobody')), unknown);
  t.is(await readBy(named('acme', 'nobody')), unknown);
  t.is(await readBy(numbered(9)), 'UNKNOWN_PARTITION: There is no partition with id 9.');
  t.is(await createBy(named('nobody')), unknown);
});

test('without partition names any integer is a partition, and it is registered when it is written to', async (t) => {
  t.deepEqual(await readBy(numbered(9), { unnamed: true }), scope(9));
  t.is(
    await readBy(numbered(9.5), { unnamed: true }),
    'UNKNOWN_PARTITION: There is no partition with id 9.5.',
  );
  const { resolver, adopted } = await openWorld({ unnamed: true }, both(numbered(9)));
  const { partition } = await resolver.resolveCreate(requestOf('create'), Patient);
  t.is(partition, 9 as PartitionId);
  t.deepEqual(adopted, [9 as PartitionId]);
  const explained = await resolver.explain(requestOf('read'), targetOf(requestOf('read')), undefined);
  t.deepEqual(explained.partitions, [{ id: 9 as PartitionId, name: '9' }]);
});

test('with partition names nothing is registered by a write', async (t) => {
  const { resolver, adopted } = await openWorld({}, both(named('acme')));
  await resolver.resolveCreate(requestOf('create'), Patient);
  t.deepEqual(adopted, []);
});

test('where nobody decides a request is refused, and it says who was asked', async (t) => {
  t.is(
    await readBy(undefined),
    'PARTITION_NOT_DECIDED: Nobody answered STORAGE_PARTITION_IDENTIFY_READ; asked: reads@0.',
  );
  t.is(
    await createBy(undefined),
    'PARTITION_NOT_DECIDED: Nobody answered STORAGE_PARTITION_IDENTIFY_CREATE; asked: creates@0.',
  );
  const { resolver } = await openWorld({});
  t.is(
    await outcome(() => resolver.resolveRead(requestOf('read'))),
    'PARTITION_NOT_DECIDED: Nobody answered STORAGE_PARTITION_IDENTIFY_READ; no interceptor is registered for it.',
  );
  const read = requestOf('read');
  t.is(
    await outcome(() => resolver.explain(read, targetOf(read), undefined)),
    'PARTITION_NOT_DECIDED: Nobody answered STORAGE_PARTITION_IDENTIFY_READ; no interceptor is registered for it.',
  );
  t.is(
    await outcome(() => resolver.explain(read, targetOf(read), Patient)),
    'PARTITION_NOT_DECIDED: Nobody answered STORAGE_PARTITION_IDENTIFY_CREATE; no interceptor is registered for it.',
  );
});

test('definitions go to DEFAULT where nobody decides, and are read by decision alone', async (t) => {
  t.deepEqual(await createBy(undefined, 'CodeSystem'), assignment(0));
  const { resolver } = await openWorld({});
  const create = requestOf('create', { resourceType: 'CodeSystem' });
  const explained = await resolver.explain(create, targetOf(create), { resourceType: 'CodeSystem' });
  t.deepEqual(
    explained.partitions.map(({ name }) => name),
    ['DEFAULT'],
  );
  t.is(explained.by, undefined);
  t.regex(
    String(await outcome(() => resolver.explain(create, targetOf(create), undefined))),
    /^PARTITION_NOT_DECIDED/,
  );
});

test('a hook on ANY decides reads and creates, and no other is asked', async (t) => {
  const any: Interceptor = {
    name: 'any',
    hooks: { STORAGE_PARTITION_IDENTIFY_ANY: () => named('beta') },
  };
  const { resolver } = await openWorld({}, any, both(named('acme')));
  t.deepEqual(await resolver.resolveRead(requestOf('read')), scope(2));
  const { partition } = await resolver.resolveCreate(requestOf('create'), Patient);
  t.is(partition, BETA);
  const read = requestOf('read');
  const explained = await resolver.explain(read, targetOf(read), undefined);
  t.like(explained, { pointcut: 'STORAGE_PARTITION_IDENTIFY_ANY', by: 'any' });
  t.deepEqual(explained.asked, [{ interceptor: 'any', answer: named('beta') }]);
});

test('reads and creates are decided by hooks of their own', async (t) => {
  const { resolver } = await openWorld(
    {},
    reads(() => named('acme')),
    creates(() => named('beta')),
  );
  t.deepEqual(await resolver.resolveRead(requestOf('read')), scope(1));
  t.is((await resolver.resolveCreate(requestOf('create'), Patient)).partition, BETA);
  const read = requestOf('read');
  t.like(await resolver.explain(read, targetOf(read), undefined), {
    pointcut: 'STORAGE_PARTITION_IDENTIFY_READ',
    by: 'reads',
    partitions: [{ id: 1, name: 'acme' }],
    all: false,
  });
  t.like(await resolver.explain(read, targetOf(read), Patient), {
    pointcut: 'STORAGE_PARTITION_IDENTIFY_CREATE',
    by: 'creates',
    partitions: [{ id: 2, name: 'beta' }],
  });
});

test('a decision that takes time is waited for', async (t) => {
  const late: Interceptor = {
    name: 'late',
    hooks: { STORAGE_PARTITION_IDENTIFY_READ: async () => named('acme') },
  };
  const { resolver } = await openWorld({}, late);
  t.deepEqual(await resolver.resolveRead(requestOf('read')), scope(1));
});

const neverAsked = (): never => {
  throw new Error('It was asked.');
};

test('without partitioning everything is DEFAULT, and nobody is asked', async (t) => {
  const { resolver } = await openWorld({ enabled: false }, reads(neverAsked), creates(neverAsked));
  t.deepEqual(await resolver.resolveRead(requestOf('read')), scope(0));
  t.deepEqual(await resolver.resolveCreate(requestOf('create'), Patient), assignment(0));
  t.deepEqual(resolver.scopeOfDefinitions(), scope(0));
});

test('a new resource goes to exactly one partition', async (t) => {
  const one = 'PARTITION_REQUIRED_ONE: A new resource must be written to exactly one partition.';
  t.is(await createBy(named('acme', 'beta')), one);
  t.is(await createBy({ by: 'all' }), one);
  t.deepEqual(await createBy(named('acme', 'acme')), assignment(1));
});

test('all partitions are not one, also where DEFAULT is the only one', async (t) => {
  const directory = new PartitionDirectory({ list: async () => [] } as unknown as PartitionRegistry);
  await directory.load();
  const { registry } = aRegistry(both({ by: 'all' }));
  const resolver = new PartitionResolver(registry, directory, {
    enabled: true,
    unnamed: false,
    alsoHeld: new Set(),
    grants: 'ignored',
    adopt: async () => {},
  });
  t.regex(
    String(await outcome(() => resolver.resolveCreate(requestOf('create'), Patient))),
    /^PARTITION_REQUIRED_ONE/,
  );
});

test('explaining a create refuses what the create would be refused for', async (t) => {
  const { resolver } = await openWorld({}, both(named('acme', 'beta')));
  const read = requestOf('read');
  t.regex(
    String(await outcome(() => resolver.explain(read, targetOf(read), Patient))),
    /^PARTITION_REQUIRED_ONE/,
  );
  const explained = await resolver.explain(read, targetOf(read), undefined);
  t.is(explained.partitions.length, 2);
});

test('definitions are stored in DEFAULT, but for those that partitions may hold', async (t) => {
  t.is(
    await createBy(named('acme'), 'CodeSystem'),
    'NOT_PARTITIONABLE: CodeSystem can only be stored in the DEFAULT partition.',
  );
  t.deepEqual(await createBy({ by: 'default' }, 'CodeSystem'), assignment(0));
  t.deepEqual(await createBy(named('acme'), 'ValueSet'), assignment(1));
  t.deepEqual(await createBy(named('acme'), 'Patient'), assignment(1));
});

const readOf = (type: string | undefined, choice: PartitionChoice, interaction: Interaction = 'read') =>
  readBy(choice, {}, requestOf(interaction, { resourceType: type }));

test('definitions are read in DEFAULT through whichever tenant', async (t) => {
  t.deepEqual(await readOf('CodeSystem', named('acme')), definitionsOf(0));
  t.deepEqual(await readOf('CodeSystem', { by: 'default' }), scope(0));
  t.deepEqual(await readOf('CodeSystem', named('acme', 'DEFAULT')), scope(0));
  t.deepEqual(await readOf('CodeSystem', { by: 'all' }), EVERYTHING);
  t.deepEqual(await readOf('ValueSet', named('acme')), definitionsOf(1, 0));
  t.deepEqual(await readOf('ValueSet', named('acme'), 'update'), scope(1));
  t.deepEqual(await readOf('ValueSet', { by: 'default' }), scope(0));
  t.deepEqual(await readOf('Patient', named('acme')), scope(1));
  t.deepEqual(await readOf(undefined, named('acme')), scope(1));
});

const readInstead = (insteadOf: string | number) => readBy({ by: 'default', insteadOf });

test('what is explained of a read is what would be read', async (t) => {
  const { resolver } = await openWorld({}, both(named('acme')));
  const placesOf = async (type: string): Promise<readonly string[]> => {
    const request = requestOf('read', { resourceType: type });
    const { partitions } = await resolver.explain(request, targetOf(request), undefined);
    return partitions.map(({ name }) => name);
  };
  t.deepEqual(await placesOf('Patient'), ['acme']);
  t.deepEqual(await placesOf('CodeSystem'), ['DEFAULT']);
});

test('whoever was to be asked for a partition gets what everybody has of DEFAULT', async (t) => {
  t.deepEqual(await readInstead('acme'), definitionsOf(0));
  t.deepEqual(await readInstead(1), definitionsOf(0));
  t.deepEqual(await readInstead('DEFAULT'), scope(0));
  t.deepEqual(await readInstead(0), scope(0));
  t.is(await readInstead('nobody'), "UNKNOWN_PARTITION: There is no partition 'nobody'.");
  t.is(await readInstead(9), 'UNKNOWN_PARTITION: There is no partition with id 9.');
});

const createAt = (date: string) => createBy({ by: 'name', names: ['acme'], date });

test('a date is one of the calendar', async (t) => {
  t.deepEqual(await createAt('2026-02-28'), assignment(1, '2026-02-28'));
  for (const date of ['2026-2-28', '2026', '', '2026-13-01', '2026-02-28T00:00:00Z'])
    t.is(await createAt(date), `Error: A partition date must be YYYY-MM-DD, not '${date}'.`);
  t.deepEqual(
    await createBy({ by: 'default', date: '2026-01-01' }, 'CodeSystem'),
    assignment(0, '2026-01-01'),
  );
  t.deepEqual(await createBy({ by: 'id', ids: [2], date: '2026-01-01' }), assignment(2, '2026-01-01'));
});
