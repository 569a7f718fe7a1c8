import type { Bundle, Parameters } from 'fhir/r4.js';
import { FhirError, type Interceptor } from '../../../src/index.js';
import { assertError, type FhirClient } from '../support/fhir-client.js';
import { eventually, openHooked, PATIENT, type PointcutTest, type PointcutTests } from './fixtures.js';

const refusal = new FhirError('FORBIDDEN', 'refused by a hook');
const OWN = { settings: { partitioning: ['interceptors'] } } as const;
const DEFAULT_FOR_READS: Interceptor = {
  name: 'default-for-reads',
  hooks: { STORAGE_PARTITION_IDENTIFY_READ: () => ({ by: 'default' }) },
};

function manage(root: FhirClient, operation: string, ...parameter: readonly object[]) {
  return root.post<Parameters>(`$partition-management-${operation}`, {
    resourceType: 'Parameters',
    parameter,
  });
}

/** STORAGE_PARTITION_*, and INTERCEPTOR_REGISTERED. */
export const PARTITION_POINTCUTS: PointcutTests<'STORAGE_PARTITION_'> & {
  readonly INTERCEPTOR_REGISTERED: PointcutTest;
} = {
  async STORAGE_PARTITION_IDENTIFY_CREATE(t) {
    let asked = 0;
    const identify: Interceptor['hooks'] = {
      STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource, request }) => {
        asked += 1;
        if (resource['gender'] === 'male') throw refusal;
        if (resource['gender'] === 'unknown') return undefined;
        return { by: 'name', names: [request.headers.get('x-to')?.[0] ?? 'acme'] };
      },
    };
    const { root } = await openHooked(t, identify, { ...OWN, interceptors: [DEFAULT_FOR_READS] });
    const created = await root.post('Patient', PATIENT);
    t.is(created.status, 201);
    t.is(asked, 1);
    t.is(await root.count('Patient'), 0, 'it went to another partition than is read');
    assertError(t, await root.post('Patient', { ...PATIENT, gender: 'male' }), 403, 'FORBIDDEN');
    assertError(
      t,
      await root.post('Patient', { ...PATIENT, gender: 'unknown' }),
      500,
      'PARTITION_NOT_DECIDED',
    );
    assertError(t, await root.post('Patient', PATIENT, { 'x-to': 'nobody' }), 404, 'UNKNOWN_PARTITION');
    assertError(
      t,
      await root.post('ValueSet', { resourceType: 'ValueSet', status: 'draft' }),
      422,
      'NOT_PARTITIONABLE',
    );
  },

  async STORAGE_PARTITION_IDENTIFY_READ(t) {
    const asked: unknown[] = [];
    const identify: Interceptor['hooks'] = {
      STORAGE_PARTITION_IDENTIFY_CREATE: () => ({ by: 'id', ids: [1] }),
      STORAGE_PARTITION_IDENTIFY_READ: ({ target, request }) => {
        asked.push([target.interaction, target.resourceType, target.id, target.operation]);
        if (request.headers.has('x-refuse')) throw refusal;
        if (request.headers.has('x-pass')) return undefined;
        return { by: 'id', ids: request.headers.has('x-both') ? [1, 2] : [2] };
      },
    };
    const { root } = await openHooked(t, identify, OWN);
    const { headers } = await root.post('Patient', PATIENT);
    const path = `Patient/${/Patient\/([^/]+)/.exec(headers.get('location') ?? '')?.[1]}`;
    asked.length = 0;
    t.is((await root.get(path)).status, 404);
    t.is((await root.get(path, { 'x-both': '1' })).status, 200);
    assertError(t, await root.get(path, { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    const passed = await root.get(path, { 'x-pass': '1' });
    assertError(t, passed, 500, 'PARTITION_NOT_DECIDED');
    t.regex(passed.text, /STORAGE_PARTITION_IDENTIFY_READ.*tested@-1/);
    await root.get(`${path}/$meta`);
    t.is(asked.length, 5, 'once for each interaction');
    t.deepEqual(asked[0], ['read', 'Patient', path.split('/')[1], undefined]);
    t.deepEqual(asked[4], ['operation', 'Patient', path.split('/')[1], '$meta']);
  },

  async STORAGE_PARTITION_IDENTIFY_ANY(t) {
    const others: string[] = [];
    const { root } = await openHooked(
      t,
      {
        STORAGE_PARTITION_IDENTIFY_ANY: ({ request }) => {
          if (request.headers.has('x-refuse')) throw refusal;
          return request.headers.has('x-pass') ? undefined : { by: 'name', names: ['beta'] };
        },
        STORAGE_PARTITION_IDENTIFY_READ: () => void others.push('read'),
        STORAGE_PARTITION_IDENTIFY_CREATE: () => void others.push('create'),
      },
      OWN,
    );
    t.is((await root.put('Patient/p1', PATIENT)).status, 201);
    t.is((await root.get('Patient/p1')).status, 200);
    assertError(t, await root.get('Patient/p1', { 'x-refuse': '1' }), 403, 'FORBIDDEN');
    const passed = await root.post('Patient', PATIENT, { 'x-pass': '1' });
    assertError(t, passed, 500, 'PARTITION_NOT_DECIDED');
    t.regex(passed.text, /IDENTIFY_ANY/);
    t.deepEqual(others, [], 'the others are not asked');
  },

  async STORAGE_PARTITION_SELECTED(t) {
    const seen: unknown[] = [];
    const { acme, root } = await openHooked(t, {
      STORAGE_PARTITION_SELECTED: ({ partitions, all, target }) => {
        seen.push([target.interaction, partitions.map(({ name }) => name), all]);
        if (partitions.some(({ name }) => name === 'beta') && !all) throw refusal;
      },
    });
    t.is((await acme.get('Patient/p1')).status, 404);
    t.is((await root.tenant('_ALL').get('Patient')).status, 200);
    assertError(t, await root.tenant('beta').get('Patient/p1'), 403, 'FORBIDDEN');
    assertError(t, await root.tenant('beta').post('Patient', PATIENT), 403, 'FORBIDDEN');
    t.deepEqual(seen, [
      ['read', ['acme'], false],
      ['search-type', ['DEFAULT', 'acme', 'beta'], true],
      ['read', ['beta'], false],
      ['create', ['beta'], false],
    ]);
  },

  async STORAGE_PARTITION_QUOTA(t) {
    const asked: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PARTITION_QUOTA: async ({ partition, request }) => {
        asked.push([partition.name, request.interaction]);
        if (request.interaction === 'update') throw refusal;
        return { resources: 1 };
      },
    });
    t.is((await acme.post('Patient', PATIENT)).status, 201);
    assertError(t, await acme.post('Patient', PATIENT), 429, 'QUOTA_EXCEEDED');
    assertError(t, await acme.put('Patient/p2', { ...PATIENT, id: 'p2' }), 403, 'FORBIDDEN');
    t.deepEqual(asked.slice(-1), [['acme', 'update']]);
    t.is(await acme.count('Patient'), 1);
  },

  async STORAGE_PARTITION_USED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      STORAGE_PARTITION_QUOTA: () => ({ resources: 2 }),
      STORAGE_PARTITION_USED: ({ partition, usage, quota, mayBeTold }) => {
        seen.push([partition.name, usage.resources, quota.resources, mayBeTold]);
        throw refusal;
      },
    });
    t.is((await acme.post('Patient', PATIENT)).status, 201, 'a throw changes nothing');
    t.deepEqual(seen, [['acme', 1, 2, true]]);
  },

  async STORAGE_PARTITION_CREATED(t) {
    const seen: unknown[] = [];
    const { root } = await openHooked(
      t,
      {
        STORAGE_PARTITION_CREATED: async ({ partition, request }) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          seen.push([partition.id, partition.name, request?.operation]);
          if (partition.name === 'refused') throw refusal;
        },
      },
      { partitions: [] },
    );
    t.is((await manage(root, 'create-partition', { name: 'name', valueCode: 'first' })).status, 200);
    assertError(
      t,
      await manage(root, 'create-partition', { name: 'name', valueCode: 'refused' }),
      403,
      'FORBIDDEN',
    );
    assertError(t, await root.tenant('refused').get('Patient'), 404, 'UNKNOWN_PARTITION');
    t.is((await manage(root, 'create-partition', { name: 'name', valueCode: 'second' })).status, 200);
    const create = '$partition-management-create-partition';
    t.deepEqual(seen, [
      [1, 'first', create],
      [2, 'refused', create],
      [2, 'second', create],
    ]);
  },

  async STORAGE_PARTITION_DELETED(t) {
    const seen: string[] = [];
    const { root, acme } = await openHooked(t, {
      STORAGE_PARTITION_DELETED: ({ partition }) => {
        seen.push(partition.name);
        if (seen.length === 1) throw refusal;
      },
    });
    const beta = { name: 'id', valueInteger: 2 };
    assertError(t, await manage(root, 'delete-partition', beta), 403, 'FORBIDDEN');
    t.is((await root.tenant('beta').get<Bundle>('Patient')).status, 200, 'the throw has undone it');
    t.is((await manage(root, 'delete-partition', beta)).status, 200);
    assertError(t, await root.tenant('beta').get('Patient'), 404, 'UNKNOWN_PARTITION');
    await acme.put('Patient/p1', PATIENT);
    const purge = { name: 'purge', valueBoolean: true };
    t.is((await manage(root, 'delete-partition', { name: 'id', valueInteger: 1 }, purge)).status, 200);
    await eventually(t, () => seen.length === 3);
    t.deepEqual(seen, ['beta', 'beta', 'acme']);
  },

  async INTERCEPTOR_REGISTERED(t) {
    const seen: string[] = [];
    const { server } = await openHooked(t, { INTERCEPTOR_REGISTERED: () => void seen.push('first') });
    t.deepEqual(seen, ['first']);
    const { hooks } = server.bulkhead;
    const remove = hooks.register({
      name: 'late',
      hooks: { INTERCEPTOR_REGISTERED: () => void seen.push('late') },
    });
    t.deepEqual(seen, ['first', 'late'], 'nobody hears of the others');
    remove();
    const failing = {
      name: 'failing',
      hooks: {
        INTERCEPTOR_REGISTERED: () => {
          throw new Error('not now');
        },
      },
    };
    t.throws(() => hooks.register(failing), { message: 'not now' });
    t.false(hooks.interceptors().includes(failing));
  },
};
