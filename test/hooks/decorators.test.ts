import test from 'ava';
import { Hook, Interceptor, interceptorOf } from '../../src/hooks/decorators.js';
import { toInterceptors } from '../../src/hooks/exported-interceptors.js';
import { Pointcut } from '../../src/hooks/pointcut-manual.js';
import type { HookEvent } from '../../src/hooks/pointcuts.js';
import type { PartitionChoice } from '../../src/model/partition.js';
import { aRegistry, aRequest } from './fixtures.js';

const READ = { request: aRequest(), target: { interaction: 'read' } } as const;

@Interceptor({ order: 10 })
class ToPartition {
  readonly #name: string;

  constructor(name = 'lab') {
    this.#name = name;
  }

  @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_READ)
  choose(_event: HookEvent<'STORAGE_PARTITION_IDENTIFY_READ'>): PartitionChoice {
    return { by: 'name', names: [this.#name] };
  }

  @Hook(Pointcut.SERVER_PROCESSING_COMPLETED, { order: -1 })
  @Hook(Pointcut.SERVER_PROCESSING_COMPLETED_NORMALLY)
  done(): void {}
}

class Overriding extends ToPartition {
  override choose(): PartitionChoice {
    return { by: 'default' };
  }
}

@Interceptor({ name: 'marked-again' })
class MarkedAgain extends ToPartition {
  @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_READ, { order: 3 })
  override choose(): PartitionChoice {
    return { by: 'all' };
  }

  @Hook(Pointcut.STORAGE_PARTITION_SELECTED)
  selected(): void {}
}

test('a decorated object is an interceptor with its class as name', async (t) => {
  const { registry } = aRegistry(interceptorOf(new ToPartition('north')));
  t.deepEqual(registry.describe('STORAGE_PARTITION_IDENTIFY_READ'), ['ToPartition@10']);
  t.deepEqual(registry.describe('SERVER_PROCESSING_COMPLETED'), ['ToPartition@-1']);
  t.deepEqual(registry.describe('SERVER_PROCESSING_COMPLETED_NORMALLY'), ['ToPartition@10']);
  const choice = await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', READ);
  t.deepEqual(choice, { by: 'name', names: ['north'] });
});

test('one object is one interceptor, two objects of a class are two', (t) => {
  const one = new ToPartition();
  t.is(interceptorOf(one), interceptorOf(one));
  const { registry } = aRegistry(interceptorOf(one), interceptorOf(new ToPartition()));
  t.throws(() => registry.register(interceptorOf(one)), { message: /is registered already/ });
});

test('hooks are inherited, and an override without a mark is what runs', async (t) => {
  const { registry } = aRegistry(interceptorOf(new Overriding()));
  t.deepEqual(registry.describe('STORAGE_PARTITION_IDENTIFY_READ'), ['Overriding@10']);
  t.deepEqual(await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', READ), { by: 'default' });
});

test("a subclass's marks replace its parent's and never leak into it", async (t) => {
  const { registry } = aRegistry(interceptorOf(new MarkedAgain()));
  t.deepEqual(registry.describe('STORAGE_PARTITION_IDENTIFY_READ'), ['marked-again@3']);
  t.deepEqual(await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', READ), { by: 'all' });
  t.is(interceptorOf(new ToPartition()).hooks.STORAGE_PARTITION_SELECTED, undefined);
});

test('a class without hooks, or with two for one pointcut, is refused', (t) => {
  class Twice {
    @Hook(Pointcut.SERVER_PROCESSING_COMPLETED)
    one(): void {}

    @Hook(Pointcut.SERVER_PROCESSING_COMPLETED)
    two(): void {}
  }
  t.throws(() => interceptorOf(new Date(0)), { message: 'Class Date has no @Hook method.' });
  t.throws(() => interceptorOf(new Twice()), {
    message: /^Class Twice hooks SERVER_PROCESSING_COMPLETED twice/,
  });
});

test('a default export is one interceptor or several, plain or decorated, an object or a class', (t) => {
  const plain = { name: 'plain', hooks: { SERVER_PROCESSING_COMPLETED: () => undefined } };
  t.deepEqual(toInterceptors(plain, './a.mjs'), [plain]);
  const names = toInterceptors([plain, new ToPartition(), MarkedAgain], './a.mjs').map(({ name }) => name);
  t.deepEqual(names, ['plain', 'ToPartition', 'marked-again']);
});

test('a default export that is no interceptor is refused by the name of the module', (t) => {
  for (const exported of [undefined, 'x', {}, Date, () => undefined, { name: 'a', hooks: {} }]) {
    t.throws(() => toInterceptors(exported, './a.mjs'), {
      message: /^The default export of \.\/a\.mjs is no interceptor: /,
    });
  }
});
