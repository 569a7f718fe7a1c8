import test from 'ava';
import type { Resource } from '../../src/model/resource.js';
import { ancestors, descendants, toCodeSystem, type CodeSystem } from '../../src/terminology/code-system.js';
import { Libraries } from '../../src/terminology/library.js';
import { ShippedTerminology } from '../../src/terminology/shipped.js';
import { Terminology } from '../../src/terminology/terminology.js';
import { libraryOf, setOf, sourceOf, systemOf } from './fixtures.js';

const shipped = new ShippedTerminology();

test('every code system and value set of R4 ships, and can be read', (t) => {
  t.is(shipped.urls('CodeSystem').length, 1063);
  t.is(shipped.urls('ValueSet').length, 1317);
  const gender = shipped.find('ValueSet', 'http://hl7.org/fhir/ValueSet/administrative-gender');
  t.is(gender?.resourceType, 'ValueSet');
  t.is(gender?.['text'], undefined);
  t.is(shipped.find('CodeSystem', 'http://loinc.org'), undefined);
});

test('what R4 can list is listed whole: each value set expands, or names what it needs', async (t) => {
  const terminology = new Terminology(sourceOf());
  const refused: string[] = [];
  for (const url of shipped.urls('ValueSet')) {
    try {
      await terminology.codesIn(url);
    } catch (error) {
      refused.push(`${url}: ${(error as Error).message}`);
    }
  }
  t.true(refused.length < 110, refused.join('\n'));
  const unexplained = refused.filter(
    (text) =>
      !/needs the concepts of|is made of .* not at hand|in a part only|has no property "acme-plasma"/.test(
        text,
      ),
  );
  t.deepEqual(unexplained, []);
});

function versionOf(text: string, status = 'active'): Resource {
  return systemOf('urn:s', 'a', { version: text, status });
}

test('without a version the newest one counts, retired ones last, and what is stored goes first', async (t) => {
  const library = libraryOf(versionOf('2'), versionOf('10'), versionOf('9'), versionOf('11', 'retired'));
  t.is((await library.codeSystem({ url: 'urn:s', version: undefined }))?.version, '10');
  t.is((await library.codeSystem({ url: 'urn:s', version: '2' }))?.version, '2');
  t.is(await library.codeSystem({ url: 'urn:s', version: '3' }), undefined);
  const gender = 'http://hl7.org/fhir/administrative-gender';
  const own = libraryOf(systemOf(gender, 'a', { version: '0.1' }));
  t.is((await own.codeSystem({ url: gender, version: undefined }))?.version, '0.1');
  t.is((await own.codeSystem({ url: gender, version: '4.0.1' }))?.version, '4.0.1');
});

test('a library lasts until something is written', async (t) => {
  let revision = 1;
  const libraries = new Libraries({ ...sourceOf(), revision: async () => String(revision) });
  const first = await libraries.now();
  t.is(await libraries.now(), first);
  revision++;
  t.not(await libraries.now(), first);
});

test('a change of a value set changes what it holds', async (t) => {
  let codes = 'a';
  const source = {
    ...sourceOf(),
    find: async () => [setOf('urn:vs', [{ system: 'urn:s', concept: [{ code: codes }] }])],
    revision: async () => codes,
  };
  const terminology = new Terminology(source);
  t.deepEqual([...(await terminology.codesIn('urn:vs'))], [['urn:s', ['a']]]);
  codes = 'b';
  t.deepEqual([...(await terminology.codesIn('urn:vs'))], [['urn:s', ['b']]]);
});

function closureOf(system: CodeSystem, code: string, of: typeof ancestors): string {
  return [...of(system, system.concepts.get(code)!)].join(' ');
}

test('a hierarchy is the nesting together with parent, subsumedBy and child, and may have circles', (t) => {
  const system = toCodeSystem({
    resourceType: 'CodeSystem',
    url: 'urn:s',
    content: 'complete',
    property: [{ code: 'isa', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' }],
    concept: [
      { code: 'a', concept: [{ code: 'b' }] },
      { code: 'c', property: [{ code: 'subsumedBy', valueCode: 'b' }] },
      {
        code: 'd',
        property: [
          { code: 'isa', valueCode: 'c' },
          { code: 'child', valueCode: 'e' },
        ],
      },
      { code: 'e', property: [{ code: 'child', valueCode: 'a' }] },
    ],
  });
  t.is(closureOf(system, 'b', descendants), 'b c d e a');
  t.is(closureOf(system, 'b', ancestors), 'b a e d c');
});

function findIn(rest: object): string | undefined {
  return toCodeSystem(systemOf('urn:s', 'Abc', rest)).find('aBC')?.code;
}

test('case matters unless the code system says that it does not', (t) => {
  t.is(findIn({}), undefined);
  t.is(findIn({ caseSensitive: true }), undefined);
  t.is(findIn({ caseSensitive: false }), 'Abc');
});

test('what is malformed in a stored code system counts as left out', (t) => {
  const system = toCodeSystem({
    resourceType: 'CodeSystem',
    content: 5,
    property: 'x',
    concept: [null, 1, { code: 7 }, { code: 'a', property: [{}], designation: [{ value: 1 }], concept: {} }],
  });
  t.is(system.content, 'fragment');
  t.deepEqual([...system.concepts.keys()], ['a']);
});
