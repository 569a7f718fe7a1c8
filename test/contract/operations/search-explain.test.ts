import test from 'ava';
import type { Parameters } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

test.before(async () => {
  for (const tenant of ['acme', 'beta', 'DEFAULT']) {
    for (const id of ['a', 'b']) {
      const name = [{ family: 'Secretfamily' }];
      await client.tenant(tenant).put(`Patient/${id}`, { resourceType: 'Patient', id, name });
    }
  }
});

interface Explained {
  readonly partitions: readonly unknown[];
  readonly sql: string;
  readonly steps: readonly unknown[];
  readonly indexes: readonly unknown[];
  readonly matches: unknown;
  readonly total: unknown;
  readonly milliseconds: unknown;
}

async function explain(path: string): Promise<Explained> {
  const { status, body, text } = await client.get<Parameters>(path);
  if (status !== 200) throw new Error(text);
  const all = body.parameter ?? [];
  const part = all.find(({ name }) => name === 'statement')?.part ?? [];
  const texts = (name: string): readonly unknown[] =>
    [...all, ...part].filter((one) => one.name === name).map(({ valueString }) => valueString);
  const integer = (name: string): unknown => all.find((one) => one.name === name)?.valueInteger;
  return {
    partitions: texts('partition'),
    sql: String(texts('sql')[0]),
    steps: texts('step'),
    indexes: texts('index'),
    matches: integer('matches'),
    total: integer('total'),
    milliseconds: all.find(({ name }) => name === 'milliseconds')?.valueDecimal,
  };
}

test('_explain=true tells scope, SQL without values, steps, indexes, counts and time', async (t) => {
  const explained = await explain('Patient?family=secretfamily&_id=a&_explain=true');
  t.deepEqual(explained.partitions, ['DEFAULT']);
  t.regex(explained.sql, /HFJ_RESOURCE/i);
  t.notRegex(JSON.stringify([explained.sql, explained.steps]), /secretfamily/i);
  t.true(explained.steps.length > 0);
  t.true(explained.indexes.length > 0, JSON.stringify(explained.steps));
  t.is(explained.matches, 1);
  t.is(typeof explained.milliseconds, 'number');
});

test('$search-explain explains the search of a tenant, over several types too', async (t) => {
  const one = await explain(`$search-explain?tenant=acme&url=${encodeURIComponent('Patient?family=secret')}`);
  t.deepEqual(one.partitions, ['acme']);
  t.is(one.total, 2);
  const several = await explain(
    `$search-explain?tenant=beta&url=${encodeURIComponent('?_type=Patient,Group')}`,
  );
  t.is(several.matches, 2);
});

test('an index is named too where it is the key that a table is kept in', async (t) => {
  const { indexes, steps } = await explain('Patient?family=secretfamily&_explain=true');
  t.true(
    indexes.some((index) => /^(?:HFJ_SPIDX_STRING primary key|\w*string_key)$/i.test(String(index))),
    JSON.stringify([indexes, steps]),
  );
});

test('under a tenant nothing is explained', async (t) => {
  const acme = client.tenant('acme');
  assertError(t, await acme.get('Patient?_explain=true'), 403, 'FORBIDDEN');
  assertError(t, await acme.get('$search-explain?url=Patient'), 400, 'INVALID_PARTITION');
  assertError(t, await client.get('Patient?_explain=maybe'), 400, 'INVALID_REQUEST');
  assertError(t, await client.get('$search-explain?url=Patient/a'), 400, 'INVALID_REQUEST');
  assertError(t, await client.get('$search-explain?url=Patient%3Fnever=1'), 400, 'UNKNOWN_SEARCH_PARAMETER');
});
