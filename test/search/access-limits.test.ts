import test from 'ava';
import type { SearchParameter } from '../../src/fhir/index-values.js';
import { createSearchParameterRegistry } from '../../src/fhir/search-parameters.js';
import type { Access, Grant } from '../../src/model/access.js';
import type { Permission } from '../../src/model/smart-scope.js';
import { type ParametersNow, PlannedLimits } from '../../src/search/access-limits.js';
import { DEFAULT_SEARCH_LIMITS } from '../../src/search/search-request.js';
import type { Condition } from '../../src/storage/search-store.js';
import type { LimitedScope } from '../../src/storage/within-access.js';
import { deletion, MemoryStores, scopeWith, version } from '../storage/memory-stores.js';
import { scopeOf } from '../storage/search/fixtures.js';

/** Parameters of which a test may take some away, or have some wait for a reindex. */
class Parameters implements ParametersNow {
  current = createSearchParameterRegistry();
  readonly gone = new Set<string>();
  readonly pending = new Set<string>();

  find(type: string, code: string): SearchParameter | undefined {
    return this.gone.has(`${type} ${code}`) ? undefined : this.current.find(type, code);
  }

  list(type: string): readonly SearchParameter[] {
    return this.current.list(type);
  }

  isPending(_type: string, { code }: SearchParameter): boolean {
    return this.pending.has(code);
  }
}

interface World {
  readonly limits: PlannedLimits;
  readonly parameters: Parameters;
  /** How often criteria were planned. */
  readonly planned: () => number;
  /** Codes of every value set; an error, where they can't be told. */
  codes: readonly string[] | Error;
}

function openWorld(): World {
  let planned = 0;
  const parameters = new Parameters();
  const world: World = {
    parameters,
    planned: () => planned,
    codes: ['a'],
    limits: new PlannedLimits({
      store: new MemoryStores([]).search,
      inForce: () => parameters,
      codes: {
        codesIn: async () => {
          if (world.codes instanceof Error) throw world.codes;
          return new Map([['urn:codes', world.codes]]);
        },
        related: async () => [],
      },
      definitions: scopeOf(0),
      limits: DEFAULT_SEARCH_LIMITS,
      clock: () => ++planned,
    }),
  };
  return world;
}

/** What is granted of a type; `nothing` where it is left out. */
async function limitOf(
  { limits }: World,
  scopes: string | LimitedScope,
  permission: Permission = 'search',
  type = 'Observation',
): Promise<Condition | null | 'nothing'> {
  const scope = typeof scopes === 'string' ? scopeWith(scopes) : scopes;
  const found = await limits.of(scope, permission, [type]);
  const limit = found.get(type);
  return limit === undefined ? 'nothing' : limit;
}

const always: Condition = { kind: 'all', of: [] };

function memberOf(paths: readonly string[]): Condition {
  const tests = [{ kind: 'local' as const, types: ['Patient'], id: 'p1' }];
  return { kind: 'index', index: 'reference', type: 'Observation', paths, targetFilter: null, tests };
}

test('types of which nothing is granted are left out, and open ones have no limit', async (t) => {
  const { limits } = openWorld();
  const found = await limits.of(scopeWith('system/Observation.s system/List.r'), 'search', [
    'Observation',
    'List',
  ]);
  t.deepEqual([...found], [['Observation', null]]);
});

test('what a patient has is what refers to it by a parameter of the compartment', async (t) => {
  const world = openWorld();
  const limit = await limitOf(world, 'patient/*.rs');
  t.deepEqual(limit, {
    kind: 'any',
    of: [{ kind: 'all', of: [memberOf(['subject', 'performer']), always] }],
  });
  t.deepEqual(await limitOf(world, 'patient/*.rs', 'search', 'Patient'), {
    kind: 'any',
    of: [{ kind: 'all', of: [{ kind: 'ids', ids: ['p1'] }, always] }],
  });
  t.is(await limitOf(world, 'patient/*.rs', 'search', 'Device'), 'nothing');
  t.is(await limitOf(world, 'patient/*.rs'), limit);
  t.is(world.planned(), 0);
});

test('a parameter of the compartment that is out of force tells of nobody', async (t) => {
  const world = openWorld();
  world.parameters.gone.add('Observation performer');
  const limit = await limitOf(world, 'patient/*.rs');
  t.deepEqual(limit, { kind: 'any', of: [{ kind: 'all', of: [memberOf(['subject']), always] }] });
  const none = openWorld();
  for (const code of ['subject', 'performer']) none.parameters.gone.add(`Observation ${code}`);
  t.is(await limitOf(none, 'patient/*.rs'), 'nothing');
});

test('a patient is one of one partition alone', async (t) => {
  const world = openWorld();
  const one = scopeWith('patient/*.rs');
  t.not(await limitOf(world, one), 'nothing');
  t.is(await limitOf(world, scopeWith('patient/*.rs', 'read', 1, 2)), 'nothing');
  t.is(await limitOf(world, { ...one, all: true }), 'nothing');
  t.not(await limitOf(world, one), 'nothing');
  for (const type of ['Patient', 'Observation'])
    t.is(await limitOf(openWorld(), scopeWith('patient/*.rs', 'read', 1, 2), 'search', type), 'nothing');
});

test('criteria are conditions, and several scopes are alternatives', async (t) => {
  const world = openWorld();
  const limit = await limitOf(world, 'patient/Observation.s?status=final system/Observation.s?status=final');
  const status = {
    kind: 'all',
    of: [{ kind: 'index', index: 'token', type: 'Observation', paths: ['status'] }],
  };
  t.like(limit, {
    kind: 'any',
    of: [
      { kind: 'all', of: [memberOf(['subject', 'performer']), status] },
      { kind: 'all', of: [always, status] },
    ],
  });
  const several = scopeWith('patient/Observation.s system/Observation.s?status=final', 'read', 1, 2);
  t.like(await limitOf(world, several), { of: [{ kind: 'all', of: [always, status] }] });
});

test('criteria that are not understood, or would not be applied, grant nothing', async (t) => {
  for (const query of ['colour=red', 'status:exact=x', 'date=never'])
    t.is(await limitOf(openWorld(), `system/Observation.s?${query}`), 'nothing', query);
  const world = openWorld();
  const scope = scopeOf(1);
  const grant: Grant = { kind: 'limited', alternatives: [{ patient: null, criteria: [['_count', '1']] }] };
  const access: Access = {
    digest: 'x',
    admin: false,
    grantsAny: true,
    grantOf: () => grant,
    grantBeyondPatient: () => grant,
  };
  const limited: LimitedScope = { ...scope, access: { access, instance: 'read' } };
  t.is(await limitOf(world, limited), 'nothing');
  t.is(await limitOf(world, limited), 'nothing');
  t.is(world.planned(), 1);
});

test('one alternative that is not understood takes nothing from others', async (t) => {
  const world = openWorld();
  t.like(await limitOf(world, 'system/Observation.s?colour=red system/Observation.s?status=final'), {
    of: { length: 1 },
  });
});

test('limits are planned once for all tokens that may do the same', async (t) => {
  const world = openWorld();
  const scopes = 'system/Observation.rs?status=final';
  const first = await limitOf(world, scopes);
  t.is(await limitOf(world, scopes), first);
  t.is(world.planned(), 1);
  await limitOf(world, scopes, 'read');
  await limitOf(world, 'system/Observation.rs?status=amended');
  t.is(world.planned(), 3);
  world.parameters.current = createSearchParameterRegistry('on');
  t.deepEqual(await limitOf(world, scopes), first);
  t.is(world.planned(), 4);
});

test('a parameter that does not find all data yet grants nothing until it does', async (t) => {
  const world = openWorld();
  const scopes = 'system/Observation.s?status=final';
  world.parameters.pending.add('status');
  t.is(await limitOf(world, scopes), 'nothing');
  world.parameters.pending.clear();
  t.not(await limitOf(world, scopes), 'nothing');
});

test('what a criterion has to look up is looked up each time', async (t) => {
  const world = openWorld();
  const scopes = 'system/Observation.s?category:in=urn:set system/Observation.s?status=final';
  const before = await limitOf(world, scopes);
  t.true(JSON.stringify(before).includes('"values":["a"]'), JSON.stringify(before));
  world.codes = ['b'];
  t.true(JSON.stringify(await limitOf(world, scopes)).includes('"values":["b"]'));
});

test('an error that is no answer is told', async (t) => {
  const world = openWorld();
  world.codes = new TypeError('broken');
  await t.throwsAsync(limitOf(world, 'system/Observation.s?category:in=urn:set'), { message: 'broken' });
});

test('no condition tells of Binaries to whoever does not read everything', async (t) => {
  const world = openWorld();
  for (const permission of ['read', 'search'] as const) {
    t.is(await limitOf(world, 'system/Binary.rs', permission, 'Binary'), 'nothing');
    t.is(await limitOf(world, 'system/*.rs', permission, 'Binary'), null);
    t.is(await limitOf(world, 'system/Observation.rs', permission), null);
  }
  t.is(await limitOf(world, 'system/Binary.u', 'update', 'Binary'), null);
});

const observation = (status: string, patient = 'p1'): string =>
  JSON.stringify({
    resourceType: 'Observation',
    status,
    subject: { reference: `Patient/${patient}` },
    valueQuantity: { value: 3 },
  });

test('a version is judged by what it says itself', async (t) => {
  const { limits } = openWorld();
  const held = (scopes: string, text: string): Promise<boolean> =>
    limits.holds(scopeWith(scopes), 'read', version('Observation/x', 1, { text }));
  t.true(await held('patient/*.r', observation('final')));
  t.false(await held('patient/*.r', observation('final', 'p2')));
  t.true(await held('system/Observation.r?status=final', observation('final')));
  t.false(await held('system/Observation.r?status=final', observation('amended')));
  t.true(await held('system/Observation.r', observation('final')));
  t.false(await held('system/Patient.r', observation('final')));
  t.false(await limits.holds(scopeWith('system/*.r'), 'read', deletion('Observation/x', 2)));
});

test('what only the database can judge is not within the limits', async (t) => {
  const { limits } = openWorld();
  const scope = scopeWith('system/Observation.r?value-quantity=gt1');
  t.false(await limits.holds(scope, 'read', version('Observation/x', 1, { text: observation('final') })));
});
