import { type Answer, FhirClient } from '../support/fhir-client.js';

/** A request of the main scenarios, with marks in everything that a client can say. */
interface Scenario {
  readonly method: string;
  readonly path: string;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One word for each place, all with the same beginning, by which they are found. */
export type Mark = (place: string) => string;

/** Runs everything that a tenant usually does, with credentials; answers what came back, with the request. */
export async function runScenarios(base: string, mark: Mark): Promise<readonly Answered[]> {
  const client = new FhirClient(base);
  const token = { authorization: `Bearer ${mark('token')}`, cookie: `session=${mark('cookie')}` };
  const answers: Answered[] = [];
  for (const { method, path, body, headers } of scenarios(mark)) {
    const sent =
      body === undefined
        ? { headers: { ...token, ...headers } }
        : { body, headers: { ...token, ...headers } };
    answers.push({ request: `${method} ${path}`, answer: await client.send<unknown>(method, path, sent) });
  }
  return answers;
}

/** A request, and what came back. */
export interface Answered {
  readonly request: string;
  readonly answer: Answer<unknown>;
}

function patient(mark: Mark): object {
  return {
    resourceType: 'Patient',
    meta: { tag: [{ system: 'urn:tags', code: mark('tag') }], source: `urn:${mark('source')}` },
    text: {
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${mark('narrative')}</div>`,
    },
    identifier: [{ system: 'urn:ids', value: mark('identifier') }],
    name: [{ family: mark('family'), given: [mark('given')] }],
    telecom: [{ system: 'email', value: `${mark('mail')}@example.org` }],
    address: [{ line: [mark('line')], city: mark('city') }],
    birthDate: '1970-01-01',
  };
}

function bundle(type: string, entry: readonly object[]): object {
  return { resourceType: 'Bundle', type, entry };
}

function scenarios(mark: Mark): readonly Scenario[] {
  const one = patient(mark);
  return [
    { method: 'PUT', path: 'acme/Patient/p1', body: { ...one, id: 'p1' } },
    { method: 'POST', path: 'acme/Patient', body: one },
    {
      method: 'POST',
      path: 'acme/Patient',
      body: one,
      headers: { 'if-none-exist': `identifier=${mark('exists')}` },
    },
    { method: 'GET', path: 'acme/Patient/p1' },
    { method: 'GET', path: 'acme/Patient/p1/_history' },
    {
      method: 'GET',
      path: `acme/Patient?family=${mark('searched')}&identifier=urn:ids|${mark('token-value')}`,
    },
    { method: 'GET', path: `acme/Patient?${mark('parameter')}=1` },
    { method: 'GET', path: `acme/Patient?birthdate=${mark('date')}` },
    { method: 'GET', path: `acme/Patient?_filter=family eq "${mark('filter')}"`.replaceAll(' ', '%20') },
    { method: 'GET', path: `acme/Patient?_has:Observation:patient:code=${mark('has')}` },
    { method: 'GET', path: `acme/Patient?_page=${mark('page')}` },
    {
      method: 'POST',
      path: 'acme/Patient/_search',
      body: `family=${mark('form')}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    { method: 'PUT', path: `acme/Patient?identifier=${mark('condition')}`, body: one },
    {
      method: 'PATCH',
      path: 'acme/Patient/p1',
      body: [{ op: 'replace', path: '/name/0/family', value: mark('patched') }],
      headers: { 'content-type': 'application/json-patch+json' },
    },
    { method: 'POST', path: 'acme/Patient', body: { ...one, birthDate: mark('invalid') } },
    { method: 'POST', path: 'acme/Patient', body: `{"resourceType":"Patient","${mark('broken')}` },
    { method: 'POST', path: 'acme/Binary', body: mark('content'), headers: { 'content-type': 'text/plain' } },
    {
      method: 'POST',
      path: 'acme',
      body: bundle('transaction', [{ resource: one, request: { method: 'POST', url: 'Patient' } }]),
    },
    {
      method: 'POST',
      path: 'acme',
      body: bundle('batch', [
        { request: { method: 'GET', url: `Patient?family=${mark('entry')}` } },
        { request: { method: 'PATCH', url: `Patient/${'x'.repeat(70)}` }, resource: one },
      ]),
    },
    { method: 'POST', path: 'acme/Patient/$validate', body: one },
    { method: 'GET', path: 'acme/Patient/p1/$everything' },
    { method: 'GET', path: `acme/ValueSet/$expand?url=urn:${mark('value-set')}` },
    { method: 'GET', path: 'acme/Patient/$export', headers: { prefer: 'respond-async' } },
    { method: 'GET', path: 'nobody/Patient', headers: { 'x-tenant-id': mark('tenant') } },
    { method: 'DELETE', path: 'acme/Patient/p1' },
    { method: 'GET', path: 'acme/Patient/p1' },
  ];
}
