import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import type { PartitionScope } from '../../src/model/partition.js';
import type { CodeLookup } from '../../src/search/code-lists.js';
import { parseSearch } from '../../src/search/parse.js';
import { resolveSearch } from '../../src/search/resolve.js';
import type { SearchStore } from '../../src/storage/search-store.js';
import { context } from './fixtures.js';

/** Value sets `urn:vs:3` of three codes; `urn:vs:1x33` has one in each of 33 systems. */
const codes: CodeLookup = {
  codesIn: async (reference) => {
    const [, count = '0', systems = '1'] = /^urn:vs:(\d+)(?:x(\d+))?$/.exec(reference) ?? [];
    if (count === '0') throw new FhirError('UNKNOWN_VALUE_SET', `There is no ${reference}.`);
    const list = Array.from({ length: Number(count) }, (_, index) => `c${index}`);
    return new Map(Array.from({ length: Number(systems) }, (_, index) => [`urn:s${index}`, list]));
  },
  related: async (direction, _, code) => [code, direction],
};
const limits = { maxCodes: 35, maxValues: 30 };

async function valuesOf(type: string, ...queries: readonly (readonly [string, string])[]): Promise<unknown> {
  const { criteria } = await resolveSearch(parseSearch(type, queries, context), {
    codes,
    limits,
    store: {} as SearchStore,
    scope: {} as PartitionScope,
    definitions: {} as PartitionScope,
  });
  return criteria.map((criterion) => (criterion.kind === 'values' ? criterion.values : criterion.kind));
}

const list = (system: string | null, ...found: string[]): object => ({
  kind: 'token-list',
  system,
  codes: found,
});

test('the codes of all value sets and concepts of a parameter are one list for each system', async (t) => {
  t.deepEqual(await valuesOf('Observation', ['code:in', 'urn:vs:2,urn:vs:3']), [
    [list('urn:s0', 'c0', 'c1', 'c2')],
  ]);
  t.deepEqual(await valuesOf('Observation', ['code:below', 'urn:s0|x,urn:s1|y']), [
    [list('urn:s0', 'x', 'below'), list('urn:s1', 'y', 'below')],
  ]);
  t.deepEqual(await valuesOf('Observation', ['code', 'a']), [
    [{ kind: 'token', system: undefined, code: 'a' }],
  ]);
});

test('an element of type code may have no system', async (t) => {
  t.deepEqual(await valuesOf('Task', ['intent:in', 'urn:vs:1x2']), [
    [list('urn:s0', 'c0'), list('urn:s1', 'c0'), list(null, 'c0')],
  ]);
});

test('all codes of a search are counted together, the systems of each parameter by themselves', async (t) => {
  await t.notThrowsAsync(valuesOf('Observation', ['code:in', 'urn:vs:17'], ['code:not-in', 'urn:vs:17']));
  await t.throwsAsync(valuesOf('Observation', ['code:in', 'urn:vs:19'], ['code:not-in', 'urn:vs:17']), {
    code: 'LIMIT_EXCEEDED',
    message: /"code:not-in": The search stands for more than 35 codes/,
  });
  await t.throwsAsync(valuesOf('Observation', ['code:in', 'urn:vs:1x33']), {
    code: 'LIMIT_EXCEEDED',
    message: /more than 30 code systems/,
  });
});

test('what can’t be looked up names the parameter', async (t) => {
  await t.throwsAsync(valuesOf('Observation', ['subject:Patient.gender:in', 'urn:vs:none']), {
    code: 'INVALID_SEARCH',
    message: 'Search parameter "subject:Patient.gender:in": There is no urn:vs:none.',
  });
});
