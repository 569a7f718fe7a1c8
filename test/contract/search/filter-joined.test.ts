import test from 'ava';
import fc from 'fast-check';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { FILTERS } from './filter-cases.js';
import { find, loadFilterWorld } from './filter-world.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());
test.before(() => loadFilterWorld(client));

/** A filter over patients, and who passes it. */
interface Meant {
  readonly text: string;
  readonly passes: ReadonlySet<string>;
}

const PATIENTS = ['nobody', 'peter', 'petra', 'sam'];
const LEAVES: readonly Meant[] = FILTERS.filter(([type]) => type === 'Patient')
  .filter(([, filter]) => !/ and | or /.test(filter))
  .map(([, text, ids]) => ({ text, passes: new Set(ids === '' ? [] : ids.split(',')) }));

const meant = fc.letrec<{
  readonly tree: Meant;
  readonly leaf: Meant;
  readonly joined: Meant;
  readonly not: Meant;
}>((tie) => ({
  leaf: fc.constantFrom(...LEAVES),
  not: tie('tree').map(({ text, passes }) => ({
    text: `not (${text})`,
    passes: new Set(PATIENTS.filter((id) => !passes.has(id))),
  })),
  joined: fc
    .tuple(
      tie('tree'),
      fc.array(fc.tuple(fc.constantFrom('and', 'or'), tie('tree')), { minLength: 1, maxLength: 3 }),
    )
    .map(([first, rest]) =>
      rest.reduce(
        (left, [word, { text, passes }]) => ({
          text: `${left.text} ${word} (${text})`,
          passes: new Set(
            PATIENTS.filter((id) =>
              word === 'and' ? left.passes.has(id) && passes.has(id) : left.passes.has(id) || passes.has(id),
            ),
          ),
        }),
        { text: `(${first.text})`, passes: first.passes },
      ),
    ),
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('leaf'), tie('not'), tie('joined')),
}));

test('whatever stands between them, filters find what their parts say, from left to right', async (t) => {
  const property = fc.asyncProperty(meant.joined, async ({ text, passes }) => {
    if ((await find(client.tenant('acme'), 'Patient', text)) !== [...passes].toSorted().join())
      throw new Error(text);
  });
  await t.notThrowsAsync(fc.assert(property, { numRuns: 100 }));
});
