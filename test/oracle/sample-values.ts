/** Values of datatypes that samples are made of: few, so that searches match, and awkward, so that they may fail. */

const UCUM = 'http://unitsofmeasure.org';

const CODINGS = [
  { system: 'urn:codes', code: 'a', display: 'Âpple pie' },
  { system: 'urn:codes', code: 'b' },
  { system: 'urn:other', code: 'a' },
  { code: 'a' },
  { system: 'urn:pipe|codes', code: 'c,d$e\\f', display: 'b|c' },
  { system: 'urn:other' },
  { display: 'Only words' },
];

const QUANTITIES = [
  { value: 5.4, unit: 'mg', system: UCUM, code: 'mg' },
  { value: 0.0054, unit: 'g', system: UCUM, code: 'g' },
  { value: 5400, unit: 'µg', system: UCUM, code: 'ug' },
  { value: 5.45, unit: 'mg', system: UCUM, code: 'mg' },
  { value: 5.35, unit: 'mg', system: UCUM, code: 'mg' },
  { value: -5.4, unit: 'mg', system: UCUM, code: 'mg' },
  { value: 7.4, unit: 'pH', system: UCUM, code: '[pH]' },
  { value: 50, unit: '%', system: UCUM, code: '%' },
  { value: 5.4, unit: 'mg' },
  { value: 5.4 },
  { value: 100, unit: 'tablet', system: 'urn:forms', code: 'TAB' },
];

const MOMENTS = [
  '2020',
  '2020-02',
  '2020-02-29',
  '2020-02-29T23:30:00Z',
  '2020-02-29T23:30:00-05:00',
  '2020-03-01T00:00:00+14:00',
  '2020-02-29T23:59:59.999Z',
  '2021-01-01',
  '1899-12-31',
  '0001-01-01',
  '9999-12-31',
];
const INSTANTS = MOMENTS.filter((moment) => moment.includes('T'));
const DAYS = MOMENTS.filter((moment) => !moment.includes('T'));
const PERIODS = [
  { start: '2020-02', end: '2020-03' },
  { start: '2020-02-29' },
  { end: '2020-02-29T23:30:00Z' },
  { start: '2019', end: '2021-01-01' },
];

/** What a value of a primitive or complex type may be; other types are made of their elements. */
export const SAMPLE_VALUES: Readonly<Record<string, readonly unknown[]>> = {
  boolean: [true, false],
  integer: [3, 100, -1],
  positiveInt: [1, 3, 100],
  unsignedInt: [0, 3, 100],
  decimal: [0.5, 0.49, 100, 99.5, 100.5, 5, 0.001],
  string: [
    'Núñez',
    'nunez',
    'Mc,Donald',
    'Pipe|Bar',
    'a%b_c',
    'back\\slash',
    'Ma$k',
    'Smith  Jones',
    '李 😀',
    '(a+)+$',
  ],
  markdown: ['Núñez *is* here', 'nothing'],
  code: ['a', 'b', 'c,d'],
  id: ['1', '2'],
  uri: [
    'http://x.example/a',
    'http://x.example/a/b',
    'http://x.example/ab',
    'urn:oid:1.2.3',
    'http://x.example/A',
  ],
  url: ['http://x.example/a', 'http://x.example/a/b?c=d,e'],
  canonical: ['http://x.example/a', 'http://x.example/a|1.0', 'http://x.example/b'],
  oid: ['urn:oid:1.2.3', 'urn:oid:1.2.3.4'],
  uuid: ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
  base64Binary: ['YQ=='],
  date: DAYS,
  dateTime: MOMENTS,
  instant: INSTANTS,
  time: ['10:00:00'],
  Coding: CODINGS,
  CodeableConcept: [
    ...CODINGS.map((coding) => ({ coding: [coding] })),
    { coding: CODINGS.slice(0, 3), text: 'Núñez' },
    { text: 'only words' },
  ],
  Identifier: [
    { system: 'urn:mrn', value: '1' },
    { system: 'urn:mrn', value: '2', type: { coding: [CODINGS[0]], text: 'Number of the ward' } },
    { value: '1', type: { coding: [CODINGS[1], CODINGS[2]] } },
    { system: 'urn:x|y', value: 'c,d$e' },
    { system: 'urn:mrn' },
  ],
  ContactPoint: [
    { system: 'phone', value: '555-1234', use: 'home' },
    { system: 'email', value: 'a@b.example' },
    { value: '555-1234' },
  ],
  HumanName: [
    { family: 'Núñez', given: ['José', '李'] },
    { family: 'nunez', prefix: ['Dr.'], use: 'official' },
    { text: 'Called Åsa', given: ['Åsa'] },
    { family: "O'Brien", suffix: ['a_b'], given: ['Ann-Marie'] },
  ],
  Address: [
    { line: ['1 Main St.'], city: 'São Paulo', country: 'BR', use: 'home' },
    { city: 'sao paulo', postalCode: '0123', state: 'SP', use: 'work' },
    { text: 'Somewhere', district: 'Núñez' },
  ],
  Period: PERIODS,
  Timing: [
    { event: ['2020-02-29', '2020-03'] },
    { repeat: { boundsPeriod: PERIODS[0] } },
    { event: ['2020'], repeat: { boundsPeriod: PERIODS[1] } },
    { code: { text: 'daily' } },
  ],
  Quantity: QUANTITIES,
  Age: QUANTITIES.slice(0, 3),
  Count: [{ value: 3, system: UCUM, code: '1' }],
  Distance: QUANTITIES.slice(0, 3),
  Duration: QUANTITIES.slice(0, 3),
  Money: [{ value: 100, currency: 'EUR' }, { value: 99.5, currency: 'USD' }, { value: 5 }],
  Range: [
    { low: QUANTITIES[0], high: { value: 6, unit: 'mg', system: UCUM, code: 'mg' } },
    { low: QUANTITIES[1], high: { value: 1, unit: 'g', system: UCUM, code: 'g' } },
    { high: QUANTITIES[6] },
    { low: { value: 5 } },
    { low: { value: 5 }, high: { value: 100 } },
  ],
  Ratio: [{ numerator: QUANTITIES[0], denominator: QUANTITIES[9] }],
  SampledData: [{ origin: { value: 1 }, period: 1, dimensions: 1, data: '1 2' }],
  Attachment: [
    { contentType: 'text/plain', data: 'YQ==', title: 'Núñez', language: 'en' },
    { url: 'http://x.example/a', language: 'de' },
  ],
  Narrative: [{ status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Núñez</div>' }],
};

/** Values of elements that may not have just any value of their type, by path. */
export const SAMPLE_ELEMENTS: Readonly<Record<string, readonly unknown[]>> = {
  'Measure.url': ['http://x.example/a', 'http://x.example/b', 'http://x.example/a/b', 'urn:oid:1.2.3'],
  'Measure.version': ['1.0', '2.0'],
  'Location.position.latitude': [52.5, 52.6, -33.9],
  'Location.position.longitude': [13.4, 179.9, -179.9],
};
