import test from 'ava';
import type { LimitedScope } from '../../src/storage/within-access.js';
import { withinAccess } from '../../src/storage/within-access.js';
import { deletion, limitsTo, MemoryStores, scopeWith, version } from './memory-stores.js';

const binary = (id: string, rowId: number, securityContext?: unknown) =>
  version(`Binary/${id}`, 1, { rowId, text: JSON.stringify({ resourceType: 'Binary', securityContext }) });
const of = (reference: unknown) => ({ reference });

const memory = new MemoryStores([
  version('Condition/mine', 1, { rowId: 1 }),
  version('Condition/theirs', 1, { rowId: 2 }),
  deletion('Condition/gone', 2, { rowId: 3 }),
  binary('free', 10),
  binary('null', 11, null),
  binary('mine', 12, of('Condition/mine')),
  binary('theirs', 13, of('Condition/theirs')),
  binary('gone', 14, of('Condition/gone')),
  binary('nobody', 15, of('Condition/nobody')),
  binary('elsewhere', 16, of('https://elsewhere.example/Condition/mine')),
  binary('number', 17, of(1)),
  binary('empty', 18, {}),
  binary('itself', 19, of('Binary/itself')),
  deletion('Binary/deleted', 2, { rowId: 20 }),
  binary('moved', 21, of('Condition/mine')),
  version('Binary/moved', 0, { rowId: 21, text: '{"securityContext":{"reference":"Condition/theirs"}}' }),
  version('Binary/moved', -1, { rowId: 21, text: '{"securityContext":{"reference":"Condition/mine"}}' }),
]);
const { resources } = withinAccess(memory, limitsTo('mine', 'moved'));

const IDS = [
  'free',
  'null',
  'mine',
  'theirs',
  'gone',
  'nobody',
  'elsewhere',
  'number',
  'empty',
  'itself',
  'deleted',
];

async function seen(
  scopes: string,
  instance?: LimitedScope['access']['instance'],
): Promise<readonly string[]> {
  const scope = scopeWith(scopes, instance);
  const found = await Promise.all(IDS.map((id) => resources.read(scope, 'Binary', id)));
  return found.flat().map(({ id }) => id);
}

test('a token of a patient reads Binaries whose context it may read', async (t) => {
  t.deepEqual(await seen('patient/*.rs'), ['mine']);
  t.deepEqual(await seen('patient/Binary.r patient/Condition.r'), ['mine']);
  t.deepEqual(await seen('patient/Binary.r'), []);
  t.deepEqual(await seen('patient/Condition.r'), []);
});

test('a token that reads all Binaries reads those without a context, and others by their context', async (t) => {
  t.deepEqual(await seen('system/Binary.r'), ['free', 'null']);
  t.deepEqual(await seen('system/Binary.r patient/Condition.r'), ['free', 'null', 'mine']);
  t.deepEqual(await seen('system/Binary.r system/Condition.r'), ['free', 'null', 'mine', 'theirs']);
});

test('a token that reads everything reads every Binary', async (t) => {
  t.deepEqual(await seen('system/*.r'), IDS);
});

test('criteria open no Binary, and take none away', async (t) => {
  t.deepEqual(await seen('system/Binary.r?_tag=x system/Condition.r'), []);
  t.deepEqual(await seen('patient/Binary.r?_tag=x system/Condition.r'), []);
  t.deepEqual(await seen('patient/Binary.r?_tag=x patient/Binary.r system/Condition.r'), ['mine', 'theirs']);
});

test('who changes a Binary may do so, and may read its context', async (t) => {
  t.deepEqual(await seen('patient/Binary.u patient/Condition.r', 'update'), ['mine']);
  t.deepEqual(await seen('patient/Binary.u patient/Condition.u', 'update'), []);
  t.deepEqual(await seen('patient/Binary.r patient/Condition.r', 'update'), []);
});

test('versions of a Binary are judged by the contexts that they had', async (t) => {
  const history = await resources.history(scopeWith('patient/*.rs'), {
    type: 'Binary',
    id: 'moved',
    count: 9,
  });
  t.deepEqual(
    history.map((one) => one.version),
    [1, -1],
  );
});

test('for those who read everything limits of Binaries are those of other types', async (t) => {
  const scope = scopeWith('system/*.r patient/Binary.u', 'update');
  t.is((await resources.read(scope, 'Binary', 'mine')).length, 1);
  t.is((await resources.read(scope, 'Binary', 'theirs')).length, 0);
});
