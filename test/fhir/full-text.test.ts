import test from 'ava';
import { extractIndexValues } from '../../src/fhir/extract.js';
import { extractText } from '../../src/fhir/full-text.js';
import { narrativeText } from '../../src/fhir/narrative-text.js';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import { textWords } from '../../src/fhir/text-words.js';

const WORDS: Readonly<Record<string, readonly string[]>> = {
  'Bone Scan, 2024-05': ['bone', 'scan', '2024', '05'],
  'Renée MÜLLER': ['renee', 'muller'],
  'Rene\u0301e': ['renee'],
  İstanbul: ['istanbul'],
  'ﬁne １２': ['fine', '12'],
  ΜΕΛΈΤΗ: ['μελετη'],
  हिन्दी: ['हिन्दी'],
  '東京 clinic': ['東', '京', 'clinic'],
  a東b: ['a', '東', 'b'],
  '': [],
  '-- !': [],
  '@x:y\'z"\u0000\f': ['x', 'y', 'z'],
};

for (const [text, words] of Object.entries(WORDS)) {
  test(`the words of ${JSON.stringify(text)} are ${words.join(' ')}`, (t) => {
    t.deepEqual(textWords(text), words);
  });
}

test('of a long word the beginning counts, and no half of a character', (t) => {
  t.deepEqual(textWords('x'.repeat(100)), ['x'.repeat(64)]);
  const [word = ''] = textWords(`x${'\u{10428}'.repeat(60)}`);
  t.is(word.length, 63);
  t.true(word.isWellFormed());
});

const NARRATIVES: Readonly<Record<string, string>> = {
  '<div><p>One</p><p>two</p></div>': 'One two',
  '<p title="hidden">a<br/>b</p><!-- c <b> -->d': 'a b d',
  'x &amp; y &lt;z&gt; &#65;&#x42; Caf&eacute;&nbsp;&unknown;!': 'x & y <z> AB Cafe !',
  'open <p': 'open',
  '<!-- never closed': '',
};

for (const [xhtml, text] of Object.entries(NARRATIVES)) {
  test(`people read ${JSON.stringify(text)} in ${xhtml}`, (t) => {
    t.is(narrativeText(xhtml).replaceAll(/\s+/g, ' ').trim(), text);
  });
}

test('hostile narratives are read in one pass', (t) => {
  for (const piece of ['<', '<!--', '&', '<!-- -->', '&#'])
    t.is(typeof narrativeText(piece.repeat(200_000)), 'string');
});

test('strings that people read are words, whatever holds them, and nothing else is', (t) => {
  const text = extractText({
    resourceType: 'Observation',
    id: 'hidden1',
    meta: { tag: [{ display: 'hidden2' }] },
    text: { status: 'generated', div: '<div>told</div>' },
    contained: [{ resourceType: 'Device', id: 'hidden3', manufacturer: 'Maker' }],
    extension: [{ url: 'urn:hidden4', valueString: 'Extra', valueCode: 'hidden5' }],
    status: 'final',
    code: { coding: [{ system: 'urn:hidden6', code: 'hidden7', display: 'Shown' }], text: 'Named' },
    subject: { reference: 'Patient/hidden8', display: 'Somebody', identifier: { value: 'MRN7' } },
    effectiveDateTime: '2024',
    note: [{ text: 'Noted *here*', time: '2025' }],
    component: [{ code: { text: 'Inner' }, valueString: 'Deep' }],
  });
  t.deepEqual(text?.narrative, ['told']);
  t.deepEqual(
    text?.content.filter((word) => word !== ''),
    ['maker', 'extra', 'shown', 'named', 'somebody', 'mrn7', 'noted', 'here', 'inner', 'deep'],
  );
});

test('values of the wrong shape have no words', (t) => {
  t.is(
    extractText({ resourceType: 'Patient', text: 'x', name: [1, null, 'x', { family: 7 }] } as never),
    null,
  );
});

test('words are counted up to a limit', (t) => {
  const family = 'many words '.repeat(10_000);
  t.is(extractText({ resourceType: 'Patient', name: [{ family }, { family }] })?.content.length, 8_000);
});

test('nothing is collected where full text is off', (t) => {
  const patient = { resourceType: 'Patient', name: [{ family: 'x' }] };
  t.deepEqual(extractIndexValues(patient, createSearchParameterRegistry()).texts, []);
  t.is(extractIndexValues(patient, createSearchParameterRegistry('on')).texts.length, 1);
});
