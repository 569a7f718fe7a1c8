import test from 'ava';
import { parseImplicit } from '../../src/terminology/implicit-value-set.js';
import { codesOf, libraryOf, setOf, systemOf } from './fixtures.js';

const animals = systemOf('http://x/animals', 'mammal mammal>dog mammal>cat bird', {
  version: '2',
  valueSet: 'http://x/vs/animals',
});

async function membersOf(url: string): Promise<readonly string[] | undefined> {
  const library = libraryOf(animals, setOf('http://x/vs/own', [{ system: 'http://x/animals' }]));
  const [base = '', version] = url.split('|');
  const valueSet = await library.valueSet({ url: base, version });
  return valueSet && (await codesOf(library, valueSet.resource)).map((code) => code.replace(/.*\|/, ''));
}

test('?fhir_vs is all codes of a code system, =isa/ those that a code subsumes', async (t) => {
  t.deepEqual(await membersOf('http://x/animals?fhir_vs'), ['mammal', 'dog', 'cat', 'bird']);
  t.deepEqual(await membersOf('http://x/animals?fhir_vs=isa/mammal'), ['mammal', 'dog', 'cat']);
  t.deepEqual(await membersOf('http://x/animals?fhir_vs|2'), ['mammal', 'dog', 'cat', 'bird']);
  t.is(await membersOf('http://x/animals?fhir_vs|1'), undefined);
  t.is(await membersOf('http://x/none?fhir_vs'), undefined);
});

test('a code system names the value set of all its codes', async (t) => {
  t.deepEqual(await membersOf('http://x/vs/animals'), ['mammal', 'dog', 'cat', 'bird']);
  t.deepEqual(await membersOf('http://x/vs/animals|2'), ['mammal', 'dog', 'cat', 'bird']);
  t.is(await membersOf('http://x/vs/animals|1'), undefined);
});

test('a value set that was written goes before an implicit one', async (t) => {
  const url = 'http://x/animals?fhir_vs';
  const own = setOf(url, [{ system: 'http://x/animals', concept: [{ code: 'bird' }] }]);
  const library = libraryOf(animals, own);
  const found = await library.valueSet({ url, version: undefined });
  t.deepEqual(await codesOf(library, found?.resource ?? { resourceType: 'ValueSet' }), [
    'http://x/animals|bird',
  ]);
});

test('what only one code system means is no implicit value set', (t) => {
  for (const url of [
    '?fhir_vs',
    'http://x',
    'http://x?fhir_vs=refset',
    'http://x?fhir_vs=ecl/a',
    'http://x?fhir_vs=isa/',
  ])
    t.is(parseImplicit(url), undefined, url);
});
