import test from 'ava';
import { UCUM_SYSTEM as UCUM } from '../../../src/fhir/ucum.js';
import { createTestServer } from '../../support/test-server.js';
import { assertError, FhirClient } from '../support/fhir-client.js';
import { loadModifierWorld, TYPES } from './modifier-world.js';
import { idsFound } from './stored.js';

const server = await createTestServer({ partitions: ['acme', 'beta'] });
const client = new FhirClient(server.url);
const acme = client.tenant('acme');
const beta = client.tenant('beta');
test.after.always(() => server.stop());
test.before(() => loadModifierWorld(client));

function find(tenant: FhirClient, type: string, name: string, value: string): Promise<string> {
  return idsFound(tenant, `${type}?${new URLSearchParams([[name, value]])}`);
}

const SEARCHES: readonly [type: string, name: string, value: string, ids: string][] = [
  ['Patient', 'family:text', 'smith', 'ann,bob'],
  ['Patient', 'family:text', 'SMI der', 'ann'],
  ['Patient', 'family:text', 'mith', ''],
  ['Condition', 'code:text', 'headache', 'ache'],
  ['Condition', 'code:text', 'kopf', 'ache'],
  ['Condition', 'code:text', 'chronic', 'cold'],
  ['Condition', 'code', 'Kopfschmerz', ''],
  ['Patient', 'identifier:text', 'medical', 'ann'],
  ['Patient', '_tag:text', 'a tag', 'bob'],
  ['Patient', '_tag:missing', 'true', 'ann'],
  ['Patient', '_tag:not', 'urn:tag|t', 'ann'],
  ['Patient', 'identifier:of-type', `${TYPES}|MR|7`, 'ann'],
  ['Patient', 'identifier:of-type', `${TYPES}|MR|8`, ''],
  ['Patient', 'identifier:of-type', `${TYPES}|SS|8`, 'ann,bob'],
  ['Patient', '_id:not', 'ann', 'bob'],
  ['Patient', '_id', 'ann,bob', 'ann,bob'],
  ['Patient', 'active', 'true', 'ann'],
  ['Patient', 'phone', '555', 'ann'],
  ['Patient', 'identifier', '|7', ''],
  ['Patient', 'identifier', 'urn:ssn|', 'ann'],
  ['Condition', 'subject:identifier', 'urn:mrn|7', 'far'],
  ['Condition', 'subject:identifier', '7', 'far'],
  ['Condition', 'subject:identifier', 'urn:ssn|7', ''],
  ['Condition', 'subject', 'Patient/ann', 'ache,cold'],
  ['Condition', 'subject', 'Patient/ann/_history/1', 'ache'],
  ['Condition', 'patient', 'Patient/ann/_history/1', 'ache'],
  ['Condition', 'patient', 'Patient/ann/_history/2', ''],
  ['Condition', 'onset-age', `7|${UCUM}|a`, ''],
  ['Condition', 'onset-age', `lt6|${UCUM}|a`, 'ache,far'],
  ['Condition', 'onset-age', `gt9|${UCUM}|a`, 'ache,cold'],
  ['Condition', 'onset-age', `sa5|${UCUM}|a`, 'cold'],
  ['Condition', 'onset-age', `eb11|${UCUM}|a`, 'ache,far'],
  ['Condition', 'onset-age', `gt119|${UCUM}|mo`, 'ache,cold'],
  ['Condition', 'onset-age', `gt121|${UCUM}|mo`, 'cold'],
  ['Condition', 'onset-age', 'ge6||years', 'cold'],
  ['Condition', 'onset-age', 'le5', 'ache'],
  ['Condition', 'onset-age:missing', 'false', 'ache,cold,far'],
  ['RiskAssessment', 'probability', 'gt0.3', 'risk,sure'],
  ['RiskAssessment', 'probability', 'gt0.4', 'sure'],
  ['RiskAssessment', 'probability', '0.3', ''],
  ['RiskAssessment', 'probability', 'ap0.4', 'risk'],
  ['RiskAssessment', 'probability:missing', 'true', ''],
  ['ValueSet', 'url', 'http://acme.example/fhir/ValueSet/one', 'one'],
  ['ValueSet', 'url:below', 'http://acme.example/fhir/ValueSet/one', 'one,two'],
  ['ValueSet', 'url:below', 'http://acme.example/fhir/', 'near,one,two'],
  ['ValueSet', 'url:above', 'http://acme.example/fhir/ValueSet/one/two/three', 'one,two'],
  ['Patient', '_source', 'http://acme.example/in', 'bob'],
  ['Patient', '_source:below', 'http://acme.example/in', 'ann,bob'],
  ['Patient', '_source', '#request-1', 'ann'],
  ['Patient', '_source:missing', 'false', 'ann,bob'],
  ['Patient', '_profile:below', 'http://acme.example/fhir', 'ann'],
  ['Patient', '_profile:missing', 'true', 'bob'],
  ['Patient', '_security:missing', 'true', 'ann,bob'],
  ['QuestionnaireResponse', 'questionnaire', 'http://acme.example/q', 'v,v12,v123'],
  ['QuestionnaireResponse', 'questionnaire', 'http://acme.example/q|1.2', 'v12'],
  ['QuestionnaireResponse', 'questionnaire:below', 'http://acme.example/q|1', 'v12,v123'],
  ['QuestionnaireResponse', 'questionnaire:above', 'http://acme.example/q|1.2.5', 'v,v12'],
  ['QuestionnaireResponse', 'questionnaire:below', 'http://acme.example', 'v,v12,v123'],
  ['QuestionnaireResponse', 'questionnaire.title', 'how', 'v,v12'],
  ['QuestionnaireResponse', 'questionnaire:Questionnaire.identifier', 'urn:q|1', 'v,v12'],
  ['QuestionnaireResponse', 'questionnaire.title', 'why', ''],
  ['Encounter', 'location:below', 'room,site', 'in-room,in-site,in-wing'],
  ['Encounter', 'location:below', 'Location/wing', 'in-room,in-wing'],
  ['Encounter', 'location:below', 'wing', 'in-room,in-wing'],
  ['Encounter', 'location:below', 'site', 'in-room,in-site,in-wing'],
  ['Encounter', 'location:above', 'room', 'in-room,in-site,in-wing'],
  ['Encounter', 'location:below', 'nowhere', ''],
  ['Location', 'partof:below', 'site', 'room,wing'],
  ['Location', 'partof:below', 'ring', 'gnir,ring'],
  ['Location', '_has:Encounter:location:location:below', 'room', 'room'],
  ['Location', 'near', '52.5|13.4|5|km', 'room'],
  ['Location', 'near', '52.5|13.4|1', ''],
  ['Location', 'near', '52.5|13.4', 'room'],
  ['Location', 'near', '52.5|13.4|2|[mi_us]', 'room'],
  ['Location', 'near', '-17|-179.99|5', 'fiji'],
  ['Location', 'near', '52.5|13.4|1,-17|180|5', 'fiji'],
  ['Location', 'near', '0|0|30000', 'fiji,room'],
  ['Location', 'near:missing', 'true', 'gnir,ring,site,wing'],
  ['Encounter', 'location.near', '52.5|13.4|5', 'in-room'],
  ['Patient', '_list', 'list', 'ann'],
  ['Location', '_list', 'list', 'site'],
  ['Patient', '_list', 'List/list,other', 'ann'],
  ['Encounter', 'subject:Patient.family:text', 'smith', 'in-room,in-site,in-wing'],
  ['Encounter', 'subject._list', 'list', 'in-room,in-site,in-wing'],
  ['Patient', '_has:Encounter:subject:location.partof:below', 'site', 'ann'],
  ['Patient', '_has:Encounter:patient:_has:Encounter:part-of:status', 'planned', ''],
  ['Invoice', 'totalgross', '12.5|urn:iso:std:iso:4217|EUR', 'bill'],
  ['Invoice', 'totalgross', '12.5||EUR', 'bill'],
  ['Invoice', 'totalgross', '12.5||USD', ''],
];

for (const [type, name, value, ids] of SEARCHES) {
  test(`${type}?${name}=${value} finds ${ids === '' ? 'nothing' : ids}`, async (t) => {
    t.is(await find(acme, type, name, value), ids);
  });
}

test('a hierarchy over all partitions joins no resources of different tenants', async (t) => {
  const all = client.tenant('_ALL');
  t.is(await find(all, 'Encounter', 'location:above', 'room'), 'in-room,in-site,in-wing');
  t.is(await find(all, 'Encounter', 'location:below', 'wing'), 'in-room,in-wing');
});

test('a hierarchy, a list and a place are those of the tenant alone', async (t) => {
  t.is(await find(beta, 'Encounter', 'location:below', 'wing'), '');
  t.is(await find(beta, 'Encounter', 'location:below', 'site'), 'in-room,in-site,in-wing');
  t.is(await find(beta, 'Patient', '_list', 'list'), 'bob');
  t.is(await find(beta, 'Location', 'near', '52.5|13.4|5'), '');
  t.is(await find(beta, 'Condition', 'code:text', 'headache'), '');
});

const MANY: readonly [type: string, name: string, value: (n: number) => string, ids: string][] = [
  ['Patient', 'identifier', (n) => `urn:mrn|${n}`, 'ann,bob'],
  ['Patient', 'identifier', String, 'ann,bob'],
  ['Patient', 'identifier', (n) => `urn:mrn|${n + 8}`, 'bob'],
  ['Patient', 'given', (n) => `${n === 299 ? 'ann' : n}`, 'ann'],
  ['Condition', 'subject', (n) => `Patient/${n === 299 ? 'ann' : n}`, 'ache,cold'],
  ['Condition', 'onset-age', (n) => `${n * 10}|${UCUM}|mo`, 'far'],
  ['ValueSet', 'url', (n) => `http://acme.example/fhir/ValueSet/${n === 299 ? 'one' : n}`, 'one'],
  ['ValueSet', 'url:below', (n) => `http://acme.example/fhir/ValueSet/${n === 299 ? 'one' : n}`, 'one,two'],
  ['ValueSet', 'url:above', (n) => `http://acme.example/fhir/ValueSet/${n === 299 ? 'one/x' : n}`, 'one'],
  ['QuestionnaireResponse', 'questionnaire', (n) => `http://acme.example/q|1.${n}`, 'v12'],
];

for (const [type, name, value, ids] of MANY) {
  test(`${type}?${name}=${value(0)},… with 300 alternatives finds ${ids}`, async (t) => {
    const values = Array.from({ length: 300 }, (_, n) => value(n)).join();
    t.is(await find(acme, type, name, values), ids);
  });
}

const REFUSED: readonly [type: string, name: string, value: string, code: string, says: RegExp][] = [
  ['Patient', 'family:below', 'x', 'UNKNOWN_SEARCH_PARAMETER', /:exact, :contains, :text, :missing/],
  ['Patient', 'gender:of-type', 'x', 'UNKNOWN_SEARCH_PARAMETER', /use :not/],
  ['Patient', 'birthdate:not', '2020', 'UNKNOWN_SEARCH_PARAMETER', /:missing/],
  ['Patient', 'identifier:of-type', 'MR|7', 'INVALID_SEARCH', /system\|code\|value/],
  ['Patient', '_list', '$current-allergies', 'INVALID_SEARCH', /functional lists/],
  ['Patient', '_query', 'name', 'INVALID_SEARCH', /no named queries/],
  ['Condition', 'subject:below', 'Patient/ann', 'INVALID_SEARCH', /parts of one another/],
  [
    'Questionnaire',
    '_has:QuestionnaireResponse:questionnaire:status',
    'completed',
    'UNKNOWN_SEARCH_PARAMETER',
    /canonical/,
  ],
  ['ValueSet', 'url:below', 'urn:oid:1', 'INVALID_SEARCH', /path of a URL/],
  ['ValueSet', 'url:above', `http://x${'/y'.repeat(60)}`, 'LIMIT_EXCEEDED', /segments/],
  ['Location', 'near', '91|0', 'INVALID_SEARCH', /degrees/],
  ['Location', 'near', '1|0|5|kg', 'INVALID_SEARCH', /UCUM length/],
  ['Location', 'near', 'x', 'INVALID_SEARCH', /latitude/],
  ['Patient', 'birthdate', '2020-01-01T10:00:00 02:00', 'INVALID_SEARCH', /a plus is written %2B/],
  ['Patient', '_include', 'Pateint:link', 'INVALID_SEARCH', /"Pateint\\?" is not a resource type/],
  ['Patient', '_include', 'Patient:link:Foo', 'INVALID_SEARCH', /"Foo\\?" is not a resource type/],
  ['Patient', '_include', 'Patient', 'INVALID_SEARCH', /Type:parameter:Target/],
  ['Patient', '_has:Foo:patient:code', 'x', 'UNKNOWN_SEARCH_PARAMETER', /"Foo\\?" is not a resource type/],
  ['Patient', '_has:Observation:patient', 'x', 'UNKNOWN_SEARCH_PARAMETER', /_has:Type:reference/],
  ['Location', '_sort', 'near', 'UNKNOWN_SEARCH_PARAMETER', /near/],
];

for (const [type, name, value, errorCode, says] of REFUSED) {
  test(`${type}?${name}=${value.slice(0, 20)} is refused`, async (t) => {
    const answer = await acme.get(`${type}?${new URLSearchParams([[name, value]])}`);
    assertError(t, answer, 400, errorCode);
    t.regex(answer.text, says);
  });
}
