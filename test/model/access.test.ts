import test from 'ava';
import {
  accessOf,
  accessOfPrincipal,
  type Access,
  type Grant,
  insufficientScope,
  isGrantedWhole,
  isToldByContext,
  isWide,
} from '../../src/model/access.js';
import { PRINCIPAL, type Principal } from '../../src/model/principal.js';
import type { Permission } from '../../src/model/smart-scope.js';
import { aRequest } from '../hooks/fixtures.js';

const PERMISSIONS: readonly Permission[] = ['create', 'read', 'update', 'delete', 'search'];

function principalOf(scopes: string, claims: Partial<Principal> = {}): Principal {
  return {
    issuer: 'https://issuer.example',
    tenants: { kind: 'all' },
    admin: false,
    expires: 0,
    ...claims,
    scopes: scopes.split(' '),
  };
}

function accessTo(scopes: string, claims: Partial<Principal> = {}): Access {
  return accessOfPrincipal(principalOf(scopes, claims));
}

/** What is granted, by permission. */
function grantsTo(type: string, scopes: string, claims: Partial<Principal> = {}): Record<string, string> {
  const { grantOf } = accessTo(scopes, claims);
  return Object.fromEntries(PERMISSIONS.map((permission) => [permission, grantOf(permission, type).kind]));
}

const of = (kind: Grant['kind'], ...permissions: readonly Permission[]): Record<string, string> =>
  Object.fromEntries(PERMISSIONS.map((one) => [one, permissions.includes(one) ? kind : 'none']));

const OF_P1 = { patient: 'p1' };

test('a scope grants its permissions on its type alone', (t) => {
  t.deepEqual(grantsTo('Patient', 'system/Patient.rs'), of('all', 'read', 'search'));
  t.deepEqual(grantsTo('Observation', 'system/Patient.rs'), of('none'));
  t.deepEqual(grantsTo('*', 'system/Patient.rs'), of('none'));
});

test('a scope of every type grants each of them', (t) => {
  t.deepEqual(grantsTo('Patient', 'system/*.cud'), of('all', 'create', 'update', 'delete'));
  t.deepEqual(grantsTo('*', 'system/*.cud'), of('all', 'create', 'update', 'delete'));
});

test('what nobody understands grants nothing, and takes nothing away', (t) => {
  t.deepEqual(grantsTo('Patient', 'openid launch system/Patient.r fhirUser'), of('all', 'read'));
  t.false(accessTo('openid launch').grantsAny);
  t.true(accessTo('openid system/Patient.r').grantsAny);
});

test('a scope of a patient is limited to the one that the token names', (t) => {
  const { grantOf } = accessTo('patient/Observation.rs', OF_P1);
  t.deepEqual(grantOf('read', 'Observation'), {
    kind: 'limited',
    alternatives: [{ patient: 'p1', criteria: [] }],
  });
});

test('a scope of a patient grants nothing where the token names none', (t) => {
  for (const claims of [{}, { patient: '' }, { patient: 'a/b' }, { patient: 'x'.repeat(65) }])
    t.deepEqual(grantsTo('Observation', 'patient/Observation.rs', claims), of('none'), claims.patient);
  t.true(accessTo('patient/Observation.rs', OF_P1).grantsAny);
  t.false(accessTo('patient/Observation.rs').grantsAny);
});

test('a patient whose id reads like undefined must be named all the same', (t) => {
  t.deepEqual(
    grantsTo('Observation', 'patient/Observation.rs', { patient: 'undefined' }),
    of('limited', 'read', 'search'),
  );
  t.deepEqual(grantsTo('Observation', 'patient/Observation.rs'), of('none'));
});

test('a scope of a user needs a user', (t) => {
  t.deepEqual(grantsTo('Patient', 'user/Patient.r', { fhirUser: 'Practitioner/1' }), of('all', 'read'));
  t.deepEqual(grantsTo('Patient', 'user/Patient.r', { fhirUser: '' }), of('none'));
  t.deepEqual(grantsTo('Patient', 'user/Patient.r'), of('none'));
});

test('criteria limit what is granted, and a scope without them lifts the limit', (t) => {
  const limited = accessTo('system/Observation.rs?category=lab').grantOf('read', 'Observation');
  t.deepEqual(limited, {
    kind: 'limited',
    alternatives: [{ patient: null, criteria: [['category', 'lab']] }],
  });
  t.is(
    accessTo('system/Observation.rs?category=lab system/Observation.r').grantOf('read', 'Observation').kind,
    'all',
  );
});

test('several scopes are alternatives', (t) => {
  const { grantOf } = accessTo('patient/Observation.rs system/Observation.r?category=lab', OF_P1);
  t.deepEqual(grantOf('read', 'Observation'), {
    kind: 'limited',
    alternatives: [
      { patient: 'p1', criteria: [] },
      { patient: null, criteria: [['category', 'lab']] },
    ],
  });
});

test('what lies outside of records is read by scopes of a patient, and not written', (t) => {
  for (const type of [
    'Practitioner',
    'Organization',
    'Location',
    'Medication',
    'PractitionerRole',
    'ValueSet',
  ])
    t.deepEqual(grantsTo(type, 'patient/*.cruds', OF_P1), of('all', 'read', 'search'), type);
  t.deepEqual(grantsTo('Observation', 'patient/*.cruds', OF_P1), of('limited', ...PERMISSIONS));
});

test('what goes beyond a patient is granted by other scopes', (t) => {
  const { grantBeyondPatient } = accessTo('patient/*.rs system/Observation.r', OF_P1);
  t.is(grantBeyondPatient('read', 'Observation').kind, 'all');
  t.is(grantBeyondPatient('search', 'Observation').kind, 'none');
  t.is(grantBeyondPatient('read', 'Practitioner').kind, 'none');
});

test('whoever reads every type without limits sees everything', (t) => {
  t.true(isWide(accessTo('system/*.r')));
  t.false(isWide(accessTo('system/*.cuds')));
  t.false(isWide(accessTo('system/*.r?_tag=x')));
  t.false(isWide(accessTo('patient/*.r', OF_P1)));
  t.false(isWide(accessTo('system/Patient.r')));
});

const digestOf = (scopes: string, claims: Partial<Principal> = {}): string => accessTo(scopes, claims).digest;

const isWhole = (scopes: string, type: string): boolean =>
  isGrantedWhole(accessTo(scopes, OF_P1), 'search', type);

test('what is granted whole is granted without limits, and nothing hidden within it', (t) => {
  t.true(isWhole('system/Patient.s', 'Patient'));
  t.false(isWhole('system/Patient.r', 'Patient'));
  t.false(isWhole('patient/Patient.s', 'Patient'));
  t.false(isWhole('system/Patient.s?name=x', 'Patient'));
  t.true(isWhole('system/*.rs', '*'));
  for (const scopes of ['system/*.s', 'system/*.r', 'system/Patient.rs']) t.false(isWhole(scopes, '*'));
  t.true(isWhole('system/*.r system/Binary.s', 'Binary'));
  t.false(isWhole('system/Binary.rs', 'Binary'));
});

test('who may see a Binary is said by its context, but to those who read everything', (t) => {
  t.true(isToldByContext(accessTo('system/Binary.rs'), 'Binary'));
  t.false(isToldByContext(accessTo('system/*.r'), 'Binary'));
  t.false(isToldByContext(accessTo('system/Patient.r'), 'Patient'));
});

test('tokens that may do the same have one digest, and others have another', (t) => {
  const READ = 'system/Patient.r';
  const USER = 'user/Patient.r';
  t.is(
    digestOf(`openid ${READ} system/List.r`, { subject: 'x' }),
    digestOf(`system/List.r ${READ} ${READ} ${USER}`, { subject: 'y', fhirUser: '' }),
  );
  const digests = [
    digestOf('openid'),
    digestOf(READ),
    digestOf(`${READ} system/List.r`),
    digestOf(READ, OF_P1),
    digestOf(READ, { patient: 'p2' }),
    digestOf(`${READ} ${USER}`, { fhirUser: 'Patient/1' }),
    digestOf(`${READ} ${USER}`, { fhirUser: 'Patient/1', ...OF_P1 }),
  ];
  t.is(new Set(digests).size, digests.length);
});

test('what a token grants is read once', (t) => {
  const principal = principalOf('system/Patient.r?name=x', { admin: true });
  const access = accessOfPrincipal(principal);
  t.is(accessOfPrincipal(principal), access);
  t.true(access.admin);
  t.is(access.grantOf('read', 'Patient'), access.grantOf('read', 'Patient'));
});

test('a request of somebody may do what the token grants, and one of nobody in particular everything', (t) => {
  const principal = principalOf('system/Patient.r');
  const request = { ...aRequest(), attributes: new Map([[PRINCIPAL, principal]]) };
  t.is(accessOf(request), accessOfPrincipal(principal));
  t.is(accessOf({ ...aRequest(), parent: request }), accessOfPrincipal(principal));
  t.is(accessOf(aRequest()), null);
});

test('a refusal says that the scope does not suffice', (t) => {
  const error = insufficientScope('No.');
  t.is(error.code, 'FORBIDDEN');
  t.is(error.message, 'No.');
});
