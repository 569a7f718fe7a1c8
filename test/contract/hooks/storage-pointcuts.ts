import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { FhirError } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import type { ExportTests } from './export-pointcuts.js';
import { bundleOf, JSON_PATCH, observationOf, openHooked, PATIENT, type PointcutTests } from './fixtures.js';
import type { RecordTests } from './record-pointcuts.js';

const refusal = new FhirError('FORBIDDEN', 'refused by a hook');

type StorageTests = Omit<
  PointcutTests<'STORAGE_' | 'VALIDATION_'>,
  keyof PointcutTests<'STORAGE_PARTITION_'> | keyof ExportTests | keyof RecordTests
>;

/** STORAGE_* and VALIDATION_*: what happens to resources. */
export const STORAGE_POINTCUTS: StorageTests = {
  async STORAGE_PREACCESS_RESOURCES(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PREACCESS_RESOURCES: ({ value, request }) => {
        if (request.headers.has('x-refuse')) throw refusal;
        return value.filter(
          ({ id, partition, resource }) =>
            id !== 'hidden' && partition === 1 && resource().resourceType !== 'Group',
        );
      },
    });
    for (const id of ['hidden', 'shown']) await acme.put(`Patient/${id}`, { ...PATIENT, id });
    t.is((await acme.get('Patient/shown')).status, 200);
    const paths = [
      'Patient/hidden',
      'Patient/hidden/_history/1',
      'Patient/hidden/$meta',
      'Patient/hidden/$validate',
    ];
    for (const path of paths) assertError(t, await acme.get(path), 404, 'NOT_FOUND');
    for (const path of ['Patient', 'Patient/_history', '_history', 'Patient?_id=hidden,shown']) {
      const { body } = await acme.get<Bundle>(path);
      t.deepEqual(
        body.entry?.map(({ resource }) => resource?.id),
        ['shown'],
        path,
      );
    }
    assertError(t, await acme.get('Patient/shown', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
  },

  async STORAGE_PRESHOW_RESOURCES(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRESHOW_RESOURCES: ({ value, request }) => {
        if (request.headers.has('x-refuse')) throw refusal;
        return value.map(({ gender: _hidden, ...rest }) => rest as (typeof value)[number]);
      },
    });
    await acme.put('Patient/p1', PATIENT);
    for (const path of [
      'Patient/p1',
      'Patient/p1/_history/1',
      'Patient',
      '_history',
      'Patient?_summary=true',
    ]) {
      const { status, text } = await acme.get(path);
      t.is(status, 200);
      t.false(text.includes('female'), path);
    }
    t.is(await acme.count('Patient?gender=female'), 1, 'what is stored does not change');
    assertError(t, await acme.get('Patient/p1', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
  },

  async STORAGE_PRESEARCH_REGISTERED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRESEARCH_REGISTERED: ({ value, resourceType, partitions, request }) => {
        seen.push([resourceType, partitions.map(({ name }) => name)]);
        if (request.headers.has('x-refuse')) throw refusal;
        return [...value, ['gender', 'male']];
      },
    });
    await acme.put('Patient/p1', PATIENT);
    await acme.put('Patient/p2', { ...PATIENT, id: 'p2', gender: 'male' });
    const { body } = await acme.get<Bundle>('Patient');
    t.deepEqual(
      body.entry?.map(({ resource }) => resource?.id),
      ['p2'],
    );
    t.deepEqual(seen, [['Patient', ['acme']]]);
    assertError(t, await acme.get('Patient', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
  },

  async STORAGE_PRESTORAGE_RESOURCE_CREATED(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_RESOURCE_CREATED: ({ value }) => {
        if (value['gender'] === 'male') throw refusal;
        if (value['gender'] === 'other') return { ...value, birthDate: 'not a date' };
        return { ...value, language: 'en', active: true };
      },
    });
    const created = await acme.put<Patient>('Patient/p1', PATIENT);
    t.deepEqual([created.body.language, created.body.active], ['en', true]);
    t.is(
      await acme.count('Patient?active=true&_language=en'.replace('&_language=en', '')),
      1,
      'what is stored is indexed',
    );
    assertError(t, await acme.post('Patient', { ...PATIENT, gender: 'male' }), 403, 'FORBIDDEN');
    assertError(t, await acme.post('Patient', { ...PATIENT, gender: 'other' }), 422, 'INVALID_RESOURCE');
    t.is(await acme.count('Patient'), 1);
  },

  async STORAGE_PRESTORAGE_RESOURCE_UPDATED(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_RESOURCE_UPDATED: ({ value, previous }) => {
        if (value['gender'] === 'male') throw refusal;
        return { ...value, language: previous['gender'] === 'female' ? 'en' : 'de' };
      },
    });
    await acme.put('Patient/p1', PATIENT);
    const updated = await acme.put<Patient>('Patient/p1', { ...PATIENT, gender: 'other' });
    t.is(updated.body.language, 'en');
    const patch = JSON.stringify([{ op: 'add', path: '/active', value: true }]);
    const patched = await acme.send<Patient>('PATCH', 'Patient/p1', { body: patch, headers: JSON_PATCH });
    t.is(patched.body.language, 'de');
    assertError(t, await acme.put('Patient/p1', { ...PATIENT, gender: 'male' }), 403, 'FORBIDDEN');
    t.is((await acme.get<Patient>('Patient/p1')).body.meta?.versionId, '3');
  },

  async STORAGE_PRESTORAGE_RESOURCE_DELETED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_RESOURCE_DELETED: ({ resource }) => {
        seen.push(resource['gender']);
        if (resource.id === 'kept') throw refusal;
      },
    });
    for (const id of ['kept', 'gone']) await acme.put(`Patient/${id}`, { ...PATIENT, id });
    assertError(t, await acme.delete('Patient/kept'), 403, 'FORBIDDEN');
    t.is((await acme.delete('Patient/gone')).status, 204);
    t.is((await acme.delete('Patient/never')).status, 204);
    t.is((await acme.get('Patient/kept')).status, 200);
    t.deepEqual(seen, ['female', 'female']);
  },

  async STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: ({ resource }) => {
        if (resource.id?.startsWith('x')) throw refusal;
      },
    });
    assertError(t, await acme.put('Patient/x1', { ...PATIENT, id: 'x1' }), 403, 'FORBIDDEN');
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    t.is((await acme.post('Patient', { ...PATIENT, id: 'x1' })).status, 201, 'a create chooses no id');
    const entry = { resource: { ...PATIENT, id: 'x2' }, request: { method: 'PUT', url: 'Patient/x2' } };
    assertError(t, await acme.post('', bundleOf('transaction', entry)), 403, 'FORBIDDEN');
  },

  async STORAGE_PRECOMMIT_RESOURCE_CREATED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRECOMMIT_RESOURCE_CREATED: ({ resource, partition }) => {
        seen.push([resource.id, resource.meta?.versionId, partition.name]);
        if (resource['gender'] === 'male') throw refusal;
      },
    });
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    assertError(t, await acme.put('Patient/p2', { ...PATIENT, id: 'p2', gender: 'male' }), 403, 'FORBIDDEN');
    t.is((await acme.get('Patient/p2')).status, 404);
    t.deepEqual(seen, [
      ['p1', '1', 'acme'],
      ['p2', '1', 'acme'],
    ]);
  },

  async STORAGE_PRECOMMIT_RESOURCE_UPDATED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRECOMMIT_RESOURCE_UPDATED: ({ resource, previous, partition }) => {
        seen.push([previous['gender'], resource['gender'], partition.id]);
        if (resource['gender'] === 'male') throw refusal;
      },
    });
    await acme.put('Patient/p1', PATIENT);
    t.is((await acme.put('Patient/p1', { ...PATIENT, gender: 'other' })).status, 200);
    assertError(t, await acme.put('Patient/p1', { ...PATIENT, gender: 'male' }), 403, 'FORBIDDEN');
    t.is((await acme.get<Patient>('Patient/p1')).body.gender, 'other');
    t.deepEqual(seen, [
      ['female', 'other', 1],
      ['other', 'male', 1],
    ]);
  },

  async STORAGE_PRECOMMIT_RESOURCE_DELETED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRECOMMIT_RESOURCE_DELETED: ({ resource }) => {
        seen.push(resource.id);
        if (resource.id === 'kept') throw refusal;
      },
    });
    for (const id of ['kept', 'gone']) await acme.put(`Patient/${id}`, { ...PATIENT, id });
    assertError(t, await acme.delete('Patient/kept'), 403, 'FORBIDDEN');
    t.is((await acme.delete('Patient/gone')).status, 204);
    t.is((await acme.get('Patient/kept')).status, 200);
    t.is(await acme.count('Patient?gender=female'), 1);
    t.deepEqual(seen, ['kept', 'gone']);
  },

  async STORAGE_PRESTORAGE_DELETE_CONFLICTS(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_DELETE_CONFLICTS: ({ resource, conflicts, request }) => {
        seen.push([resource.id, conflicts]);
        if (request.headers.has('x-refuse')) throw refusal;
        return request.headers.has('x-ignore') ? 'ignore' : undefined;
      },
    });
    await acme.put('Patient/p1', PATIENT);
    await acme.put('Observation/b1', { ...observationOf('Patient/p1'), id: 'b1' });
    assertError(t, await acme.delete('Patient/p1'), 409, 'DELETE_CONFLICT');
    assertError(t, await acme.delete('Patient/p1', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    t.is((await acme.delete('Patient/p1', { 'x-ignore': '1' })).status, 204);
    t.is((await acme.get('Patient/p1')).status, 410);
    t.is((await acme.get('Observation/b1')).status, 200);
    t.deepEqual(seen[0], ['p1', [{ type: 'Observation', id: 'b1' }]]);
  },

  async STORAGE_TRANSACTION_PROCESSING(t) {
    const { acme } = await openHooked(t, {
      STORAGE_TRANSACTION_PROCESSING: ({ value, request }) => {
        if (request.headers.has('x-refuse')) throw refusal;
        return { ...value, entry: value.entry?.slice(0, 1) ?? [] };
      },
    });
    const entries = ['p1', 'p2'].map((id) => ({
      resource: { ...PATIENT, id },
      request: { method: 'PUT', url: `Patient/${id}` },
    }));
    for (const type of ['batch', 'transaction'] as const) {
      const answer = await acme.post<Bundle>('', bundleOf(type, ...entries));
      t.is(answer.body.entry?.length, 1, type);
    }
    t.is(await acme.count('Patient'), 1);
    assertError(
      t,
      await acme.post('', bundleOf('transaction', ...entries), { 'x-refuse': '1' }),
      403,
      'FORBIDDEN',
    );
  },

  async STORAGE_TRANSACTION_PROCESSED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_TRANSACTION_PROCESSED: ({ bundle, response, request }) => {
        seen.push([bundle.type, response.type, response.entry?.length]);
        if (request.headers.has('x-refuse')) throw refusal;
      },
    });
    const entry = { resource: PATIENT, request: { method: 'PUT', url: 'Patient/p1' } };
    await acme.post('', bundleOf('batch', entry));
    assertError(
      t,
      await acme.post('', bundleOf('transaction', entry), { 'x-refuse': '1' }),
      403,
      'FORBIDDEN',
    );
    t.is((await acme.get<Patient>('Patient/p1')).body.meta?.versionId, '2', 'what was stored stays stored');
    t.deepEqual(seen, [
      ['batch', 'batch-response', 1],
      ['transaction', 'transaction-response', 1],
    ]);
  },

  async VALIDATION_COMPLETED(t) {
    const { acme } = await openHooked(t, {
      VALIDATION_COMPLETED: ({ value, resource }) => {
        if (resource['gender'] === 'other')
          return [{ severity: 'error', code: 'business-rule', diagnostics: 'a rule of ours' }];
        return value.filter(({ expression }) => !expression?.some((path) => path.includes('birthDate')));
      },
    });
    const refused = await acme.post<OperationOutcome>('Patient', { ...PATIENT, gender: 'other' });
    assertRule(t, refused.body);
    t.is(refused.status, 422);
    t.is(
      (await acme.post('Patient', { ...PATIENT, birthDate: 'long ago' })).status,
      201,
      'a finding can be dropped',
    );
    const validated = await acme.post<OperationOutcome>('Patient/$validate', { ...PATIENT, gender: 'other' });
    t.is(validated.status, 200);
    assertRule(t, validated.body);
  },
};

function assertRule(
  t: Parameters<StorageTests['VALIDATION_COMPLETED']>[0],
  { issue }: OperationOutcome,
): void {
  t.deepEqual(
    issue.map(({ diagnostics }) => diagnostics),
    ['a rule of ours'],
  );
}
