import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import type { PartitionScope } from '../../src/model/partition.js';
import {
  openPage,
  pageKey,
  pageSecret,
  sealPage,
  type PageSeal,
  type PageState,
} from '../../src/search/page-token.js';
import { scopeOf } from '../storage/search/fixtures.js';

const state: PageState = {
  kind: 'search',
  place: { type: 'Patient', compartment: null },
  parameters: [['name', 'søren|x']],
  after: ['a', null, 7],
  asOf: 1,
  total: 41,
};
const sealAt = (time: number, secret = 'secret'): PageSeal => ({
  key: pageKey(secret),
  lifetime: 1000,
  now: () => time,
});
const allOf = (...ids: number[]): ReturnType<typeof scopeOf> => ({ ...scopeOf(...ids), all: true });
const withAccess = (digest: string): PartitionScope =>
  ({ ...scopeOf(1), access: { access: { digest }, instance: 'read' } }) as PartitionScope;

function codeOf(open: () => unknown): string {
  try {
    open();
  } catch (error) {
    if (error instanceof FhirError) return `${error.code} ${error.status}`;
    throw error;
  }
  return 'opened';
}

test('a page link gives back what was sealed, in the same scope', (t) => {
  const token = sealPage(state, scopeOf(1, 2), sealAt(0));
  t.regex(token, /^[\w-]+$/);
  t.deepEqual(openPage(token, scopeOf(2, 1), sealAt(1000)), state);
});

test('a page link is unknown in any other scope', (t) => {
  const token = sealPage(state, scopeOf(1, 2), sealAt(0));
  for (const scope of [scopeOf(1), scopeOf(3), scopeOf(1, 2, 3), scopeOf(1, 3), allOf(1, 2)]) {
    t.is(
      codeOf(() => openPage(token, scope, sealAt(0))),
      'UNKNOWN_PAGE_LINK 404',
    );
  }
});

test('a page of all partitions goes on when a partition is added, but not for one of them', (t) => {
  const token = sealPage(state, allOf(1, 2), sealAt(0));
  t.deepEqual(openPage(token, allOf(1, 2, 3), sealAt(0)), state);
  t.is(
    codeOf(() => openPage(token, scopeOf(1, 2), sealAt(0))),
    'UNKNOWN_PAGE_LINK 404',
  );
});

test('a page of some partitions is none of all of them', (t) => {
  const token = sealPage(state, scopeOf(1, 2), sealAt(0));
  t.is(
    codeOf(() => openPage(token, allOf(1, 2), sealAt(0))),
    'UNKNOWN_PAGE_LINK 404',
  );
});

test('a page link is for whoever may see the same as its maker', (t) => {
  const limited = sealPage(state, withAccess('one'), sealAt(0));
  t.deepEqual(openPage(limited, withAccess('one'), sealAt(0)), state);
  const open = sealPage(state, scopeOf(1), sealAt(0));
  for (const [token, scope] of [
    [limited, withAccess('another')],
    [limited, scopeOf(1)],
    [open, withAccess('one')],
  ] as const)
    t.is(
      codeOf(() => openPage(token, scope, sealAt(0))),
      'UNKNOWN_PAGE_LINK 404',
    );
});

test('a page link ends with its time', (t) => {
  const token = sealPage(state, scopeOf(1), sealAt(0));
  t.is(
    codeOf(() => openPage(token, scopeOf(1), sealAt(1001))),
    'UNKNOWN_PAGE_LINK 404',
  );
});

test('a page link that was altered anywhere is invalid', (t) => {
  const token = sealPage(state, scopeOf(1), sealAt(0));
  for (let index = 0; index < token.length; index++) {
    const other = token[index] === 'A' ? 'B' : 'A';
    const changed = token.slice(0, index) + other + token.slice(index + 1);
    t.is(
      codeOf(() => openPage(changed, scopeOf(1), sealAt(0))),
      'INVALID_PAGE_LINK 400',
      String(index),
    );
  }
});

test('a page link that was cut, lengthened, made up or sealed with another secret is invalid', (t) => {
  const token = sealPage(state, scopeOf(1), sealAt(0));
  const foreign = sealPage(state, scopeOf(1), sealAt(0, 'another secret'));
  for (const bad of [
    '',
    'x',
    token.slice(0, 16),
    token.slice(0, 36),
    'AAAA',
    token.slice(0, -1),
    token.slice(1),
    `${token}A`,
    `${token}=`,
    `${token}\n`,
    foreign,
  ]) {
    t.is(
      codeOf(() => openPage(bad, scopeOf(1), sealAt(0))),
      'INVALID_PAGE_LINK 400',
      bad,
    );
  }
});

test('nothing of a search can be read from its page link', (t) => {
  const token = sealPage(state, scopeOf(1), sealAt(0));
  t.false(Buffer.from(token, 'base64url').toString('latin1').includes('Patient'));
});

test('no two page links have the same nonce, of 96 bits', (t) => {
  const tokens = Array.from({ length: 1000 }, () => sealPage(state, scopeOf(1), sealAt(0)));
  t.is(new Set(tokens.map((token) => token.slice(0, 16))).size, tokens.length);
  const inside = { state, partitions: [1], all: false, expires: 1000 };
  for (const token of tokens)
    t.is(Buffer.from(token, 'base64url').length, 12 + Buffer.byteLength(JSON.stringify(inside)) + 16);
  t.notThrows(() => tokens.map((token) => openPage(token, scopeOf(1), sealAt(0))));
});

test('the secret is the one that is given, or one of 256 bits that the storage keeps', async (t) => {
  const kept: Record<string, string> = {};
  const storage = {
    setting: async (key: string, create: () => string) => (kept[key] ??= create()),
  };
  t.is(await pageSecret(storage, 'given'), 'given');
  t.deepEqual(kept, {});
  const secret = await pageSecret(storage, undefined);
  t.is(Buffer.from(secret, 'base64url').length, 32);
  t.is(await pageSecret(storage, undefined), secret);
});
