import test from 'ava';
import { defineInterceptor } from '../../src/hooks/interceptor.js';
import type { Hooks, Interceptor } from '../../src/hooks/interceptor.js';
import type { AccessedResource, HookFunction, HookResponse } from '../../src/hooks/pointcuts.js';
import type { PartitionChoice } from '../../src/model/partition.js';
import type { Resource } from '../../src/model/resource.js';
import { aRegistry, aRequest } from './fixtures.js';

const request = aRequest();
const read = () => ({ request, target: { interaction: 'read' as const } });
const response = (): HookResponse => ({ status: 200, headers: {}, body: undefined });
const commit = () => ({
  request,
  resource: { resourceType: 'Patient' },
  partition: { id: 0 as never, name: 'DEFAULT' },
});

function hooked(name: string, hooks: Hooks): Interceptor {
  return defineInterceptor({ name, hooks });
}

function reads(name: string, handle: HookFunction<'STORAGE_PARTITION_IDENTIFY_READ'>): Interceptor {
  return hooked(name, { STORAGE_PARTITION_IDENTIFY_READ: handle });
}

function creates(name: string, handle: HookFunction<'STORAGE_PRESTORAGE_RESOURCE_CREATED'>): Interceptor {
  return hooked(name, { STORAGE_PRESTORAGE_RESOURCE_CREATED: handle });
}

const entry = (id: string): AccessedResource => ({
  type: 'Patient',
  id,
  version: 1,
  partition: 0 as never,
  resource: () => ({ resourceType: 'Patient', id }),
});

const toLab: PartitionChoice = { by: 'name', names: ['lab'] };
const fail = (): never => {
  throw new Error('no');
};
const failLater = (): Promise<never> => Promise.reject(new Error('no'));

test('without hooks every mode answers at once, without a promise', (t) => {
  const { registry } = aRegistry();
  const patient = { resourceType: 'Patient' };
  t.is(registry.observe('STORAGE_PRECOMMIT_RESOURCE_CREATED', commit()), undefined);
  t.is(registry.veto('SERVER_INCOMING_REQUEST_PRE_HANDLED', { request }), 'proceed');
  t.is(registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read()), undefined);
  t.is(registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, patient), patient);
});

test('synchronous hooks are answered at once, without a promise', (t) => {
  const { registry } = aRegistry(
    hooked('all', {
      STORAGE_PRECOMMIT_RESOURCE_CREATED: () => undefined,
      SERVER_INCOMING_REQUEST_PRE_HANDLED: () => undefined,
      STORAGE_PARTITION_IDENTIFY_READ: () => toLab,
      STORAGE_PRESTORAGE_RESOURCE_CREATED: () => ({ resourceType: 'Patient', id: '2' }),
    }),
  );
  t.is(registry.observe('STORAGE_PRECOMMIT_RESOURCE_CREATED', commit()), undefined);
  t.is(registry.veto('SERVER_INCOMING_REQUEST_PRE_HANDLED', { request }), 'proceed');
  t.is(registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read()), toLab);
  t.like(
    registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, { resourceType: 'Patient' }),
    {
      id: '2',
    },
  );
});

test('the event is frozen', async (t) => {
  const { registry } = aRegistry(
    reads('reads', (event) => {
      t.throws(() => Object.assign(event, { target: undefined }), { instanceOf: TypeError });
      return undefined;
    }),
    creates('creates', (event) => {
      t.true(Object.isFrozen(event));
      return undefined;
    }),
  );
  await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read());
  await registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, { resourceType: 'Patient' });
  t.plan(2);
});

test('observe tells every hook in order, one after the other', async (t) => {
  const told: string[] = [];
  const tells = (name: string, wait: boolean): Interceptor =>
    hooked(name, {
      STORAGE_PRECOMMIT_RESOURCE_CREATED: () => {
        if (!wait) return void told.push(name);
        return new Promise<void>((resolve) => setImmediate(() => resolve(void told.push(name))));
      },
    });
  const { registry } = aRegistry(tells('a', false), tells('b', true), tells('c', false), tells('d', true));
  await registry.observe('STORAGE_PRECOMMIT_RESOURCE_CREATED', commit());
  t.deepEqual(told, ['a', 'b', 'c', 'd']);
});

for (const [kind, hook] of [
  ['synchronous', fail],
  ['asynchronous', failLater],
] as const) {
  test(`the error of ${kind} observers propagates and skips the hooks after it`, async (t) => {
    const { registry, swallowed } = aRegistry(
      hooked('fails', { STORAGE_PRECOMMIT_RESOURCE_CREATED: hook }),
      hooked('never', { STORAGE_PRECOMMIT_RESOURCE_CREATED: () => t.fail() as never }),
    );
    const dispatch = async (): Promise<void> =>
      registry.observe('STORAGE_PRECOMMIT_RESOURCE_CREATED', commit());
    await t.throwsAsync(dispatch, { message: 'no' });
    t.deepEqual(swallowed, []);
  });

  for (const pointcut of ['SERVER_PROCESSING_COMPLETED', 'SERVER_PROCESSING_COMPLETED_NORMALLY'] as const) {
    test(`the error of ${kind} observers of ${pointcut} is reported and stops nothing`, async (t) => {
      const told: string[] = [];
      const { registry, swallowed } = aRegistry(
        hooked('fails', { [pointcut]: hook }),
        hooked('after', { [pointcut]: async () => void told.push('after') }),
        hooked('last', { [pointcut]: () => void told.push('last') }),
      );
      await registry.observe(pointcut, { request, status: 200 });
      t.deepEqual(swallowed, [[pointcut, 'fails', 'no']]);
      t.deepEqual(told, ['after', 'last']);
    });
  }

  test(`a throw of ${kind} hooks refuses in every other mode`, async (t) => {
    const { registry } = aRegistry(
      hooked('fails', {
        STORAGE_PARTITION_SELECTED: hook,
        STORAGE_PARTITION_IDENTIFY_READ: hook,
        STORAGE_PRESTORAGE_RESOURCE_CREATED: hook,
      }),
    );
    const selected = { ...read(), partitions: [], all: false };
    const dispatches = [
      async () => registry.veto('STORAGE_PARTITION_SELECTED', selected),
      async () => registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read()),
      async () =>
        registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, { resourceType: 'Basic' }),
    ];
    for (const dispatch of dispatches) await t.throwsAsync(dispatch, { message: 'no' });
  });
}

for (const [kind, no] of [
  ['synchronous', () => false],
  ['asynchronous', async () => false],
] as const) {
  test(`a ${kind} false means handled and ends the walk`, async (t) => {
    const { registry } = aRegistry(
      hooked('passes', { SERVER_INCOMING_REQUEST_POST_PROCESSED: () => true }),
      hooked('handles', { SERVER_INCOMING_REQUEST_POST_PROCESSED: no }),
      hooked('never', { SERVER_INCOMING_REQUEST_POST_PROCESSED: () => t.fail() as never }),
    );
    const event = { request, response: response() };
    t.is(await registry.veto('SERVER_INCOMING_REQUEST_POST_PROCESSED', event), 'handled');
  });

  test(`a ${kind} false where only a throw refuses is an error, never consent`, async (t) => {
    const { registry } = aRegistry(hooked('old', { SERVER_INCOMING_REQUEST_PRE_HANDLED: no as never }));
    await t.throwsAsync(async () => registry.veto('SERVER_INCOMING_REQUEST_PRE_HANDLED', { request }), {
      instanceOf: TypeError,
      message: 'Interceptor "old" answered false: throw to refuse.',
    });
  });
}

test('a hook that handles a request writes the response of the event', async (t) => {
  const { registry } = aRegistry(
    hooked('teapot', {
      SERVER_INCOMING_REQUEST_POST_PROCESSED: ({ response: own }) => {
        own.status = 418;
        own.headers['x-pot'] = 'tea';
        return false;
      },
    }),
  );
  const event = { request, response: response() };
  await registry.veto('SERVER_INCOMING_REQUEST_POST_PROCESSED', event);
  t.deepEqual(event.response, { status: 418, headers: { 'x-pot': 'tea' }, body: undefined });
});

test('the first answer decides, whether it comes at once or later', async (t) => {
  const { registry } = aRegistry(
    reads('passes', () => undefined),
    reads('passes later', async () => undefined),
    reads('decides', async () => toLab),
    reads('never', () => t.fail() as never),
  );
  t.is(await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read()), toLab);
});

test('decideNamed tells who decided, and who was asked before', async (t) => {
  const { registry } = aRegistry(
    reads('passes', () => undefined),
    reads('decides', async () => toLab),
    reads('never', () => t.fail() as never),
  );
  t.deepEqual(await registry.decideNamed('STORAGE_PARTITION_IDENTIFY_READ', read()), {
    answer: toLab,
    by: 'decides',
    asked: [
      { interceptor: 'passes', answer: undefined },
      { interceptor: 'decides', answer: toLab },
    ],
  });
});

test('decideNamed of a question that nobody answers names those who were asked', async (t) => {
  const { registry } = aRegistry(reads('passes', () => undefined));
  const decision = await registry.decideNamed('STORAGE_PARTITION_IDENTIFY_READ', read());
  t.deepEqual(decision, {
    answer: undefined,
    by: undefined,
    asked: [{ interceptor: 'passes', answer: undefined }],
  });
});

test('a transform passes each replacement on, at once or later', async (t) => {
  const seen: unknown[] = [];
  const adds = (element: string, later: boolean): Interceptor =>
    creates(element, ({ value }) => {
      seen.push(Object.keys(value));
      const added: Resource = { ...value, [element]: true };
      return later ? Promise.resolve(added) : added;
    });
  const { registry } = aRegistry(
    adds('a', false),
    creates('passes', async () => undefined),
    adds('b', true),
    adds('c', false),
  );
  const given = Object.freeze({ resourceType: 'Basic' });
  const stored = await registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, given);
  t.deepEqual(stored, { resourceType: 'Basic', a: true, b: true, c: true });
  t.deepEqual(seen, [['resourceType'], ['resourceType', 'a'], ['resourceType', 'a', 'b']]);
});

test('a replacement of another kind is refused', async (t) => {
  for (const answer of [null, 'text', [], { resourceType: 'Patient' }, {}]) {
    const { registry } = aRegistry(creates('odd', () => answer as never));
    const basic = { resourceType: 'Basic' };
    t.throws(() => registry.transform('STORAGE_PRESTORAGE_RESOURCE_CREATED', { request }, basic), {
      instanceOf: TypeError,
      message: /^Interceptor "odd" answered a wrong replacement: it must be a Basic, not /,
    });
  }
});

test('STORAGE_PREACCESS_RESOURCES may leave entries out but not add any', async (t) => {
  const entries = [entry('1'), entry('2')];
  const drop = aRegistry(hooked('drop', { STORAGE_PREACCESS_RESOURCES: ({ value }) => value.slice(1) }));
  const left = await drop.registry.transform('STORAGE_PREACCESS_RESOURCES', { request }, entries);
  t.deepEqual(left, [entries[1] as AccessedResource]);
  const add = aRegistry(
    hooked('add', { STORAGE_PREACCESS_RESOURCES: ({ value }) => [...value, entry('3')] }),
  );
  t.throws(() => add.registry.transform('STORAGE_PREACCESS_RESOURCES', { request }, entries), {
    message: /left out, not added/,
  });
});

test('STORAGE_PRESHOW_RESOURCES keeps the number of resources', async (t) => {
  const { registry } = aRegistry(hooked('drop', { STORAGE_PRESHOW_RESOURCES: () => [] }));
  const shown = [{ resourceType: 'Patient' }];
  t.throws(() => registry.transform('STORAGE_PRESHOW_RESOURCES', { request }, shown), {
    message: /it must have 1 items, not 0/,
  });
});

test('`this` of a hook is the object it is written in', async (t) => {
  const choice = toLab;
  const hooks = {
    STORAGE_PARTITION_IDENTIFY_READ: {
      choice,
      handle(this: { readonly choice: PartitionChoice }): PartitionChoice {
        return this.choice;
      },
    },
  };
  const { registry } = aRegistry({ name: 'this', hooks: hooks as Hooks });
  t.is(await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', read()), choice);
});
