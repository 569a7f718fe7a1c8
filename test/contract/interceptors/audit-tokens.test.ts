import test from 'ava';
import type { AuditEvent } from 'fhir/r4.js';
import { decodeJwt } from 'jose';
import { audit } from '../../../interceptors/index.js';
import { openGuarded, PATIENT } from '../auth/fixtures.js';
import { ADMIN } from '../auth/issuer.js';
import { askToken, type ClientKey, keySetOf, makeKey, openTokenServer } from '../auth/server/fixtures.js';
import type { FhirClient } from '../support/fhir-client.js';
import { eventsIn, shapeOf } from './audit-fixtures.js';

const ACME = { tenant_id: 'acme', client_id: 'app', sub: 'dr-1', fhirUser: 'Practitioner/d1', jti: 'jti-1' };

test('the client, the user and the id of the token are told, and never the token', async (t) => {
  const { as, issuer } = await openGuarded(t, { interceptors: [audit()] });
  t.is((await as(ACME, 'acme/Patient/p1', { method: 'PUT', body: { ...PATIENT, id: 'p1' } })).status, 201);
  t.is((await as(ACME, 'acme/Patient/p1')).status, 200);
  const answer = await as(ACME, 'acme/AuditEvent?_sort=_lastUpdated');
  const events = eventsIn(answer);
  t.deepEqual(
    events.map((event) => shapeOf(event)[1]),
    ['create', 'read'],
  );
  for (const { agent } of events) {
    t.deepEqual(
      agent.map(({ who, requestor, policy }) => [
        who?.identifier?.system,
        who?.identifier?.value,
        requestor,
        policy,
      ]),
      [
        [issuer.issuer, 'app', false, undefined],
        ['urn:ietf:rfc:3986', agent[1]?.who?.identifier?.value, false, undefined],
        [issuer.issuer, 'dr-1', true, ['jti-1']],
      ],
    );
    t.is(agent[2]?.name, 'Practitioner/d1');
  }
  t.notRegex(answer.text, /eyJ/, 'no token is in it');
});

test('a client of the server itself is told by its partition and its id, with the id of its token', async (t) => {
  const { acme, root, register, server } = await openTokenServer({ interceptors: [audit()] });
  t.teardown(() => server.stop());
  const key = await makeKey('ES384');
  const registration = { id: 'nightly', scope: 'system/*.rs', jwks: keySetOf(key) };
  await register('acme', registration);
  await register('DEFAULT', { ...registration, tenants: ['acme'] });
  const tokens = [await tokenOf(acme, key), await tokenOf(root, key)];
  for (const token of tokens)
    t.is((await acme.get('Patient', { authorization: `Bearer ${token}` })).status, 200);
  const headers = { authorization: `Bearer ${tokens[0]}` };
  const events = eventsIn(await acme.get('AuditEvent?_sort=_lastUpdated', headers));
  const partition = server.bulkhead.partitions.read({ name: 'acme' }).id;
  t.deepEqual(
    events.map(({ agent: [asker, , ...others] }) => [
      asker?.who?.identifier,
      asker?.requestor,
      asker?.policy,
      others,
    ]),
    [`${partition}/nightly`, '0/nightly'].map((value, at) => [
      { system: root.base, value },
      true,
      [decodeJwt(tokens[at]!).jti],
      [],
    ]),
  );
});

async function tokenOf(at: FhirClient, key: ClientKey): Promise<string> {
  return String((await askToken(at, key, 'nightly')).body['access_token']);
}

test('who has no token, or one of another tenant, is told in DEFAULT; the tenant that was tried learns nothing', async (t) => {
  const { as, client } = await openGuarded(t, { interceptors: [audit()] });
  t.is((await client.get('acme/Patient')).status, 401);
  t.is((await as({ ...ACME, tenant_id: 'beta', jti: 'jti-2' }, 'acme/Patient/p1')).status, 403);
  const all = { scope: `${ADMIN} system/*.cruds`, tenant_id: '_ALL' };
  const told = eventsIn(await as(all, 'DEFAULT/AuditEvent?_sort=_lastUpdated'));
  t.deepEqual(
    told.map(({ outcomeDesc, agent }) => [outcomeDesc, agent[0]?.who?.display ?? agent[2]?.policy?.[0]]),
    [
      ['LOGIN_REQUIRED', 'unknown'],
      ['FORBIDDEN', 'jti-2'],
    ],
  );
  t.deepEqual(eventsIn(await as(ACME, 'acme/AuditEvent')), []);
});

test('a token that opens one patient reads its events, and writes what is audited all the same', async (t) => {
  const { as } = await openGuarded(t, { interceptors: [audit()] });
  for (const id of ['p1', 'p2'])
    await as(ACME, `acme/Patient/${id}`, { method: 'PUT', body: { ...PATIENT, id } });
  const own = { ...ACME, scope: 'patient/*.cruds', patient: 'p1' };
  const body = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/p1' },
  };
  t.is((await as(own, 'acme/Observation', { body })).status, 201);
  const seen = eventsIn(await as(own, 'acme/AuditEvent?_sort=_lastUpdated'));
  t.deepEqual(seen.map(patientOf), ['Patient/p1', 'Patient/p1']);
  const [event] = seen;
  t.is((await as(own, `acme/AuditEvent/${event?.id}`, { method: 'DELETE' })).status, 403);
});

function patientOf({ entity = [] }: AuditEvent): string | undefined {
  return entity.find(({ role }) => role?.code === '1')?.what?.reference;
}
