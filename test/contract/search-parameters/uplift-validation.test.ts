import test from 'ava';
import type { Bundle, OperationOutcome, SearchParameter } from 'fhir/r4.js';
import { createTestServer } from '../../support/test-server.js';
import { FhirClient } from '../support/fhir-client.js';
import { createParameter, parameterOf } from './fixtures.js';
import { upliftChain, upliftToken } from './uplift-fixtures.js';

const server = await createTestServer({ contents: 'search-parameters', settings: { validation: 'off' } });
const client = new FhirClient(server.url);
test.after.always(() => server.stop());

type Extensions = NonNullable<SearchParameter['extension']>;

const TOKEN: Partial<SearchParameter> = { type: 'token', expression: 'Patient.identifier' };
const REFERENCE: Partial<SearchParameter> = {
  type: 'reference',
  base: ['Observation'],
  target: ['Patient', 'Group'],
  expression: 'Observation.subject',
};

const [TOKEN_URL, CHAIN_URL] = [upliftToken('s', 'e'), upliftChain('c', 'e')].map(
  (extension) => (extension as { readonly url: string }).url,
);

const REFUSED: Readonly<Record<string, readonly [Partial<SearchParameter>, readonly object[], RegExp]>> = {
  'a token uplift without a system': [
    TOKEN,
    [{ url: TOKEN_URL, extension: [{ url: 'token-to-element', valueCode: 'e' }] }],
    /^SearchParameter\.extension\[0\]: a child "system" with a uri, a code or a string is needed\.$/,
  ],
  'a token uplift without an element': [
    TOKEN,
    [{ url: TOKEN_URL, extension: [{ url: 'system', valueUri: 'urn:s' }] }],
    /extension\[0\]: a child "token-to-element"/,
  ],
  'a child without a value': [
    TOKEN,
    [
      {
        url: TOKEN_URL,
        extension: [
          { url: 'system', valueInteger: 3 },
          { url: 'token-to-element', valueCode: 'e' },
        ],
      },
    ],
    /extension\[0\]\.extension\[0\]: a child "system"/,
  ],
  'an unknown child': [
    REFERENCE,
    [
      {
        url: CHAIN_URL,
        extension: [
          { url: 'code', valueCode: 'identifier' },
          { url: 'element-name', valueString: 'e' },
          { url: 'else', valueString: 'x' },
        ],
      },
    ],
    /extension\[0\]\.extension\[2\]: there is no child "else" here; use code and element-name\.$/,
  ],
  'a child that comes twice': [
    TOKEN,
    [
      { url: 'http://example.org/other', valueString: 'x' },
      {
        url: TOKEN_URL,
        extension: [
          { url: 'system', valueUri: 'urn:s' },
          { url: 'system', valueUri: 'urn:t' },
          { url: 'token-to-element', valueCode: 'e' },
        ],
      },
    ],
    /extension\[1\]\.extension\[1\]: "system" is given twice/,
  ],
  'a token uplift of a string': [
    {},
    [upliftToken('urn:s', 'e')],
    /extension\[0\]: tokens are lifted of parameters of type token/,
  ],
  'a token uplift of a reference without a chain': [
    REFERENCE,
    [upliftToken('urn:s', 'e')],
    /beside a lifted chain/,
  ],
  'a chain of a token': [
    TOKEN,
    [upliftChain('identifier', 'e')],
    /a chain is lifted of a parameter of type reference/,
  ],
  'a chain to a code that no target has': [
    REFERENCE,
    [upliftChain('nothing', 'e')],
    /none of Patient, Group has it/,
  ],
  'a chain to a date': [REFERENCE, [upliftChain('birthdate', 'e')], /has to be a token or string parameter/],
  'a chain to an id': [REFERENCE, [upliftChain('_id', 'e')], /has to be a token or string parameter/],
  'a chain without targets': [
    { type: 'reference', base: ['Observation'], expression: 'Observation.subject' },
    [upliftChain('identifier', 'e')],
    /SearchParameter\.target names none/,
  ],
  'a name that is none of an element': [
    TOKEN,
    [upliftToken('urn:s', '$e')],
    /an element is named by a letter/,
  ],
  'a name with a dot': [TOKEN, [upliftToken('urn:s', 'a.b')], /an element is named by a letter/],
  'a name that is reserved': [TOKEN, [upliftToken('urn:s', '_id')], /but not "_id" or "resource"/],
  'a name that is too long': [
    TOKEN,
    [upliftToken('urn:s', 'e'.repeat(65))],
    /an element is named by a letter/,
  ],
  "another parameter's code": [
    TOKEN,
    [upliftToken('urn:s', 'birthdate')],
    /"birthdate" is the code of a search parameter/,
  ],
  'its own code': [TOKEN, [upliftToken('urn:s', 'tested')], /"tested" is the code of a search parameter/],
  'two uplifts to one element': [
    TOKEN,
    [upliftToken('urn:s', 'e'), upliftToken('urn:t', 'e')],
    /"e" is the element of another uplift/,
  ],
  'a system with a space': [TOKEN, [upliftToken('urn: s', 'e')], /a system is a URI, without spaces/],
};

for (const [what, [change, extension, message]] of Object.entries(REFUSED)) {
  test(`${what} is refused, and told where it is`, async (t) => {
    const parameter = parameterOf('tested', { ...change, extension: extension as Extensions });
    const answer = await client.post<OperationOutcome>('SearchParameter', parameter);
    t.is(answer.status, 422, answer.text);
    t.regex(answer.body.issue[0]?.diagnostics ?? '', message);
    t.regex(answer.body.issue[0]?.expression?.[0] ?? '', /^SearchParameter\.extension\[\d\]/);
  });
}

function lifting(code: string, system: string): SearchParameter {
  return parameterOf(code, { ...TOKEN, extension: [upliftToken(system, 'shared_element')] as Extensions });
}

test('an element belongs to one uplift of a type, and the same uplift may come again', async (t) => {
  await createParameter(client, lifting('one', 'urn:s'));
  t.is((await client.post('SearchParameter', lifting('two', 'urn:t'))).status, 422);
  t.is((await client.post('SearchParameter', lifting('three', 'urn:s'))).status, 201);
  const elsewhere = { ...lifting('four', 'urn:t'), base: ['Group'], expression: 'Group.identifier' };
  t.is((await client.post('SearchParameter', elsewhere)).status, 201);
});

test('uris, codes and strings are taken for every child', async (t) => {
  for (const [at, kind] of ['valueUri', 'valueCode', 'valueString'].entries()) {
    const extension = [
      {
        url: TOKEN_URL,
        extension: [
          { url: 'system', [kind]: `urn:kind:${at}` },
          { url: 'token-to-element', [kind]: `kind_${at}` },
        ],
      },
    ] as unknown as Extensions;
    const parameter = parameterOf(`kind-${at}`, { ...TOKEN, extension });
    t.is((await client.post('SearchParameter', parameter)).status, 201);
  }
});

test('a code that only some of the targets know is taken, with a warning that names the others', async (t) => {
  const parameter = parameterOf('half-known', {
    ...REFERENCE,
    extension: [upliftChain('identifier', 'half_id'), upliftChain('family', 'half')] as Extensions,
  });
  const request = { method: 'POST', url: 'SearchParameter' };
  const prefer = { prefer: 'return=OperationOutcome' };
  const { status, body } = await client.post<OperationOutcome>('SearchParameter', parameter, prefer);
  t.is(status, 201);
  const warning = {
    severity: 'warning',
    code: 'incomplete',
    diagnostics:
      'SearchParameter.extension[1]: "family" is no token or string parameter of Group, nothing is lifted there.',
    expression: ['SearchParameter.extension[1]'],
  };
  t.deepEqual(
    body.issue.map(({ severity }) => severity),
    ['information', 'warning'],
  );
  t.like(body.issue[1], warning);
  const resource = { ...parameter, url: `${parameter.url}-2`, code: 'half-known-2' };
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource, request }] };
  const done = await client.post<Bundle>('', bundle);
  t.is(done.status, 200, done.text);
  const told = done.body.entry?.[0]?.response?.outcome as OperationOutcome | undefined;
  t.like(told?.issue[1], warning);
});

test('nothing is warned of where all targets know the code, or the parameter is a draft', async (t) => {
  const known = { ...REFERENCE, extension: [upliftChain('identifier', 'both')] as Extensions };
  const draft = { ...REFERENCE, extension: [upliftChain('family', 'draft')] as Extensions };
  for (const parameter of [
    parameterOf('all-known', known),
    parameterOf('drafted', { ...draft, status: 'draft' }),
  ]) {
    const { status, body } = await client.post<OperationOutcome>('SearchParameter', parameter, {
      prefer: 'return=OperationOutcome',
    });
    t.is(status, 201);
    t.is(body.issue.length, 1);
  }
});
