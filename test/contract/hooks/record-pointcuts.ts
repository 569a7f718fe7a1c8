import type { Bundle } from 'fhir/r4.js';
import { FhirError, type Resource } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import { bundleOf, openHooked, PATIENT, type PointcutTests } from './fixtures.js';

/** Those by which a server stores something of its own. */
export type RecordTests = Pick<
  PointcutTests<'SERVER_' | 'STORAGE_'>,
  'SERVER_INTERACTION_COMPLETED' | 'SERVER_STOPPING' | 'STORAGE_PRESTORAGE_RECORDS'
>;

const refusal = new FhirError('FORBIDDEN', 'refused by a hook');

/** A record about a resource. */
export function basicAbout(reference: string): Resource {
  return { resourceType: 'Basic', code: { text: 'seen' }, subject: { reference } };
}

export const RECORD_POINTCUTS: RecordTests = {
  async SERVER_INTERACTION_COMPLETED(t) {
    const seen: unknown[] = [];
    const { server, acme, root } = await openHooked(t, {
      SERVER_INTERACTION_COMPLETED: async ({ request, status, error, record }) => {
        seen.push([request.interaction, status, error === undefined ? undefined : (error as FhirError).code]);
        if (request.headers.has('x-refuse')) throw refusal;
        if (request.interaction !== 'read' || status !== 200) return;
        const { id } = server.bulkhead.parts.directory.byName('acme')!;
        await record(id, [basicAbout('Patient/p1')]);
      },
    });
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    t.is((await acme.get('Patient/p1')).status, 200);
    t.is(await acme.count('Basic?subject=Patient/p1'), 1, 'a record is stored, and found as any resource');
    assertError(t, await acme.get('Patient/none'), 404, 'NOT_FOUND');
    assertError(t, await acme.get('Patient/p1', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    t.is((await root.get('no/such/thing')).status, 404);
    const read = { request: { method: 'GET', url: 'Patient/p1' } };
    const write = { resource: PATIENT, request: { method: 'PUT', url: 'Patient/p1' } };
    for (const type of ['batch', 'transaction'] as const) {
      seen.length = 0;
      const answer = await acme.post<Bundle>('', bundleOf(type, read, write));
      t.is(answer.body.entry?.length, 2);
      const entries = seen.slice(0, 2).map((one) => JSON.stringify(one));
      t.deepEqual(entries.toSorted(), ['["read",200,null]', '["update",200,null]']);
      t.deepEqual(seen.slice(2), [[type, 200, undefined]]);
    }
  },

  async SERVER_STOPPING(t) {
    const seen: string[] = [];
    const { server, acme } = await openHooked(t, {
      SERVER_STOPPING: async () => {
        const { id } = server.bulkhead.parts.directory.byName('acme')!;
        const scope = server.bulkhead.parts.resolver.scopeOfJob(id);
        const [found] = await server.bulkhead.parts.resources.read(scope, 'Patient', 'p1');
        seen.push(found?.id ?? 'nothing');
        throw new Error('logged and forgotten');
      },
    });
    await acme.put('Patient/p1', PATIENT);
    await server.stop();
    t.deepEqual(seen, ['p1'], 'storage is open still');
  },

  async STORAGE_PRESTORAGE_RECORDS(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PRESTORAGE_RECORDS: ({ request, writes, value }) => {
        if (request.headers.has('x-refuse')) throw refusal;
        for (const { action, type, version, resource, previous } of writes)
          seen.push([action, type, version, resource['gender'], previous()?.['gender']]);
        const stored = writes.filter(({ action }) => action !== 'delete');
        return [
          ...value,
          ...stored.map(({ partition, id }) => ({ partition, resource: basicAbout(`Patient/${id}`) })),
        ];
      },
      STORAGE_PRECOMMIT_RESOURCE_CREATED: ({ request }) => {
        if (request.headers.has('x-late')) throw refusal;
      },
    });
    await acme.put('Patient/p1', PATIENT);
    await acme.put('Patient/p1', { ...PATIENT, gender: 'male' });
    t.is(await acme.count('Basic?subject=Patient/p1'), 2);
    const other = { ...PATIENT, id: 'p2' };
    assertError(t, await acme.put('Patient/p2', other, { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    assertError(t, await acme.put('Patient/p2', other, { 'x-late': '1' }), 403, 'FORBIDDEN');
    t.deepEqual(
      [await acme.count('Patient'), await acme.count('Basic')],
      [1, 2],
      'both are stored, or neither is',
    );
    const entry = { resource: other, request: { method: 'PUT', url: 'Patient/p2' } };
    t.is((await acme.post('', bundleOf('transaction', entry))).status, 200);
    t.is(await acme.count('Basic?subject=Patient/p2'), 1);
    assertError(t, await acme.delete('Patient/p2'), 409, 'DELETE_CONFLICT');
    t.deepEqual(seen.slice(0, 2), [
      ['create', 'Patient', 1, 'female', undefined],
      ['update', 'Patient', 2, 'male', 'female'],
    ]);
    t.deepEqual(seen.at(-1), ['delete', 'Patient', 2, 'female', 'female']);
  },
};
