import test from 'ava';
import type { Interceptor } from '../../src/hooks/interceptor.js';
import type { ReadTarget } from '../../src/hooks/pointcuts.js';
import { FhirError } from '../../src/model/errors.js';
import type { PartitionChoice } from '../../src/model/partition.js';
import type { Interaction } from '../../src/model/request.js';
import { SELECTED_PARTITIONS, targetOf } from '../../src/partition/resolver.js';
import { aRequest } from '../hooks/fixtures.js';
import {
  ACME,
  openWorld,
  reads,
  creates,
  both,
  named,
  requestOf,
  outcome,
  scope,
  Patient,
} from './resolver-fixtures.js';

const about = (interaction: Interaction, id: string | undefined, operation?: string) => ({
  target: { interaction, resourceType: 'Patient', id, operation },
  partitions: [{ id: 1, name: 'acme' }],
  all: false,
});

test('whatever is decided is announced, with what it is about, and may be refused', async (t) => {
  const announced: unknown[] = [];
  const told = ({ target, partitions, all }: { target: ReadTarget; partitions: unknown; all: boolean }) =>
    announced.push({ target, partitions, all });
  for (const listener of [
    { name: 'at once', hooks: { STORAGE_PARTITION_SELECTED: (event: never) => void told(event) } },
    { name: 'later', hooks: { STORAGE_PARTITION_SELECTED: async (event: never) => void told(event) } },
  ] as Interceptor[]) {
    const { resolver } = await openWorld({}, both(named('acme')), listener);
    const read = requestOf('read', { operation: '$meta' });
    t.deepEqual(await resolver.resolveRead(read), scope(1));
    t.deepEqual(read.attributes.get(SELECTED_PARTITIONS), [1]);
    await resolver.resolveCreate(requestOf('create', { resourceId: undefined }), Patient);
    await resolver.explain(read, targetOf(read), undefined);
  }
  const once = [about('read', '1', '$meta'), about('create', undefined), about('read', '1', '$meta')];
  t.deepEqual(announced, [...once, ...once]);
});

test('a refusal of what was selected ends the request, whenever it comes', async (t) => {
  const no = new FhirError('FORBIDDEN', 'No.');
  for (const listener of [
    {
      name: 'at once',
      hooks: {
        STORAGE_PARTITION_SELECTED: () => {
          throw no;
        },
      },
    },
    { name: 'later', hooks: { STORAGE_PARTITION_SELECTED: () => Promise.reject(no) } },
  ] as Interceptor[]) {
    const { resolver } = await openWorld({}, both(named('acme')), listener);
    const read = requestOf('read');
    t.is(await outcome(() => resolver.resolveRead(read)), 'FORBIDDEN: No.');
    t.is(await outcome(() => resolver.resolveCreate(requestOf('create'), Patient)), 'FORBIDDEN: No.');
    t.is(await outcome(() => resolver.explain(read, targetOf(read), undefined)), 'FORBIDDEN: No.');
  }
});

test('a write, and an entry of a bundle, is decided once however often it is planned', async (t) => {
  let asked = 0;
  const counting = (): PartitionChoice => named(++asked % 2 === 1 ? 'acme' : 'beta');
  const { resolver } = await openWorld({}, reads(counting), creates(counting));
  for (const request of [requestOf('update'), requestOf('read', { parent: aRequest() })]) {
    asked = 0;
    const first = await resolver.resolveRead(request);
    t.deepEqual(first, scope(1));
    t.is(await resolver.resolveRead(request), first);
    t.is(asked, 1);
  }
  asked = 0;
  const create = requestOf('create');
  const first = await resolver.resolveCreate(create, Patient);
  t.is(first.partition, ACME);
  t.is(await resolver.resolveCreate(create, Patient), first);
  t.is(asked, 1);
});

test('a plain read is decided at once, without a promise', async (t) => {
  const { resolver } = await openWorld(
    {},
    reads(() => named('acme')),
  );
  for (const method of ['GET', 'HEAD'])
    t.deepEqual(resolver.resolveRead(requestOf('read', { method })), scope(1));
});
