import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import type { Resource } from '../../src/model/resource.js';
import { codesOf, libraryOf, setOf, systemOf } from './fixtures.js';

const TREE = systemOf('urn:s', 'root root>left root>right left+right>leaf alone', {
  property: [{ code: 'color', type: 'string' }],
});
const library = libraryOf(
  TREE,
  systemOf('urn:t', 'x y z'),
  setOf('urn:vs:left', [{ system: 'urn:s', filter: [{ property: 'concept', op: 'is-a', value: 'left' }] }]),
  setOf('urn:vs:right', [{ system: 'urn:s', filter: [{ property: 'concept', op: 'is-a', value: 'right' }] }]),
  setOf('urn:vs:mixed', [
    { system: 'urn:s', concept: [{ code: 'alone' }, { code: 'leaf' }] },
    { system: 'urn:t' },
  ]),
  setOf('urn:vs:one', [{ valueSet: ['urn:vs:two'] }]),
  setOf('urn:vs:two', [{ valueSet: ['urn:vs:one'] }]),
);

const filtered = (op: string, value: string, property = 'concept'): Resource =>
  setOf('urn:vs', [{ system: 'urn:s', filter: [{ property, op, value }] }]);

async function refusal(resource: Resource, given = library): Promise<string> {
  try {
    await codesOf(given, resource);
    return 'nothing was refused';
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    return `${error.code} ${error.status}: ${error.message}`;
  }
}

const FILTERS: readonly [op: string, value: string, codes: string, property?: string][] = [
  ['is-a', 'left', 'left leaf'],
  ['descendent-of', 'root', 'left right leaf'],
  ['is-not-a', 'left', 'root right alone'],
  ['generalizes', 'leaf', 'root left right leaf'],
  ['=', 'left', 'left'],
  ['in', 'left, alone', 'left alone'],
  ['not-in', 'left,alone', 'root right leaf'],
  ['regex', 'l.*', 'left leaf'],
  ['regex', 'The (left|right)', 'left right', 'display'],
  ['=', 'right', 'leaf', 'parent'],
  ['exists', 'false', 'root alone', 'parent'],
  ['exists', 'true', 'root left right', 'child'],
  ['exists', 'true', '', 'color'],
];

for (const [op, value, codes, property] of FILTERS) {
  test(`the filter ${property ?? 'concept'} ${op} ${value} gives: ${codes || 'nothing'}`, async (t) => {
    const expected = codes
      .split(' ')
      .filter(Boolean)
      .map((code) => `s|${code}`);
    t.deepEqual(await codesOf(library, filtered(op, value, property)), expected);
  });
}

test('includes add up, filters and value sets within one include all hold, excludes take away', async (t) => {
  const both = {
    system: 'urn:s',
    filter: [
      { property: 'concept', op: 'is-a', value: 'left' },
      { property: 'concept', op: 'is-a', value: 'right' },
    ],
  };
  t.deepEqual(await codesOf(library, setOf('urn:vs', [both])), ['s|leaf']);
  t.deepEqual(await codesOf(library, setOf('urn:vs', [{ valueSet: ['urn:vs:left', 'urn:vs:right'] }])), [
    's|leaf',
  ]);
  t.deepEqual(await codesOf(library, setOf('urn:vs', [{ valueSet: ['urn:vs:left'] }, { system: 'urn:t' }])), [
    's|left',
    's|leaf',
    't|x',
    't|y',
    't|z',
  ]);
  t.deepEqual(await codesOf(library, setOf('urn:vs', [{ system: 'urn:t', valueSet: ['urn:vs:mixed'] }])), [
    't|x',
    't|y',
    't|z',
  ]);
  const listed = {
    system: 'urn:s',
    concept: [{ code: 'left' }, { code: 'leaf' }],
    valueSet: ['urn:vs:mixed'],
  };
  t.deepEqual(await codesOf(library, setOf('urn:vs', [listed])), ['s|leaf']);
  const exclude = [{ system: 'urn:s', concept: [{ code: 'leaf' }] }, { system: 'urn:t' }];
  t.deepEqual(await codesOf(library, setOf('urn:vs', [{ valueSet: ['urn:vs:mixed'] }], { exclude })), [
    's|alone',
  ]);
});

test('a whole system within a value set, and one that is excluded whole, need not be known', async (t) => {
  const listed = [
    { system: 'urn:absent', concept: [{ code: '1' }] },
    { system: 'urn:other', concept: [{ code: '2' }] },
  ];
  const given = libraryOf(setOf('urn:vs:listed', listed));
  t.deepEqual(
    await codesOf(given, setOf('urn:vs', [{ system: 'urn:absent', valueSet: ['urn:vs:listed'] }])),
    ['absent|1'],
  );
  t.deepEqual(await codesOf(given, setOf('urn:vs', listed, { exclude: [{ system: 'urn:absent' }] })), [
    'other|2',
  ]);
});

test('contained value sets and code systems are part of the definition', async (t) => {
  const contained = [
    { ...setOf('', [{ system: '#cs', concept: [{ code: 'in' }] }]), id: 'inner' },
    { ...systemOf('urn:contained', 'in out'), id: 'cs' },
  ];
  const outer = setOf('urn:vs', [{ valueSet: ['#inner'] }], {}, { contained });
  t.deepEqual(await codesOf(library, outer), ['#cs|in']);
  t.regex(await refusal(setOf('urn:vs', [{ valueSet: ['#none'] }])), /contains no value set #none/);
});

test('concepts out of use are left out where the definition says so', async (t) => {
  const given = libraryOf(
    systemOf('urn:s', 'new', {
      concept: [{ code: 'new' }, { code: 'old', property: [{ code: 'status', valueCode: 'retired' }] }],
    }),
  );
  t.deepEqual(await codesOf(given, setOf('urn:vs', [{ system: 'urn:s' }])), ['s|new', 's|old']);
  t.deepEqual(await codesOf(given, setOf('urn:vs', [{ system: 'urn:s' }], { inactive: false })), ['s|new']);
});

const REFUSED: readonly (readonly [title: string, resource: Resource, words: RegExp])[] = [
  ['a circle', setOf('urn:vs', [{ valueSet: ['urn:vs:one'] }]), /INVALID_VALUE_SET 422.*made of itself/],
  [
    'an absent value set',
    setOf('urn:vs', [{ valueSet: ['urn:vs:none'] }]),
    /UNKNOWN_VALUE_SET 422.*made of urn:vs:none/,
  ],
  [
    'an absent code system',
    setOf('urn:vs', [{ system: 'urn:none' }]),
    /UNKNOWN_CODE_SYSTEM 422.*urn:none, which is not at hand/,
  ],
  [
    'a system of which the name is known',
    setOf('urn:vs', [{ system: 'http://snomed.info/sct' }]),
    /the name only/,
  ],
  ['an unknown operator', filtered('like', 'x'), /operator "like" is none of/],
  ['a property that the system has not', filtered('=', 'x', 'weight'), /no property "weight"/],
  ['a concept that the system has not', filtered('is-a', 'none'), /no concept "none"/],
  ['a pattern that may be slow', filtered('regex', String.raw`(a)\1`), /pattern .* is refused/],
  ['no compose', { resourceType: 'ValueSet', url: 'urn:vs' }, /neither compose nor expansion/],
  ['no include', setOf('urn:vs', []), /compose.include is missing/],
  ['an include of nothing', setOf('urn:vs', [{}]), /neither system nor valueSet/],
  [
    'concepts and filters',
    setOf('urn:vs', [
      { system: 'urn:s', concept: [{ code: 'x' }], filter: [{ property: 'code', op: '=', value: 'x' }] },
    ]),
    /both concepts and filters/,
  ],
  ...['concept', 'filter', 'valueSet'].map(
    (element) =>
      [
        `a broken list of ${element}`,
        setOf('urn:vs', [{ system: 'urn:s', [element]: 'x' }]),
        new RegExp(`${element} in a part of compose is no list`),
      ] as const,
  ),
  [
    'a broken filter',
    setOf('urn:vs', [{ system: 'urn:s', filter: [{ op: '=' }] }]),
    /needs property, op and value/,
  ],
  [
    'a supplement that is demanded',
    setOf(
      'urn:vs',
      [{ system: 'urn:s' }],
      {},
      {
        extension: [
          { url: 'http://hl7.org/fhir/StructureDefinition/valueset-supplement', valueCanonical: 'urn:x' },
        ],
      },
    ),
    /needs the supplement urn:x, which is not at hand/,
  ],
];

for (const [title, resource, words] of REFUSED) {
  test(`refused with what is wrong: ${title}`, async (t) => {
    t.regex(await refusal(resource), words);
  });
}

test('value sets that share their parts are worked out once, not once for each way to them', async (t) => {
  const levels = Array.from({ length: 25 }, (_, level) =>
    setOf(`urn:level:${level}`, [
      { valueSet: [`urn:level:${level + 1}`] },
      { valueSet: [`urn:level:${level + 1}`] },
    ]),
  );
  const given = libraryOf(systemOf('urn:t', 'x'), ...levels, setOf('urn:level:25', [{ system: 'urn:t' }]));
  t.deepEqual(await codesOf(given, setOf('urn:vs', [{ valueSet: ['urn:level:0'] }])), ['t|x']);
});

test('a value set that is there as an expansion only holds what that lists, if it is whole', async (t) => {
  const contains = [
    { system: 'urn:a', code: '1', contains: [{ system: 'urn:b', code: '2' }] },
    { system: 'urn:a', code: 'group', abstract: true, contains: [{ system: 'urn:a', code: '3' }] },
  ];
  const expanded = (rest: object): Resource => ({
    resourceType: 'ValueSet',
    url: 'urn:vs',
    expansion: { timestamp: '2020', contains, ...rest },
  });
  t.deepEqual(await codesOf(library, expanded({ total: 4 })), ['a|1', 'a|3', 'b|2']);
  t.regex(await refusal(expanded({ total: 5 })), /a page of the whole/);
  t.regex(await refusal(expanded({ offset: 3 })), /a page of the whole/);
});

test('one code beside failing parts is looked for once in each part', async (t) => {
  const levels = Array.from({ length: 25 }, (_, level) =>
    setOf(`urn:level:${level}`, [
      { valueSet: [`urn:level:${level + 1}`] },
      { valueSet: [`urn:level:${level + 1}`] },
    ]),
  );
  const given = libraryOf(...levels, setOf('urn:level:25', [{ system: 'urn:none' }]));
  const only = { system: 'urn:none', code: 'x' };
  await t.throwsAsync(codesOf(given, setOf('urn:vs', [{ valueSet: ['urn:level:0'] }]), { only }), {
    message: /needs the concepts of urn:none/,
  });
});

test('too many codes, too much work and too deep a definition are refused', async (t) => {
  const many = Array.from({ length: 50_001 }, (_, code) => ({ code: `c${code}` }));
  const given = libraryOf(
    systemOf('urn:s', '', { concept: many }),
    ...Array.from({ length: 40 }, (_, level) =>
      setOf(`urn:deep:${level}`, [{ valueSet: [`urn:deep:${level + 1}`] }]),
    ),
  );
  t.regex(
    await refusal(setOf('urn:vs', [{ system: 'urn:s' }]), given),
    /TOO_COSTLY 422.*more than 50000 codes/,
  );
  t.regex(await refusal(filtered('regex', 'a'.repeat(100), 'code'), given), /TOO_COSTLY 422.*too many codes/);
  t.regex(await refusal(setOf('urn:vs', [{ valueSet: ['urn:deep:0'] }]), given), /more than 30 deep/);
});

test('one code is looked for without listing the others, and found beside what can’t be listed', async (t) => {
  const both = setOf('urn:vs', [
    { system: 'urn:none' },
    { system: 'urn:s', filter: [{ property: 'concept', op: 'is-a', value: 'left' }] },
  ]);
  t.deepEqual(await codesOf(library, both, { only: { system: 'urn:s', code: 'leaf' } }), ['s|leaf']);
  t.deepEqual(await codesOf(library, both, { only: { system: 'urn:s', code: 'right' } }), []);
  await t.throwsAsync(codesOf(library, both, { only: { system: 'urn:none', code: '1' } }), {
    message: /needs the concepts of urn:none/,
  });
});
