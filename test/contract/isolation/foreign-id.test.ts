import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import type { Sent } from '../support/fhir-client.js';
import {
  type Attack,
  assertNothingOf,
  FOREIGN_ID,
  openSeededWorld,
  UNUSED_ID,
  visible,
  wholeHistory,
  type World,
} from './fixtures.js';

let world: World;

test.before(async () => {
  world = await openSeededWorld();
});

test.after.always(() => world.server.stop());

const PATCH = [{ op: 'replace', path: '/active', value: true }];
const PATCH_HEADERS = { 'content-type': 'application/json-patch+json' };
const TAG = {
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'attack' }] } }],
};
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function patient(id?: string): FhirResource {
  return { resourceType: 'Patient', ...(id === undefined ? {} : { id }), gender: 'male' };
}

function observationOf(reference: string): FhirResource {
  return { resourceType: 'Observation', status: 'final', code: { text: 'attack' }, subject: { reference } };
}

function bundle(type: 'batch' | 'transaction', ...entry: readonly object[]): Sent {
  return { body: { resourceType: 'Bundle', type, entry } };
}

function read(name: string, path: (id: string) => string, headers: Record<string, string> = {}): Attack {
  return { name, method: 'GET', path, sent: () => ({ headers }) };
}

const READS: readonly Attack[] = [
  read('a read', (id) => `Patient/${id}`),
  { name: 'a HEAD', method: 'HEAD', path: (id) => `Patient/${id}` },
  read('a pretty read', (id) => `Patient/${id}?_pretty=true&_format=json`),
  read('a summary', (id) => `Patient/${id}?_summary=true`),
  read('a read of some elements', (id) => `Patient/${id}?_elements=name`),
  read('a history', (id) => `Patient/${id}/_history`),
  read('a version', (id) => `Patient/${id}/_history/1`),
  read('a version that nobody has', (id) => `Patient/${id}/_history/99`),
  read('If-None-Match with the ETag', (id) => `Patient/${id}`, { 'if-none-match': 'W/"1"' }),
  read('If-None-Match: *', (id) => `Patient/${id}`, { 'if-none-match': '*' }),
  read('If-Modified-Since', (id) => `Patient/${id}`, {
    'if-modified-since': new Date(Date.now() + 60_000).toUTCString(),
  }),
  read('the content of a Binary', (id) => `Binary/${id}`, { accept: 'text/plain' }),
  read('a range of a Binary', (id) => `Binary/${id}`, { accept: 'text/plain', range: 'bytes=0-3' }),
  read('its labels', (id) => `Patient/${id}/$meta`),
  read('the labels of a version', (id) => `Patient/${id}/_history/1/$meta`),
  read('a validation of what is stored', (id) => `Patient/${id}/$validate`),
];

const SEARCHES: readonly Attack[] = [
  read('_id', (id) => `Patient?_id=${id}`),
  read('_id among others', (id) => `Patient?_id=p1,${id}`),
  read('an identifier', (id) => `Patient?identifier=urn:mrn|${id}`),
  read('a name', (id) => `Patient?name=${id}`),
  read('an exact name', (id) => `Patient?family:exact=${id}`),
  read('a reference', (id) => `Observation?subject=Patient/${id}`),
  read('a typed reference', (id) => `Observation?subject:Patient=${id}`),
  read('a reference without a type', (id) => `Observation?patient=${id}`),
  read('a chain by name', (id) => `Observation?patient.name=${id}`),
  read('a chain by _id', (id) => `Observation?patient._id=${id}`),
  read('a chain by identifier', (id) => `Observation?subject:Patient.identifier=urn:mrn|${id}`),
  read('a count', (id) => `Patient?_id=${id}&_summary=count`),
  read('a total', (id) => `Patient?_id=${id}&_total=accurate`),
  read('an include', (id) => `Observation?_id=${id}&_include=Observation:subject`),
  read('a revinclude', (id) => `Patient?_id=${id}&_revinclude=Observation:subject`),
  {
    name: 'a search by POST',
    method: 'POST',
    path: () => 'Patient/_search',
    sent: (id) => ({ body: `_id=${id}`, headers: FORM }),
  },
];

const WRITES: readonly Attack[] = [
  {
    name: 'a patch',
    method: 'PATCH',
    path: (id) => `Patient/${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: PATCH_HEADERS }),
  },
  {
    name: 'a patch of a version',
    method: 'PATCH',
    path: (id) => `Patient/${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: { ...PATCH_HEADERS, 'if-match': 'W/"1"' } }),
  },
  { name: 'a delete', method: 'DELETE', path: (id) => `Patient/${id}` },
  {
    name: 'a delete of a version',
    method: 'DELETE',
    path: (id) => `Patient/${id}`,
    sent: () => ({ headers: { 'if-match': 'W/"1"' } }),
  },
  {
    name: 'an update of a version',
    method: 'PUT',
    path: (id) => `Patient/${id}`,
    sent: (id) => ({ body: patient(id), headers: { 'if-match': 'W/"1"' } }),
  },
  {
    name: 'a new label',
    method: 'POST',
    path: (id) => `Patient/${id}/$meta-add`,
    sent: () => ({ body: TAG }),
  },
  {
    name: 'a label less',
    method: 'POST',
    path: (id) => `Patient/${id}/$meta-delete`,
    sent: () => ({ body: TAG }),
  },
  { name: 'a conditional delete', method: 'DELETE', path: (id) => `Patient?identifier=urn:mrn|${id}` },
  {
    name: 'a conditional patch',
    method: 'PATCH',
    path: (id) => `Patient?identifier=urn:mrn|${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: PATCH_HEADERS }),
  },
  {
    name: 'a written reference',
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`Patient/${id}`) }),
  },
  {
    name: 'a reference to a version',
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`Patient/${id}/_history/1`) }),
  },
  {
    name: 'an absolute reference',
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`${world.acme.client.base}/Patient/${id}`) }),
  },
  {
    name: "a reference to the other tenant's URL",
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`${world.beta.client.base}/Patient/${id}`) }),
  },
  {
    name: 'a conditional reference',
    method: 'POST',
    path: () => '',
    sent: (id) =>
      bundle('transaction', {
        resource: observationOf(`Patient?identifier=urn:mrn|${id}`),
        request: { method: 'POST', url: 'Observation' },
      }),
  },
  {
    name: 'a batch of everything',
    method: 'POST',
    path: () => '',
    sent: (id) =>
      bundle(
        'batch',
        { request: { method: 'GET', url: `Patient/${id}` } },
        { request: { method: 'GET', url: `Patient/${id}/_history` } },
        { request: { method: 'GET', url: `Patient?_id=${id}` } },
        { request: { method: 'DELETE', url: `Patient/${id}` } },
        { request: { method: 'GET', url: `Patient/${id}/$meta` } },
        { resource: observationOf(`Patient/${id}`), request: { method: 'POST', url: 'Observation' } },
      ),
  },
  {
    name: 'a transaction that reads',
    method: 'POST',
    path: () => '',
    sent: (id) =>
      bundle(
        'transaction',
        { request: { method: 'GET', url: `Patient/${id}` } },
        { request: { method: 'GET', url: `Patient?_id=${id}` } },
      ),
  },
  {
    name: 'a transaction that deletes',
    method: 'POST',
    path: () => '',
    sent: (id) => bundle('transaction', { request: { method: 'DELETE', url: `Patient/${id}` } }),
  },
];

for (const { name, method, path, sent } of [...READS, ...SEARCHES, ...WRITES]) {
  test.serial(`${name} tells no foreign id from one that was never used`, async (t) => {
    const { acme, beta } = world;
    const before = await wholeHistory(beta);
    const foreign = await acme.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID));
    const unused = await acme.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID));
    t.deepEqual(visible(foreign, FOREIGN_ID), visible(unused, UNUSED_ID));
    t.true(foreign.status < 500, foreign.text);
    t.false(foreign.text.includes(beta.canary));
    t.is(await wholeHistory(beta), before);
  });
}

for (const { name, method, path, sent } of [...READS, ...SEARCHES]) {
  if (name === 'a version that nobody has') continue;
  test.serial(`${name} answers the owner otherwise, so that the attack has a target`, async (t) => {
    const { beta } = world;
    const own = await beta.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID));
    const unused = await beta.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID));
    t.notDeepEqual(visible(own, FOREIGN_ID), visible(unused, UNUSED_ID));
  });
}

const CREATING: readonly Attack[] = [
  { name: 'an update', method: 'PUT', path: (id) => `Patient/${id}`, sent: (id) => ({ body: patient(id) }) },
  {
    name: 'a conditional create',
    method: 'POST',
    path: () => 'Basic',
    sent: (id) => ({
      body: { resourceType: 'Basic', code: { text: id }, identifier: [{ system: 'urn:mrn', value: id }] },
      headers: { 'if-none-exist': `identifier=urn:mrn|${id}` },
    }),
  },
  {
    name: 'a conditional update',
    method: 'PUT',
    path: (id) => `Patient?identifier=urn:mrn|${id}`,
    sent: (id) => ({ body: { ...patient(), identifier: [{ system: 'urn:mrn', value: id }] } as object }),
  },
];

for (const { name, method, path, sent } of CREATING) {
  test.serial(`${name} creates what only a neighbour has`, async (t) => {
    const fresh = await openSeededWorld();
    t.teardown(() => fresh.server.stop());
    const { acme, beta } = fresh;
    const before = await wholeHistory(beta);
    const foreign = await acme.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID));
    const unused = await acme.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID));
    t.is(foreign.status, 201);
    t.deepEqual(visible(foreign, FOREIGN_ID), visible(unused, UNUSED_ID));
    assertNothingOf(t, foreign, beta);
    t.is(await wholeHistory(beta), before);
  });
}
