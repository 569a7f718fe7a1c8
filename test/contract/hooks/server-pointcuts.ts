import type { OperationOutcome, Patient } from 'fhir/r4.js';
import { FhirError } from '../../../src/index.js';
import { assertError } from '../support/fhir-client.js';
import { bundleOf, eventually, openHooked, PATIENT, type PointcutTests } from './fixtures.js';
import type { RecordTests } from './record-pointcuts.js';

const refusal = new FhirError('FORBIDDEN', 'refused by a hook');

/** SERVER_*: what happens around an interaction. */
export const SERVER_POINTCUTS: Omit<PointcutTests<'SERVER_'>, keyof RecordTests> = {
  async SERVER_INCOMING_REQUEST_PRE_PROCESSED(t) {
    const seen: (string | undefined)[] = [];
    const { root, server } = await openHooked(t, {
      SERVER_INCOMING_REQUEST_PRE_PROCESSED: ({ request, response }) => {
        seen.push(`${request.method} ${request.url}`);
        if (request.headers['x-act'] === 'throw') throw refusal;
        if (request.headers['x-act'] !== 'answer') return;
        response.writeHead(418, { 'content-type': 'text/plain' }).end('written by the hook');
        return false;
      },
    });
    t.is((await root.get('metadata')).status, 200);
    assertError(t, await root.get('no/such/thing', { 'x-act': 'throw' }), 403, 'FORBIDDEN');
    const answered = await root.get('metadata', { 'x-act': 'answer' });
    t.is(answered.status, 418);
    t.is(answered.text, 'written by the hook');
    t.is((await fetch(`${server.url}/Patient`, { method: 'OPTIONS' })).status, 204);
    t.deepEqual(seen, [
      'GET /fhir/metadata',
      'GET /fhir/no/such/thing',
      'GET /fhir/metadata',
      'OPTIONS /fhir/Patient',
    ]);
  },

  async SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED(t) {
    const bodies: unknown[] = [];
    const { acme } = await openHooked(t, {
      SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: ({ request, response }) => {
        bodies.push(request.body);
        if (!request.headers.has('authorization')) {
          throw new FhirError('LOGIN_REQUIRED', 'no token', { headers: { 'www-authenticate': 'Bearer' } });
        }
        if (request.resourceId !== 'cached') return;
        response.status = 203;
        response.headers['x-cache'] = 'hit';
        response.body = { resourceType: 'Patient', id: 'cached' };
        return false;
      },
    });
    const token = { authorization: 'Bearer x' };
    const refused = await acme.put('Patient/p1', '{"not":', {});
    assertError(t, refused, 401, 'LOGIN_REQUIRED');
    t.is(refused.headers.get('www-authenticate'), 'Bearer');
    t.is((await acme.put('Patient/p1', PATIENT, token)).status, 201);
    const cached = await acme.get<Patient>('Patient/cached', token);
    t.deepEqual([cached.status, cached.headers.get('x-cache'), cached.body.id], [203, 'hit', 'cached']);
    t.truthy(cached.headers.get('x-request-id'));
    t.deepEqual(bodies, [undefined, undefined, undefined], 'it fires before the body is read');
  },

  async SERVER_INCOMING_REQUEST_POST_PROCESSED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      SERVER_INCOMING_REQUEST_POST_PROCESSED: ({ request, response }) => {
        seen.push([request.interaction, request.urlTenant, (request.body as Patient | undefined)?.gender]);
        if (request.method === 'DELETE') throw refusal;
        if (request.resourceId !== 'written') return;
        Object.assign(response, { status: 200, body: 'written by the hook' });
        response.headers['content-type'] = 'text/plain';
        return false;
      },
    });
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    assertError(t, await acme.delete('Patient/p1'), 403, 'FORBIDDEN');
    t.is((await acme.get('Patient/written')).text, 'written by the hook');
    await acme.post('', bundleOf('transaction'));
    t.deepEqual(seen, [
      ['update', 'acme', 'female'],
      ['delete', 'acme', undefined],
      ['read', 'acme', undefined],
      ['transaction', 'acme', undefined],
    ]);
  },

  async SERVER_INCOMING_REQUEST_PRE_HANDLED(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      SERVER_INCOMING_REQUEST_PRE_HANDLED: ({ request }) => {
        seen.push([request.interaction, request.parent?.interaction]);
        if (request.resourceId === 'secret') throw refusal;
      },
    });
    assertError(t, await acme.get('Patient/secret'), 403, 'FORBIDDEN');
    const entries = ['secret', 'open'].map((id) => ({ request: { method: 'GET', url: `Patient/${id}` } }));
    const answer = await acme.post<{ entry: { response: { status: string } }[] }>(
      '',
      bundleOf('batch', ...entries),
    );
    t.deepEqual(
      answer.body.entry.map(({ response }) => response.status),
      ['403 Forbidden', '404 Not Found'],
    );
    const write = {
      resource: { ...PATIENT, id: 'secret' },
      request: { method: 'PUT', url: 'Patient/secret' },
    };
    assertError(t, await acme.post('', bundleOf('transaction', write)), 403, 'FORBIDDEN');
    t.deepEqual(seen.slice(0, 4), [
      ['read', undefined],
      ['batch', undefined],
      ['read', 'batch'],
      ['read', 'batch'],
    ]);
    t.deepEqual(seen.slice(4), [
      ['transaction', undefined],
      ['update', 'transaction'],
    ]);
  },

  async SERVER_PRE_PROCESS_OUTGOING_EXCEPTION(t) {
    const seen: unknown[] = [];
    const { acme, root } = await openHooked(t, {
      SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: ({ error, request }) => {
        seen.push([(error as Error).message, request?.interaction]);
        if (request?.resourceId === 'replaced') return new FhirError('GONE', 'gone for good');
        if (request?.resourceId === 'thrown') throw new FhirError('BUSY', 'later');
        return undefined;
      },
    });
    assertError(t, await acme.get('Patient/replaced'), 410, 'GONE');
    assertError(t, await acme.get('Patient/thrown'), 503, 'BUSY');
    assertError(t, await acme.get('Patient/other'), 404, 'NOT_FOUND');
    await root.send('PUT', 'metadata');
    t.is(seen.length, 4);
    t.deepEqual(seen[2], ['Patient/other was not found.', 'read']);
    t.is((seen[3] as unknown[])[1], undefined, 'the request was never understood');
  },

  async SERVER_HANDLE_EXCEPTION(t) {
    const { acme } = await openHooked(t, {
      SERVER_HANDLE_EXCEPTION: ({ error, request, response }) => {
        if (request?.resourceId === 'thrown') throw new Error('the handler failed');
        Object.assign(response.headers, { 'x-hook': 'was here', 'content-type': 'text/css', allow: 'PUT' });
        if (request?.resourceId !== 'handled') return;
        Object.assign(response, { status: 404, body: `${error.code} handled` });
        response.headers['content-type'] = 'text/plain';
        return false;
      },
    });
    const handled = await acme.get('Patient/handled');
    t.deepEqual([handled.status, handled.text], [404, 'NOT_FOUND handled']);
    const thrown = await acme.get('Patient/thrown');
    assertError(t, thrown, 500, 'INTERNAL');
    t.false(thrown.text.includes('the handler failed'));
    const other = await acme.get('Patient/other');
    assertError(t, other, 404, 'NOT_FOUND');
    t.is(other.headers.get('x-hook'), 'was here');
    t.regex(other.headers.get('content-type') ?? '', /^application\/fhir\+json/);
    t.is((await acme.send('PATCH', 'metadata')).headers.get('allow'), 'GET, HEAD', 'its own go before');
  },

  async SERVER_OUTGOING_RESPONSE(t) {
    const { acme } = await openHooked(t, {
      SERVER_OUTGOING_RESPONSE: ({ value, request }) => {
        if (request.resourceId === 'refused') throw refusal;
        return {
          ...value,
          status: value.status === 201 ? 299 : value.status,
          headers: { ...value.headers, 'x-hook': 'was here' },
        };
      },
    });
    const created = await acme.put('Patient/p1', PATIENT);
    t.deepEqual([created.status, created.headers.get('x-hook')], [299, 'was here']);
    assertError(t, await acme.put('Patient/refused', { ...PATIENT, id: 'refused' }), 403, 'FORBIDDEN');
    t.is(await acme.count('Patient?_id=refused'), 1, 'what was stored stays stored');
    t.is(
      (await acme.get('Patient/none')).headers.get('x-hook'),
      null,
      'failures have a pointcut of their own',
    );
  },

  async SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME(t) {
    const { acme } = await openHooked(t, {
      SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: ({ value, status, request }) => {
        if (request?.resourceId === 'thrown') throw new Error('the hook failed');
        const issue = [
          ...value.issue,
          { severity: 'information', code: 'informational', diagnostics: `status ${status}` } as const,
        ];
        return { ...value, issue };
      },
    });
    const failed = await acme.get<OperationOutcome>('Patient/none');
    t.is(failed.status, 404);
    t.is(failed.body.issue[1]?.diagnostics, 'status 404');
    assertError(t, await acme.get('Patient/thrown'), 500, 'INTERNAL');
  },

  async SERVER_PROCESSING_COMPLETED_NORMALLY(t) {
    const seen: unknown[] = [];
    const { acme } = await openHooked(t, {
      SERVER_PROCESSING_COMPLETED_NORMALLY: ({ request, status }) => {
        seen.push([request.interaction, status]);
        throw new Error('logged and forgotten');
      },
    });
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    t.is((await acme.get('Patient/none')).status, 404);
    t.is((await acme.get('Patient/p1')).status, 200);
    await eventually(t, () => seen.length === 2);
    t.deepEqual(seen, [
      ['update', 201],
      ['read', 200],
    ]);
  },

  async SERVER_PROCESSING_COMPLETED(t) {
    const seen: unknown[] = [];
    const { acme, root } = await openHooked(t, {
      SERVER_PROCESSING_COMPLETED_NORMALLY: () => void seen.push('normally'),
      SERVER_PROCESSING_COMPLETED: ({ request, status }) => {
        seen.push([request?.interaction, status]);
        throw new Error('logged and forgotten');
      },
    });
    t.is((await acme.put('Patient/p1', PATIENT)).status, 201);
    t.is((await acme.get('Patient/none')).status, 404);
    t.is((await root.get('no/such/thing')).status, 404);
    t.is((await acme.put('Patient/p2', '{')).status, 400);
    await eventually(t, () => seen.length === 5);
    t.deepEqual(seen, ['normally', ['update', 201], ['read', 404], [undefined, 404], ['update', 400]]);
  },

  async SERVER_CAPABILITY_STATEMENT_GENERATED(t) {
    const { acme } = await openHooked(t, {
      SERVER_CAPABILITY_STATEMENT_GENERATED: ({ value, request }) => {
        if (request.urlTenant === 'beta') throw refusal;
        return { ...value, title: `of ${request.urlTenant}` };
      },
    });
    const statement = await acme.get<{ readonly title: string }>('metadata');
    t.is(statement.body.title, 'of acme');
    assertError(t, await acme.get(acme.base.replace('acme', 'beta/metadata')), 403, 'FORBIDDEN');
  },
};
