import type { Bundle, Resource } from '../model/resource.js';
import type { Attack, Sent } from './attack.js';

const PATCH = [{ op: 'replace', path: '/active', value: true }];
const PATCH_HEADERS = { 'content-type': 'application/json-patch+json' };
const TAG = {
  resourceType: 'Parameters',
  parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'attack' }] } }],
};

function patient(id?: string): Resource {
  return { resourceType: 'Patient', ...(id === undefined ? {} : { id }), gender: 'male' };
}

function observationOf(reference: string): Resource {
  return { resourceType: 'Observation', status: 'final', code: { text: 'attack' }, subject: { reference } };
}

function bundle(type: 'batch' | 'transaction', ...entry: Bundle['entry'] & {}): Sent {
  return { body: { resourceType: 'Bundle', type, entry } };
}

/** Writes that would change it, or show that it is there; with an id that nobody has they leave nothing behind but resources of their own. */
export const WRITES: readonly Attack[] = [
  {
    number: 9,
    name: 'a patch',
    method: 'PATCH',
    path: (id) => `Patient/${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: PATCH_HEADERS }),
  },
  {
    number: 10,
    name: 'a patch of a version',
    method: 'PATCH',
    path: (id) => `Patient/${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: { ...PATCH_HEADERS, 'if-match': 'W/"1"' } }),
  },
  { number: 9, name: 'a delete', method: 'DELETE', path: (id) => `Patient/${id}` },
  {
    number: 10,
    name: 'a delete of a version',
    method: 'DELETE',
    path: (id) => `Patient/${id}`,
    sent: () => ({ headers: { 'if-match': 'W/"1"' } }),
  },
  {
    number: 10,
    name: 'an update of a version',
    method: 'PUT',
    path: (id) => `Patient/${id}`,
    sent: (id) => ({ body: patient(id), headers: { 'if-match': 'W/"1"' } }),
  },
  {
    number: 55,
    name: 'a new label',
    method: 'POST',
    path: (id) => `Patient/${id}/$meta-add`,
    sent: () => ({ body: TAG }),
  },
  {
    number: 55,
    name: 'a label less',
    method: 'POST',
    path: (id) => `Patient/${id}/$meta-delete`,
    sent: () => ({ body: TAG }),
  },
  {
    number: 51,
    name: 'a conditional delete',
    method: 'DELETE',
    path: (id) => `Patient?identifier=urn:mrn|${id}`,
  },
  {
    number: 51,
    name: 'a conditional patch',
    method: 'PATCH',
    path: (id) => `Patient?identifier=urn:mrn|${id}`,
    sent: () => ({ body: JSON.stringify(PATCH), headers: PATCH_HEADERS }),
  },
  {
    number: 41,
    name: 'a written reference',
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`Patient/${id}`) }),
  },
  {
    number: 44,
    name: 'a reference to a version',
    method: 'POST',
    path: () => 'Observation',
    sent: (id) => ({ body: observationOf(`Patient/${id}/_history/1`) }),
  },
  {
    number: 42,
    name: 'an absolute reference',
    method: 'POST',
    path: () => 'Observation',
    sent: (id, { own }) => ({ body: observationOf(`${own}/Patient/${id}`) }),
  },
  {
    number: 42,
    name: "a reference to the other tenant's URL",
    method: 'POST',
    path: () => 'Observation',
    sent: (id, { theirs }) => ({ body: observationOf(`${theirs}/Patient/${id}`) }),
  },
  {
    number: 43,
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
    number: 53,
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
    number: 53,
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
    number: 53,
    name: 'a transaction that deletes',
    method: 'POST',
    path: () => '',
    sent: (id) => bundle('transaction', { request: { method: 'DELETE', url: `Patient/${id}` } }),
  },
];

/** Writes that create the id, or what has it as its identifier, where it is only a neighbour's. */
export const CREATING: readonly Attack[] = [
  {
    number: 8,
    name: 'an update',
    method: 'PUT',
    path: (id) => `Patient/${id}`,
    sent: (id) => ({ body: patient(id) }),
  },
  {
    number: 50,
    name: 'a conditional create',
    method: 'POST',
    path: () => 'Basic',
    sent: (id) => ({
      body: { resourceType: 'Basic', code: { text: id }, identifier: [{ system: 'urn:mrn', value: id }] },
      headers: { 'if-none-exist': `identifier=urn:mrn|${id}` },
    }),
  },
  {
    number: 51,
    name: 'a conditional update',
    method: 'PUT',
    path: (id) => `Patient?identifier=urn:mrn|${id}`,
    sent: (id) => ({ body: { ...patient(), identifier: [{ system: 'urn:mrn', value: id }] } as object }),
  },
];
