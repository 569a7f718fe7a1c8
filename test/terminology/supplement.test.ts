import test from 'ava';
import { displayOf } from '../../src/terminology/expansion.js';
import { codesOf, libraryOf, setOf, systemOf } from './fixtures.js';

const base = systemOf('urn:s', 'a a>b', { version: '1', property: [{ code: 'colour', type: 'code' }] });

function supplementOf(url: string, display: string, rest: object = {}): ReturnType<typeof systemOf> {
  const concept = [
    {
      code: 'a',
      display,
      designation: [{ language: 'de', value: `Das ${display}` }],
      property: [{ code: 'colour', valueCode: 'red' }],
    },
    { code: 'strange', display: 'Of no concept' },
  ];
  return systemOf(url, '', { content: 'supplement', supplements: 'urn:s', concept, ...rest });
}

async function namesOf(library: ReturnType<typeof libraryOf>, code: string): Promise<readonly string[]> {
  const concept = (await library.codeSystem({ url: 'urn:s', version: undefined }))?.find(code);
  return concept?.supplemented?.designations.map(({ value }) => value) ?? [];
}

test('a supplement adds names and properties to the concepts that there are, and no concepts', async (t) => {
  const library = libraryOf(base, supplementOf('urn:more', 'A'));
  const system = await library.codeSystem({ url: 'urn:s', version: undefined });
  const concept = system?.find('a');
  t.is(concept?.display, 'The a');
  t.deepEqual(await namesOf(library, 'a'), ['A', 'Das A']);
  t.deepEqual(concept?.supplemented?.properties, [{ code: 'colour', kind: 'Code', value: 'red' }]);
  t.is(displayOf({ display: concept?.display, designations: [], concept }, 'de-CH'), 'Das A');
  t.is(system?.find('strange'), undefined);
  t.deepEqual(system?.supplements, ['urn:more']);
  t.deepEqual(await namesOf(library, 'b'), []);
});

test('several supplements add up; of one the newest version counts, a retired one never', async (t) => {
  const library = libraryOf(
    base,
    supplementOf('urn:more', 'Old', { version: '1' }),
    supplementOf('urn:more', 'New', { version: '2' }),
    supplementOf('urn:other', 'Other', { version: '1' }),
    supplementOf('urn:past', 'Past', { status: 'retired' }),
  );
  t.deepEqual((await namesOf(library, 'a')).toSorted(), ['Das New', 'Das Other', 'New', 'Other']);
});

test('a supplement of another version of the code system is left out, and so is what is no supplement', async (t) => {
  t.deepEqual(
    await namesOf(libraryOf(base, supplementOf('urn:x', 'X', { supplements: 'urn:s|2' })), 'a'),
    [],
  );
  t.deepEqual(
    (await namesOf(libraryOf(base, supplementOf('urn:x', 'X', { supplements: 'urn:s|1' })), 'a')).length,
    2,
  );
  t.deepEqual(await namesOf(libraryOf(base, supplementOf('urn:x', 'X', { content: 'complete' })), 'a'), []);
});

test('what a supplement says decides nothing of what a value set holds', async (t) => {
  const library = libraryOf(base, supplementOf('urn:more', 'A'));
  const filter = [{ property: 'colour', op: '=', value: 'red' }];
  t.deepEqual(await codesOf(library, setOf('urn:vs', [{ system: 'urn:s', filter }])), []);
});

test('a value set that demands a supplement is expanded where it is at hand', async (t) => {
  const library = libraryOf(base, supplementOf('urn:more', 'A'));
  const url = 'http://hl7.org/fhir/StructureDefinition/valueset-supplement';
  const demanding = (valueCanonical: string): ReturnType<typeof setOf> =>
    setOf('urn:vs', [{ system: 'urn:s' }], {}, { extension: [{ url, valueCanonical }] });
  t.deepEqual(await codesOf(library, demanding('urn:more')), ['s|a', 's|b']);
  await t.throwsAsync(codesOf(library, demanding('urn:s')), { message: /needs the supplement urn:s/ });
});
