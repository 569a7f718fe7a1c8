import test from 'ava';
import type { ExecutionContext } from 'ava';
import { consent } from '../../interceptors/consent.js';
import type { ConsentService } from '../../interceptors/consent.js';
import { PATIENT, send, serve } from './fixtures.js';
import type { Answer } from './fixtures.js';

/** Two patients, stored before the service is asked. */
async function asked(t: ExecutionContext, service: ConsentService) {
  let isStored = false;
  const whenStored: ConsentService = {
    ...service,
    startOperation: (request) => (isStored ? (service.startOperation?.(request) ?? 'proceed') : 'authorized'),
  };
  const server = await serve(t, { partitions: ['acme'], interceptors: [consent(whenStored)] });
  for (const id of ['p1', 'p2'])
    await send(server, `acme/Patient/${id}`, { method: 'PUT', body: { ...PATIENT, id } });
  isStored = true;
  return (path: string): Promise<Answer> => send(server, `acme/${path}`);
}

test('without consent to the request it is refused', async (t) => {
  const get = await asked(t, { startOperation: () => 'reject' });
  t.is((await get('Patient/p1')).code, 'FORBIDDEN');
});

test('a resource that may not be seen is as one that never was', async (t) => {
  const get = await asked(t, { canSeeResource: (_request, { id }) => id !== 'p2' });
  t.is((await get('Patient/p1')).status, 200);
  const [hidden, never] = [await get('Patient/p2'), await get('Patient/never')];
  t.is(hidden.status, 404);
  t.is(hidden.code, never.code);
  t.is(((await get('Patient')).body['entry'] as readonly unknown[]).length, 1);
});

test('what is shown can be less than what is stored', async (t) => {
  const get = await asked(t, {
    willSeeResource: (_request, { resourceType, id, meta }) => ({
      resourceType,
      id: id!,
      ...(meta && { meta }),
    }),
  });
  const { body } = await get('Patient/p1');
  t.is(body['id'], 'p1');
  t.is(body['name'], undefined);
});

test('after "authorized" no resource is asked about', async (t) => {
  const get = await asked(t, { startOperation: () => 'authorized', canSeeResource: () => false });
  t.is((await get('Patient/p1')).status, 200);
});

test('a service that fails shows nothing', async (t) => {
  const get = await asked(t, {
    canSeeResource: () => {
      throw new Error('the register cannot be reached');
    },
  });
  const { status, body } = await get('Patient/p1');
  t.is(status, 500);
  t.notRegex(JSON.stringify(body), /register|Okafor/);
});

test('it is told how each request ended', async (t) => {
  const ended: number[] = [];
  const get = await asked(t, { completeOperation: (_request, status) => void ended.push(status) });
  ended.length = 0;
  await get('Patient/p1');
  await get('Patient/never');
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(ended, [200, 404]);
});
