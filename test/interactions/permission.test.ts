import test from 'ava';
import { FhirError } from '../../src/model/errors.js';
import { PRINCIPAL, type Principal } from '../../src/model/principal.js';
import type { Interaction, RequestDetails } from '../../src/model/request.js';
import type { Permission } from '../../src/model/smart-scope.js';
import {
  assertGranted,
  assertMayClaimId,
  assertPermitted,
  assertWhole,
  assertWithin,
  mayBeAnswered,
  permissionOf,
  type WrittenVersion,
} from '../../src/interactions/permission.js';
import type { ServerParts } from '../../src/interactions/server-parts.js';
import { accessOf } from '../../src/model/access.js';
import { aRequest } from '../hooks/fixtures.js';

type Said = Partial<RequestDetails>;

/** A request with a token of these scopes; undefined: with none, where nobody is told apart. */
function requestOf(scopes: string | undefined, interaction: Interaction, said: Said = {}): RequestDetails {
  const request = { ...aRequest(), interaction, ...said };
  if (scopes === undefined) return request;
  const principal: Principal = {
    issuer: 'https://issuer.example',
    scopes: scopes.split(' '),
    patient: 'p1',
    tenants: { kind: 'all' },
    admin: false,
    expires: 0,
  };
  return { ...request, attributes: new Map([[PRINCIPAL, principal]]) };
}

function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    if (error instanceof FhirError) return `${error.status} ${error.message}`;
    throw error;
  }
}

const refused = (permission: Permission, what: string): string =>
  `403 No scope of the token allows to ${permission} ${what}.`;

const permitted = (scopes: string | undefined, interaction: Interaction, said: Said = {}): unknown =>
  outcome(() => assertPermitted(requestOf(scopes, interaction, said)));

const NEEDED: readonly (readonly [Interaction, Permission])[] = [
  ['read', 'read'],
  ['vread', 'read'],
  ['history-instance', 'read'],
  ['create', 'create'],
  ['update', 'update'],
  ['patch', 'update'],
  ['delete', 'delete'],
  ['history-type', 'search'],
  ['search-type', 'search'],
];

for (const [interaction, permission] of NEEDED) {
  test(`${interaction} needs the permission to ${permission} the type`, (t) => {
    const letter = permission[0]!;
    t.is(permitted(`system/Patient.${letter}`, interaction), undefined);
    t.is(permitted(`system/*.${letter}`, interaction), undefined);
    const others = 'cruds'.replace(letter, '');
    t.is(permitted(`system/Patient.${others}`, interaction), refused(permission, 'Patient resources'));
    t.is(permitted(`system/Device.cruds`, interaction), refused(permission, 'Patient resources'));
    t.is(permitted(undefined, interaction), undefined);
  });
}

test('what a part of is granted is permitted, but for histories of all', (t) => {
  for (const [interaction] of NEEDED)
    t.is(
      permitted('patient/Patient.cruds', interaction),
      interaction === 'history-type' ? refused('search', 'Patient resources') : undefined,
      interaction,
    );
});

test('interactions that say themselves what they need are let through', (t) => {
  for (const interaction of ['operation', 'capabilities', 'batch', 'transaction', 'page'] as const)
    t.is(permitted('openid', interaction), undefined);
});

test('a condition is a search', (t) => {
  const headers = new Map([['if-none-exist', ['name=x']]]);
  const search = refused('search', 'Patient resources');
  t.is(permitted('system/Patient.c', 'create', { headers }), search);
  t.is(permitted('system/Patient.cs', 'create', { headers }), undefined);
  t.is(permitted('system/Patient.c', 'create', { resourceId: undefined }), undefined);
  for (const [interaction, letter] of [
    ['update', 'u'],
    ['patch', 'u'],
    ['delete', 'd'],
  ] as const) {
    t.is(permitted(`system/Patient.${letter}`, interaction, { resourceId: undefined }), search);
    t.is(permitted(`system/Patient.${letter}s`, interaction, { resourceId: undefined }), undefined);
    t.is(permitted(`system/Patient.${letter}`, interaction, { headers }), undefined);
  }
});

const searched = (scopes: string, types?: string): unknown =>
  permitted(scopes, 'search-system', {
    resourceType: undefined,
    parameters: types === undefined ? [] : [['_type', types]],
  });

test('a search over several types needs each that it names, and any where it names none', (t) => {
  t.is(searched('system/Patient.s', 'Patient'), undefined);
  t.is(searched('system/Patient.s', 'Patient,Device'), refused('search', 'Device resources'));
  t.is(searched('system/Patient.s system/Device.s', 'Patient,Device'), undefined);
  t.is(searched('system/Patient.s'), undefined);
  t.is(searched('system/Patient.r'), refused('search', 'resources of every type'));
});

const historyOf = (scopes: string): unknown =>
  permitted(scopes, 'history-system', { resourceType: undefined });

test('the history of everything needs everything, to read and to search', (t) => {
  t.is(historyOf('system/*.rs'), undefined);
  for (const scopes of ['system/*.s', 'system/*.r', 'system/Patient.rs', 'system/*.r system/Patient.s'])
    t.is(historyOf(scopes), refused('search', 'resources of every type'), scopes);
});

const told = (scopes: string | undefined, type: string): unknown =>
  outcome(() => assertWhole(requestOf(scopes, 'operation'), 'search', type));

test('what tells of all Binaries needs everything to be read, and of other types only them', (t) => {
  t.is(told('system/*.rs', 'Binary'), undefined);
  t.is(told('system/Binary.rs', 'Binary'), refused('search', 'Binary resources'));
  t.is(told('system/*.r system/Binary.s', 'Binary'), undefined);
  t.is(told('system/*.r', 'Binary'), refused('search', 'Binary resources'));
  t.is(told('system/Patient.s', 'Patient'), undefined);
  t.is(told('system/Patient.s?name=x', 'Patient'), refused('search', 'Patient resources'));
  t.is(told(undefined, 'Binary'), undefined);
});

test('a type of which a part is granted is granted', (t) => {
  const access = accessOf(requestOf('patient/Patient.r', 'read'))!;
  t.is(
    outcome(() => assertGranted(access, 'read', 'Patient')),
    undefined,
  );
  t.is(
    outcome(() => assertGranted(access, 'search', '*')),
    refused('search', 'resources of every type'),
  );
});

const claimed = (scopes: string | undefined, type: string): unknown =>
  outcome(() => assertMayClaimId(requestOf(scopes, 'update'), type, 'x'));

test('an id is claimed by whoever may see that it is free', (t) => {
  t.is(claimed(undefined, 'Patient'), undefined);
  t.is(claimed('system/Patient.u', 'Patient'), undefined);
  t.is(claimed('patient/Patient.u', 'Patient'), '404 Patient/x was not found.');
  t.is(claimed('system/Patient.r', 'Patient'), '404 Patient/x was not found.');
  t.is(claimed('system/*.r', 'Patient'), '404 Patient/x was not found.');
  t.is(claimed('system/Binary.cruds', 'Binary'), '404 Binary/x was not found.');
  t.is(claimed('system/*.ru', 'Binary'), undefined);
});

test('a version is written within what the token opens', async (t) => {
  const version = { type: 'Observation', id: 'x', partition: 1 } as WrittenVersion;
  const asked: unknown[] = [];
  const server = (isWithin: boolean): ServerParts =>
    ({
      resolver: { scopeOfWrite: (_request: unknown, partition: unknown) => ({ partition }) },
      limits: {
        allows: async (scope: { partition: unknown }, permission: unknown, written: unknown) => {
          asked.push([scope.partition, permission, written]);
          return isWithin;
        },
      },
    }) as unknown as ServerParts;
  const write = (scopes: string | undefined, isWithin: boolean): Promise<unknown> =>
    assertWithin(server(isWithin), requestOf(scopes, 'update'), 'update', version).catch(
      (error: FhirError) => `${error.status} ${error.message}`,
    );
  t.is(await write(undefined, false), undefined);
  t.is(await write('system/Observation.u', false), undefined);
  t.deepEqual(asked, []);
  t.is(await write('patient/Observation.u', true), undefined);
  t.is(
    await write('patient/Observation.u', false),
    '403 The scopes of the token do not cover this Observation.',
  );
  t.deepEqual(asked, [
    [1, 'update', version],
    [1, 'update', version],
  ]);
});

const neededFor = (interaction: Interaction): Permission => permissionOf(requestOf(undefined, interaction));

test('a write needs what its interaction says, and one that changes labels an update', (t) => {
  t.deepEqual((['create', 'delete', 'update', 'patch', 'operation'] as const).map(neededFor), [
    'create',
    'delete',
    'update',
    'update',
    'update',
  ]);
});

const isAnswered = (scopes: string | undefined): boolean =>
  mayBeAnswered(requestOf(scopes, 'create'), 'Observation');

test('what was written is answered to whoever may read it as far as they may write it', (t) => {
  t.true(isAnswered(undefined));
  t.true(isAnswered('system/Observation.cr'));
  t.true(isAnswered('patient/Observation.c system/Observation.r'));
  t.true(isAnswered('patient/Observation.cr'));
  t.false(isAnswered('system/Observation.c'));
  t.false(isAnswered('patient/Observation.c'));
  t.false(isAnswered('system/Observation.c patient/Observation.r'));
  t.false(isAnswered('patient/Observation.r'));
  t.false(isAnswered('patient/Observation.c patient/Observation.r?category=lab'));
  t.false(isAnswered('system/Device.cruds'));
});
