import test from 'ava';
import type { ExecutionContext } from 'ava';
import { authorization, consent, rules } from '../../../interceptors/index.js';
import type { Interceptor } from '../../../src/index.js';
import { createTestServer } from '../../support/test-server.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';

const TELECOM = '555-0199';
const STORED = {
  resourceType: 'Patient',
  id: 'stored',
  identifier: [{ system: 'urn:mrn', value: 'stored' }],
  telecom: [{ value: TELECOM }],
  gender: 'female',
};
const CONDITION = 'identifier=urn:mrn|stored';
const NEW = { resourceType: 'Patient', gender: 'other' };
const PATCH = {
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'Patient.gender' },
        { name: 'value', valueCode: 'other' },
      ],
    },
  ],
};

/** A server with one patient that was stored before anybody is limited, and what writes lead a client to it. */
async function answersOf(
  t: ExecutionContext,
  interceptor: Interceptor,
  limited: Readonly<Record<string, string>>,
): Promise<readonly Answer<unknown>[]> {
  const server = await createTestServer({ partitions: ['acme'], interceptors: [interceptor] });
  t.teardown(() => server.stop());
  const acme = new FhirClient(server.url).tenant('acme');
  t.is((await acme.put('Patient/stored', STORED)).status, 201);
  const headers = { prefer: 'return=representation', ...limited };
  const bundle = (type: 'batch' | 'transaction') => ({
    resourceType: 'Bundle',
    type,
    entry: [
      { request: { method: 'PATCH', url: 'Patient/stored' }, resource: PATCH },
      { request: { method: 'POST', url: 'Patient', ifNoneExist: CONDITION }, resource: NEW },
    ],
  });
  return [
    await acme.post('Patient', NEW, { ...headers, 'if-none-exist': CONDITION }),
    await acme.send('PATCH', 'Patient/stored', { body: PATCH, headers }),
    await acme.send('PATCH', `Patient?${CONDITION}`, { body: PATCH, headers }),
    await acme.post('', bundle('transaction'), headers),
    await acme.post('', bundle('batch'), headers),
  ];
}

const LIMITED = { 'x-limited': 'yes' };
const isLimited = ({ headers }: { readonly headers: ReadonlyMap<string, unknown> }): boolean =>
  headers.has('x-limited');

const byRules = (limited: 'all' | 'writes') =>
  authorization({
    rules: (request) =>
      limited === 'all' || !isLimited(request)
        ? rules().allow().all()
        : rules().allow().write().allResources().allow().read().instances('Patient/other'),
  });

const HIDING: Readonly<Record<string, Interceptor>> = {
  'a resource without consent': consent({ canSeeResource: (request) => !isLimited(request) }),
  'elements without consent': consent({
    willSeeResource: (_request, { resourceType, id }) => ({ resourceType, ...(id !== undefined && { id }) }),
  }),
  'what no rule allows to read': byRules('writes'),
};

for (const [what, interceptor] of Object.entries(HIDING)) {
  test(`${what}: not shown by the answer to a write`, async (t) => {
    for (const { status, text } of await answersOf(t, interceptor, LIMITED)) {
      t.is(status, 200);
      t.notRegex(text, new RegExp(TELECOM));
      t.notRegex(text, /OperationOutcome/);
    }
  });
}

test('whoever may read what is written is answered with it', async (t) => {
  const asked = [
    byRules('all'),
    consent({ startOperation: () => 'authorized', canSeeResource: () => false }),
  ];
  for (const interceptor of asked)
    for (const { text } of await answersOf(t, interceptor, {})) t.regex(text, new RegExp(TELECOM));
});

const tag = (code: string) => ({ tag: [{ system: 'urn:labels', code }] });

test('labels without consent: not shown by the answer to those that are added', async (t) => {
  const interceptor = consent({
    startOperation: (request) => (isLimited(request) ? 'proceed' : 'authorized'),
    canSeeResource: () => false,
  });
  const server = await createTestServer({ partitions: ['acme'], interceptors: [interceptor] });
  t.teardown(() => server.stop());
  const acme = new FhirClient(server.url).tenant('acme');
  t.is((await acme.put('Patient/labelled', { ...NEW, id: 'labelled', meta: tag('first') })).status, 201);
  const added = (code: string, headers: Readonly<Record<string, string>>) => {
    const parameter = [{ name: 'meta', valueMeta: tag(code) }];
    return acme.post('Patient/labelled/$meta-add', { resourceType: 'Parameters', parameter }, headers);
  };
  const limited = await added('second', LIMITED);
  t.is(limited.status, 200);
  t.notRegex(limited.text, /first|versionId/);
  const open = await added('third', {});
  for (const code of ['first', 'second', 'third']) t.regex(open.text, new RegExp(code));
});
