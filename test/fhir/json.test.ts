import test from 'ava';
import fc from 'fast-check';
import {
  DEFAULT_JSON_LIMITS,
  parseJson,
  parseStored,
  stringifyJson,
  stringifyPretty,
} from '../../src/fhir/json.js';
import {
  copyNumberTexts,
  hasNumberTexts,
  NUMBER_TEXTS,
  numberText,
} from '../../src/fhir/json/number-texts.js';
import { FhirError } from '../../src/model/errors.js';
import { fastest } from '../support/fastest.js';

test('numbers keep the text they came with', (t) => {
  const literals = [
    '1.00',
    '0.10',
    '1e2',
    '1.0E-5',
    '-0',
    '-0.0',
    '0.0',
    '123456789012345678901',
    '0.1234567890123456789',
  ];
  for (const literal of [
    ...literals,
    '0.0000001',
    '1E400'.slice(0, 3),
    '100',
    '-7',
    '72.5',
    '1.5e+3',
    '0.000001',
  ]) {
    const source = `{"a":{"value":${literal}},"b":[${literal},1]}`;
    t.is(stringifyJson(parseJson(source) as object), source);
    t.is(stringifyJson(parseStored(source) as object), source);
  }
});

test('numbers with a text are ordinary numbers', (t) => {
  const quantity = parseJson('{"value":1.00,"n":-0,"list":[1e2]}') as Record<string, unknown>;
  t.is(quantity.value, 1);
  t.true(Object.is(quantity.n, -0));
  t.is((quantity.list as number[])[0], 100);
  t.deepEqual(Object.keys(quantity), ['value', 'n', 'list']);
  t.is(numberText(quantity, 'value'), '1.00');
  t.is(numberText(quantity, 'toString'), undefined);
  t.is(numberText({ value: 2.5 }, 'value'), '2.5');
});

test('a document whose numbers JavaScript writes again carries no texts', (t) => {
  const value = parseJson('{"a":1,"b":[0.5,-12.25,123456789012345],"c":"1.00","d":"\\"1.00"}') as object;
  t.false(hasNumberTexts(value));
  t.deepEqual(Reflect.ownKeys(value), ['a', 'b', 'c', 'd']);
});

test('a spread copy keeps the number texts, a changed number loses its own', (t) => {
  const value = parseJson('{"q":{"value":1.00,"low":2.00},"n":3.0}') as {
    q: Record<string, unknown>;
    n: number;
  };
  t.is(stringifyJson({ ...value, x: 1 }), '{"q":{"value":1.00,"low":2.00},"n":3.0,"x":1}');
  t.is(stringifyJson({ ...value, q: { ...value.q, value: 5 } }), '{"q":{"value":5,"low":2.00},"n":3.0}');
  t.is(stringifyJson({ ...value, n: 3.5 }), '{"q":{"value":1.00,"low":2.00},"n":3.5}');
});

test('stringifyJson leaves the value as it was', (t) => {
  const value = Object.freeze(parseJson('{"a":[{"value":1.00}]}')) as { a: { value: number }[] };
  stringifyJson(value);
  t.is(value.a[0]?.value, 1);
});

test('a resource taken out of a bundle keeps its texts, and so does a bundle put together by hand', (t) => {
  const entry =
    '{"resourceType":"Observation","valueQuantity":{"value":1.10},"contained":[{"resourceType":"X","v":2.0}]}';
  const bundle = parseJson(
    `{"resourceType":"Bundle","entry":[{"resource":${entry}},{"resource":{"resourceType":"A"}}]}`,
  ) as {
    entry: { resource: object }[];
  };
  const { resource } = bundle.entry[0]!;
  t.is(stringifyJson(resource), entry);
  t.is(
    stringifyJson({ resourceType: 'Bundle', entry: [{ resource }] }),
    `{"resourceType":"Bundle","entry":[{"resource":${entry}}]}`,
  );
  const parameters = { resourceType: 'Parameters', parameter: [{ name: 'return', resource }] };
  t.true(stringifyJson(parameters).includes('1.10'));
  t.false(NUMBER_TEXTS in bundle.entry[1]!.resource);
});

test('copyNumberTexts hands texts to an object that was built anew', (t) => {
  const from = parseJson('{"value":1.00,"unit":"g"}') as { value: number };
  t.is(stringifyJson(copyNumberTexts(from, { value: from.value, unit: 'mg' })), '{"value":1.00,"unit":"mg"}');
  const plain = { value: 1 };
  t.is(copyNumberTexts({}, plain), plain);
});

test('stringifyPretty indents and keeps number texts', (t) => {
  t.is(stringifyPretty(parseJson('{"a":1.0}') as object), '{\n  "a": 1.0\n}');
});

test('parse and stringify give the source back, whatever the document', (t) => {
  const literal = fc.oneof(
    fc.double({ noDefaultInfinity: true, noNaN: true }).map((n) => `${n}`),
    fc.tuple(fc.integer(), fc.stringMatching(/^\d{1,20}$/)).map(([whole, part]) => `${whole}.${part}`),
    fc.tuple(fc.integer(), fc.integer({ min: -300, max: 290 })).map(([whole, power]) => `${whole}E${power}`),
    fc.stringMatching(/^-?[1-9]\d{0,30}$/),
  );
  const { document } = fc.letrec<{ document: string }>((tie) => ({
    document: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      literal,
      fc
        .string({ unit: 'grapheme' })
        .filter((s) => !s.includes('\u0000'))
        .map((s) => JSON.stringify(s)),
      fc.constantFrom('true', 'false', 'null'),
      fc.array(tie('document'), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
      fc
        .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z"\\:,\]}é]{1,6}$/), tie('document')), {
          maxLength: 5,
          selector: ([key]) => key,
        })
        .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
    ),
  }));
  fc.assert(
    fc.property(document, (inner) => {
      const source = `{"document":${inner}}`;
      t.is(stringifyJson(parseJson(Buffer.from(source)) as object), source);
      t.is(stringifyJson(parseStored(source) as object), source);
      t.deepEqual(JSON.parse(JSON.stringify(parseJson(source))), JSON.parse(source));
    }),
    { numRuns: 300 },
  );
});

test('white space between tokens changes nothing', (t) => {
  t.is(stringifyJson(parseJson(' {\r\n\t"a" : [ 1.0 , 2 ] }\n') as object), '{"a":[1.0,2]}');
});

const refused: readonly (readonly [source: string | Buffer, message: RegExp])[] = [
  ['', /no JSON document/],
  ['  \n', /no JSON document/],
  ['{"a":1} x', /Line 1, column 9: there is text after the end/],
  ['{"a":1,\n "b":2,\n "a":3}', /Line 3, column 2 \(a\): the member "a" is there twice/],
  ['{"a":{"b":[{},{"c":1,"\\u0063":2}]}}', /\(a\.b\[1\]\.c\): the member "c" is there twice/],
  ['{"a":{"x":1,"y":2},"a":{}}', /the member "a" is there twice/],
  ['{"a":1,}', /expected a member name/],
  ['{"a" 1}', /expected ':'/],
  ['{"a":1 "b":2}', /expected ',' or '}'/],
  ['[1 2]', /expected ',' or '\]'/],
  ['[1,]', /expected a value/],
  ['{"a":', /the document does not end/],
  ['{"a":"b', /a string does not end/],
  ['{"a":nul}', /expected a value/],
  ["{'a':1}", /expected a member name/],
  ['{1.00:2}', /expected a member name/],
  ['{1.00 :2}', /expected a member name/],
  ['{"a":01.00}', /"01\.00" is not a JSON number/],
  ['{"a":1.}', /"1\." is not a JSON number/],
  ['{"a":-}', /"-" is not a JSON number/],
  ['{"a":1.00.00}', /is not a JSON number/],
  ['{"a":1.00"b"}', /expected ',' or '}'/],
  ['{"a":1e400}', /\(a\): the number "1e400" is out of range/],
  ['{"a":-1e400}', /out of range/],
  [`{"a":${'9'.repeat(400)}}`, /out of range/],
  [`{"a":0.${'1'.repeat(1_000_000)}}`, /a number has more than 1000 characters/],
  ['{"a":"\\u0000"}', /NUL/],
  ['{"a":"x\u0000"}', /control character U\+0000/],
  ['{"a":"line\nbreak"}', /control character U\+000A/],
  ['{"a":"\\ud83d"}', /a surrogate stands alone/],
  ['{"a":"\\ude00\\ud83d"}', /a surrogate stands alone/],
  ['{"a":"\\ud83d\\u0041"}', /a surrogate stands alone/],
  ['{"a":"\ud83d"}', /lone surrogate/],
  ['{"a":"\\x41"}', /no known escape/],
  ['{"a":"\\u00g1"}', /four hexadecimal digits/],
  ['{"__proto__":{"x":1}}', /__proto__ is not allowed/],
  ['{"a":{"\\u005f_proto__":1}}', /__proto__ is not allowed/],
  ['\ufeff{}', /byte order mark/],
  [Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), /byte order mark/],
  [Buffer.from([0x22, 0xc3, 0x28, 0x22]), /not valid UTF-8/],
  [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /not valid UTF-8/],
  [`{"${'k'.repeat(257)}":1}`, /member name has more than 256/],
  [`{${Array.from({ length: 2001 }, (_, i) => `"k${i}":1`).join(',')}}`, /more than 2000 members/],
];

for (const [source, message] of refused) {
  test(`refused with ${message}: ${typeof source} ${JSON.stringify(source.toString()).slice(0, 50)}`, (t) => {
    const error = t.throws(() => parseJson(source), { instanceOf: FhirError });
    t.is(error.code, 'MALFORMED_JSON');
    t.is(error.status, 400);
    t.regex(error.message, message);
  });
}

test('a surrogate pair written as escapes is read', (t) => {
  t.deepEqual(parseJson('{"a":"\\ud83d\\ude00 \\u00e9"}'), { a: '😀 é' });
});

test('the depth limit counts nested objects and arrays, and nothing else', (t) => {
  t.notThrows(() => parseJson(nested(64)));
  t.throws(() => parseJson(nested(65)), { message: /nested deeper than 64 levels/ });
  t.notThrows(() => parseJson('{"a":"[[[["}', { ...DEFAULT_JSON_LIMITS, maxDepth: 1 }));
  t.notThrows(() => parseJson(`[${'{},'.repeat(100)}[]]`, { ...DEFAULT_JSON_LIMITS, maxDepth: 2 }));
  t.throws(() => parseJson('[[]]', { ...DEFAULT_JSON_LIMITS, maxDepth: 1 }), {
    message: /deeper than 1 levels/,
  });
});

test('the other limits are those that are given', (t) => {
  const limits = { ...DEFAULT_JSON_LIMITS, maxValues: 6, maxMembers: 2, maxKeyLength: 3, maxNumberLength: 4 };
  t.notThrows(() => parseJson('{"abc":1234,"b":[1,2,{}]}', limits));
  t.throws(() => parseJson('{"abc":1234,"b":[1,2,{},{}]}', limits), {
    message: /more than 6 members and items/,
  });
  t.throws(() => parseJson('{"a":1,"b":2,"c":3}', limits), { message: /more than 2 members/ });
  t.throws(() => parseJson('{"abcd":1}', limits), { message: /more than 3 characters/ });
  t.throws(() => parseJson('[12345]', limits), { message: /more than 4 characters/ });
});

test('a fault far behind in a large document is refused without a place, and soon', (t) => {
  const error = t.throws(() => parseJson(`[${'"x",'.repeat(400_000)}}`), { instanceOf: FhirError });
  t.regex(error.message, /after the first 1048576 characters/);
});

test('ten megabytes of hostile input are refused at once', (t) => {
  for (const source of [
    '['.repeat(1e7),
    '{"a":'.repeat(2e6),
    `{"${'k'.repeat(1e7)}":1}`,
    `[${'9'.repeat(1e7)}]`,
  ]) {
    const bytes = Buffer.from(source);
    const refuse = (): unknown => t.throws(() => parseJson(bytes), { instanceOf: FhirError });
    t.true(fastest(refuse, 1000) < 1000);
  }
});

test('whatever JSON.parse refuses is refused with a place, and nothing is changed that it accepts', (t) => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '1.0',
    '-',
    '2e1',
    'true',
    'null',
    ' ',
    '"',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
      const source = tokens.join('');
      const expected = outcome(() => JSON.parse(source) as unknown);
      const actual = outcome(() => parseJson(source));
      if (expected.kind === 'error') t.regex(String(actual.value), /Line \d+, column \d+/);
      else if (actual.kind === 'value')
        t.deepEqual(JSON.stringify(actual.value), JSON.stringify(expected.value));
      else t.regex(String(actual.value), /there twice/);
    }),
    { numRuns: 3000 },
  );
});

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

function outcome(run: () => unknown): { kind: 'value' | 'error'; value: unknown } {
  try {
    return { kind: 'value', value: run() };
  } catch (error) {
    return { kind: 'error', value: error };
  }
}

test('nothing pollutes Object.prototype', (t) => {
  t.throws(() => parseJson('{"a":{"__proto__":{"polluted":1.00}}}'));
  parseJson('{"constructor":{"prototype":{"polluted":1.00}}}');
  parseStored('{"toString":1.00,"valueOf":2.0}');
  t.deepEqual(Reflect.ownKeys({}), []);
  t.is(({} as Record<string, unknown>).polluted, undefined);
});
