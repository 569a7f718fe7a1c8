import test from 'ava';
import { withPartitionDate } from '../../interceptors/partition-date.js';
import { requestTenantPartition } from '../../interceptors/request-tenant-partition.js';
import { headerPartition } from '../../interceptors/header-partition.js';
import {
  PATIENT,
  VALUE_SET,
  aRequest,
  choiceToCreate,
  choiceToRead,
  refused,
  send,
  serve,
} from './fixtures.js';

const ACME = aRequest({ urlTenant: 'acme' });

function dated(text: string | undefined) {
  return withPartitionDate(requestTenantPartition(), () => text);
}

const ROWS = {
  '2024-05-03': '2024-05-03',
  '2024-05-03T23:30:00-11:00': '2024-05-03',
  '2024-02-29': '2024-02-29',
  '2024-05': undefined,
  '2024': undefined,
} as const;
for (const [text, date] of Object.entries(ROWS)) {
  test(`${text} is ${date ?? 'no date'}`, async (t) => {
    const expected = { by: 'name', names: ['acme'], ...(date === undefined ? {} : { date }) };
    t.deepEqual(await choiceToCreate(dated(text), ACME), expected as never);
  });
}

test('undefined is no date', async (t) => {
  t.deepEqual(await choiceToCreate(dated(undefined), ACME), { by: 'name', names: ['acme'] });
});

for (const text of ['2023-02-29', '2024-13-01', '03.05.2024', '2024-05-03 10:00', '', '2024-5-3']) {
  test(`'${text}' is refused`, async (t) => {
    await refused(t, () => choiceToCreate(dated(text), ACME), 'INVALID_REQUEST');
  });
}

test('the date may come from the resource, and DEFAULT may carry one', async (t) => {
  const interceptor = withPartitionDate(
    requestTenantPartition(),
    ({ resource }) => resource['date'] as string,
  );
  const choice = await choiceToCreate(interceptor, ACME, { ...VALUE_SET, date: '2024-05-03' });
  t.deepEqual(choice, { by: 'default', insteadOf: 'acme', date: '2024-05-03' });
});

test('reads, name, order and other hooks stay as they are', async (t) => {
  const plain = headerPartition();
  const interceptor = withPartitionDate(plain, () => '2024-05-03');
  t.is(interceptor.name, plain.name);
  t.is(interceptor.order, plain.order);
  t.is(interceptor.hooks.STORAGE_PARTITION_SELECTED, plain.hooks.STORAGE_PARTITION_SELECTED);
  const named = aRequest({ headers: { 'x-tenant-id': 'acme' } });
  t.deepEqual(await choiceToRead(interceptor, named), { by: 'name', names: ['acme'] });
  t.is(await choiceToCreate(interceptor, aRequest()), undefined);
});

test('an interceptor that decides no creates cannot be given a date', (t) => {
  const other = { name: 'other', hooks: { STORAGE_PARTITION_IDENTIFY_READ: () => undefined } };
  t.throws(() => withPartitionDate(other, () => undefined), { message: /"other" does not hook/ });
});

test('a hook with an order of its own keeps it', (t) => {
  const ordered = {
    name: 'ordered',
    hooks: { STORAGE_PARTITION_IDENTIFY_CREATE: { order: 7, handle: () => ({ by: 'default' as const }) } },
  };
  const hook = withPartitionDate(ordered, () => undefined).hooks.STORAGE_PARTITION_IDENTIFY_CREATE;
  t.is(typeof hook === 'object' ? hook.order : undefined, 7);
});

test('over HTTP, $partition-explain tells the date, and the neighbour sees nothing of the resource', async (t) => {
  const interceptor = withPartitionDate(
    requestTenantPartition(),
    ({ resource }) => resource['birthDate'] as string,
  );
  const server = await serve(t, {
    partitions: ['acme', 'beta'],
    settings: { partitioning: ['interceptors'] },
    interceptors: [interceptor],
  });
  const body = { ...PATIENT, birthDate: '1951-05-12' };
  const made = await send(server, 'acme/Patient', { body });
  t.is(made.status, 201);
  t.is((await send(server, `beta/Patient/${String(made.body['id'])}`)).status, 404);
  const explained = await send(server, '$partition-explain', {
    body: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'method', valueCode: 'POST' },
        { name: 'url', valueUri: 'Patient' },
        { name: 'tenant', valueString: 'acme' },
        { name: 'resource', resource: body },
      ],
    },
  });
  const parameters = explained.body['parameter'] as readonly {
    readonly name: string;
    readonly valueDate?: string;
  }[];
  t.is(parameters.find(({ name }) => name === 'date')?.valueDate, '1951-05-12');
});
