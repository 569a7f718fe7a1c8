import test from 'ava';
import { defineInterceptor } from '../../src/hooks/interceptor.js';
import type { Interceptor } from '../../src/hooks/interceptor.js';
import { aRegistry, aRequest } from './fixtures.js';

const READ = { request: aRequest(), target: { interaction: 'read' } } as const;
const NOTHING = (): undefined => undefined;

function refuse(): never {
  throw new Error('not here');
}

function observer(name: string, order?: number): Interceptor {
  return { name, ...(order === undefined ? {} : { order }), hooks: { SERVER_PROCESSING_COMPLETED: NOTHING } };
}

test('lower orders come first, and ties in the order of registration', (t) => {
  const { registry } = aRegistry(observer('b', 1), observer('c', 1), observer('a', -1), observer('zero'));
  t.deepEqual(registry.describe('SERVER_PROCESSING_COMPLETED'), ['a@-1', 'zero@0', 'b@1', 'c@1']);
});

test("a hook's own order beats its interceptor's, also when it is 0", (t) => {
  const hooks = {
    SERVER_PROCESSING_COMPLETED: { order: 0, handle: NOTHING },
    SERVER_HANDLE_EXCEPTION: NOTHING,
  };
  const { registry } = aRegistry({ name: 'own', order: 5, hooks });
  t.deepEqual(registry.describe('SERVER_PROCESSING_COMPLETED'), ['own@0']);
  t.deepEqual(registry.describe('SERVER_HANDLE_EXCEPTION'), ['own@5']);
});

test('an unknown pointcut is refused with the nearest name', (t) => {
  const { registry } = aRegistry();
  const hooks = { STORAGE_PARTITION_IDENTIFY_REED: NOTHING } as Interceptor['hooks'];
  t.throws(() => registry.register({ name: 'typo', hooks }), {
    message:
      'Interceptor "typo" hooks the unknown pointcut "STORAGE_PARTITION_IDENTIFY_REED". ' +
      'Did you mean STORAGE_PARTITION_IDENTIFY_READ?',
  });
});

test('a refused interceptor leaves nothing behind', (t) => {
  const { registry } = aRegistry();
  const hooks = { SERVER_PROCESSING_COMPLETED: NOTHING, NO_SUCH: NOTHING } as Interceptor['hooks'];
  t.throws(() => registry.register({ name: 'half', hooks }));
  t.false(registry.has('SERVER_PROCESSING_COMPLETED'));
  t.deepEqual(registry.interceptors(), []);
});

test('wrong shapes are refused by name', (t) => {
  const { registry } = aRegistry();
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /^An interceptor must be an object\.$/],
    [{ hooks: {} }, /^An interceptor needs a name\.$/],
    [{ name: '', hooks: {} }, /needs a name/],
    [{ name: 'a' }, /^"hooks" of interceptor "a" must be an object\.$/],
    [{ name: 'a', hooks: {} }, /^Interceptor "a" has no hooks\.$/],
    [{ name: 'a', hooks: { SERVER_PROCESSING_COMPLETED: undefined } }, /has no hooks/],
    [
      { name: 'a', hooks: { SERVER_PROCESSING_COMPLETED: 'x' } },
      /^Hook SERVER_PROCESSING_COMPLETED .* must be/,
    ],
    [{ name: 'a', hooks: { SERVER_PROCESSING_COMPLETED: { handle: 1 } } }, /must be a function or/],
    [
      { name: 'a', order: '1', hooks: { SERVER_PROCESSING_COMPLETED: NOTHING } },
      /order that is not a finite/,
    ],
    [{ name: 'a', hooks: { SERVER_PROCESSING_COMPLETED: { order: Infinity, handle: NOTHING } } }, /finite/],
  ];
  for (const [interceptor, message] of wrong) {
    t.throws(() => registry.register(interceptor as Interceptor), { message });
  }
});

test('the same object cannot be registered twice, an equal one can', (t) => {
  const one = observer('one');
  const { registry } = aRegistry(one);
  t.throws(() => registry.register(one), { message: 'Interceptor "one" is registered already.' });
  registry.register({ ...one });
  t.is(registry.interceptors().length, 2);
});

test('register gives back its own unregister, which may be called again', (t) => {
  const { registry } = aRegistry(observer('stays'));
  const goes = observer('goes');
  const unregister = registry.register(goes);
  unregister();
  unregister();
  t.deepEqual(registry.describe('SERVER_PROCESSING_COMPLETED'), ['stays@0']);
  t.false(registry.unregister(goes));
  t.notThrows(() => registry.register(goes));
});

test('a pointcut has no hooks again when the last one is gone', (t) => {
  const { registry } = aRegistry();
  const one = observer('one');
  registry.register(one);
  t.true(registry.has('SERVER_PROCESSING_COMPLETED'));
  t.true(registry.unregister(one));
  t.false(registry.has('SERVER_PROCESSING_COMPLETED'));
});

test('a running dispatch sees neither added nor removed interceptors', async (t) => {
  const asked: string[] = [];
  const late = defineInterceptor({
    name: 'late',
    hooks: { STORAGE_PARTITION_IDENTIFY_READ: () => void asked.push('late') as undefined },
  });
  const { registry } = aRegistry();
  const changer = defineInterceptor({
    name: 'changer',
    hooks: {
      STORAGE_PARTITION_IDENTIFY_READ: async () => {
        asked.push('changer');
        registry.unregister(second);
        registry.register(late);
        return undefined;
      },
    },
  });
  const second = defineInterceptor({
    name: 'second',
    hooks: { STORAGE_PARTITION_IDENTIFY_READ: () => void asked.push('second') as undefined },
  });
  registry.register(changer);
  registry.register(second);
  await registry.decide('STORAGE_PARTITION_IDENTIFY_READ', READ);
  t.deepEqual(asked, ['changer', 'second']);
  t.deepEqual(registry.describe('STORAGE_PARTITION_IDENTIFY_READ'), ['changer@0', 'late@0']);
});

test('INTERCEPTOR_REGISTERED fires once, for the interceptor itself only', (t) => {
  const fired: string[] = [];
  const named = (name: string): Interceptor => ({
    name,
    hooks: { INTERCEPTOR_REGISTERED: () => void fired.push(name) },
  });
  const { registry } = aRegistry(named('a'), named('b'));
  t.deepEqual(fired, ['a', 'b']);
  t.false(registry.has('INTERCEPTOR_REGISTERED'));
});

test('a throw in INTERCEPTOR_REGISTERED prevents the registration', (t) => {
  const { registry } = aRegistry();
  const hooks = { INTERCEPTOR_REGISTERED: refuse, SERVER_PROCESSING_COMPLETED: NOTHING };
  t.throws(() => registry.register({ name: 'shy', hooks }), { message: 'not here' });
  t.false(registry.has('SERVER_PROCESSING_COMPLETED'));
});

test('an asynchronous failure in INTERCEPTOR_REGISTERED is reported', async (t) => {
  const { swallowed } = aRegistry({
    name: 'late',
    hooks: { INTERCEPTOR_REGISTERED: () => Promise.reject(new Error('later')) },
  });
  await new Promise(setImmediate);
  t.deepEqual(swallowed, [['INTERCEPTOR_REGISTERED', 'late', 'later']]);
});

test("a plugin's pointcut is dispatched once it is defined, and only once defined", async (t) => {
  const { registry } = aRegistry();
  const priced = defineInterceptor({
    name: 'p',
    hooks: { ACME_INVOICE_PRICED: ({ invoice }) => invoice.length },
  });
  t.throws(() => registry.register(priced), { message: /unknown pointcut "ACME_INVOICE_PRICED"/ });
  const definition = { mode: 'decide', manual: 'Fires when an invoice needs a price.' } as const;
  registry.define('ACME_INVOICE_PRICED', definition);
  registry.register(priced);
  t.is(await registry.decide('ACME_INVOICE_PRICED', { invoice: 'four' }), 4);
  t.true(registry.pointcuts().includes('ACME_INVOICE_PRICED'));
  t.throws(() => registry.define('ACME_INVOICE_PRICED', definition), { message: /is defined already/ });
});

test('a pointcut of an unknown mode cannot be defined', (t) => {
  const { registry } = aRegistry();
  const filter = { mode: 'filter', manual: 'Fires around the work.' } as never;
  t.throws(() => registry.define('ACME_INVOICE_PRICED', filter), {
    message: 'Pointcut "ACME_INVOICE_PRICED" has the unknown mode "filter".',
  });
});
