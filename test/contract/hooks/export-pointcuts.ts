import { FhirError } from '../../../src/index.js';
import { exported, kickOff, observationOf, patientOf, store } from '../export/fixtures.js';
import { assertError } from '../support/fhir-client.js';
import { eventually, openHooked, type PointcutTests } from './fixtures.js';

const refusal = new FhirError('FORBIDDEN', 'refused by a hook');

type ExportNames =
  | `STORAGE_${string}_BULK_EXPORT`
  | 'STORAGE_BULK_EXPORT_RESOURCE_INCLUSION'
  | `STORAGE_${string}_BATCH_JOB${string}`;

/** What fires for bulk exports. */
export type ExportTests = Pick<
  PointcutTests<'STORAGE_'>,
  Extract<keyof PointcutTests<'STORAGE_'>, ExportNames | 'STORAGE_INITIATE_BULK_EXPORT'>
>;

/** STORAGE_*BULK_EXPORT* and STORAGE_*BATCH_JOB*: what happens to bulk exports. */
export const EXPORT_POINTCUTS: ExportTests = {
  async STORAGE_PRE_INITIATE_BULK_EXPORT(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRE_INITIATE_BULK_EXPORT: ({ value, request }) => {
        if (request.headers.has('x-refuse')) throw refusal;
        if (request.resourceType === 'Patient') return [...value, ['patient', 'Patient/b']];
        return [...value, ['_type', request.headers.has('x-wrong') ? 'Nothing' : 'Observation']];
      },
    });
    await store(acme, patientOf('a'), observationOf('o', 'a'));
    t.deepEqual((await exported(acme, '$export')).output, ['Observation/o']);
    await store(acme, patientOf('b'));
    t.deepEqual((await exported(acme, 'Patient/$export')).output, ['Patient/b']);
    assertError(t, await kickOff(acme, '$export', undefined, { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    assertError(t, await kickOff(acme, '$export', undefined, { 'x-wrong': '1' }), 400, 'NOT_SUPPORTED');
  },

  async STORAGE_INITIATE_BULK_EXPORT(t) {
    const { acme } = await openHooked(t, {
      STORAGE_INITIATE_BULK_EXPORT: ({ job, request }) => {
        if (job.partition === 1 && job.parameters.types?.includes('Patient')) throw refusal;
        t.is(request.operation, '$export');
      },
    });
    assertError(t, await kickOff(acme, '$export?_type=Patient'), 403, 'FORBIDDEN');
    t.is((await kickOff(acme, '$export?_type=Device')).status, 202);
  },

  async STORAGE_BULK_EXPORT_RESOURCE_INCLUSION(t) {
    const seen: unknown[] = [];
    const { acme, server } = await openHooked(t, {
      STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: ({ value, job }) => {
        if (value.id === 'broken') throw refusal;
        return value.id === 'hidden' && job.parameters.level.kind === 'system'
          ? false
          : { ...value, language: 'en' };
      },
    });
    const hooks = { STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: { order: 1, handle: seeing(seen) } };
    t.teardown(server.bulkhead.hooks.register({ name: 'second', hooks }));
    await store(acme, patientOf('broken'), patientOf('hidden'), patientOf('shown'));
    const { output, errors, resources } = await exported(acme, '$export');
    t.deepEqual(output, ['Patient/shown']);
    t.is(resources[0]?.language, 'en');
    t.deepEqual(errors, ['Patient/broken was left out: an interceptor failed on it.']);
    t.deepEqual(seen, ['shown'], 'what one hook leaves out no other is asked about');
    t.is((await acme.get<{ language?: string }>('Patient/shown')).body.language, undefined);
  },

  async STORAGE_PRESTORAGE_BATCH_JOB_CREATE(t) {
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_BATCH_JOB_CREATE: ({ job }) => {
        if (job.parameters.since !== null) throw refusal;
      },
    });
    assertError(t, await kickOff(acme, '$export?_since=2026-01-01'), 403, 'FORBIDDEN');
    t.is((await kickOff(acme, '$export')).status, 202);
  },

  async STORAGE_POSTSTORAGE_BATCH_JOB_CREATE(t) {
    const jobs: string[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: ({ job, request }) => {
        jobs.push(job.id);
        if (request.headers.has('x-refuse')) throw refusal;
      },
    });
    const { location } = await exported(acme, '$export');
    t.true(location.endsWith(jobs[0] ?? '-'));
    assertError(t, await kickOff(acme, '$export', undefined, { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    assertError(t, await acme.get(`$export-poll-status?_jobId=${jobs[1]}`), 404, 'NOT_FOUND');
  },

  async STORAGE_POSTCOMPLETE_BATCH_JOB(t) {
    const jobs: string[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_POSTCOMPLETE_BATCH_JOB: ({ job }) => {
        jobs.push(job.id);
        throw new Error('not heard');
      },
    });
    const { location } = await exported(acme, '$export');
    await eventually(t, () => jobs.length > 0);
    t.is(jobs.length, 1);
    t.true(location.endsWith(jobs[0] ?? '-'));
  },
};

function seeing(seen: unknown[]): (event: { readonly value: { readonly id?: string } }) => undefined {
  return ({ value }) => void seen.push(value.id);
}
