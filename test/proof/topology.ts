import type { Placement } from '../../src/model/partition.js';
import { type Random, seededRandom } from '../campaigns/random.js';
import type { StoreKind } from '../support/test-store.js';
import { operatorProgram } from './operator.js';
import { programOf } from './programs.js';
import type { Step } from './step.js';
import { drawAuthorization } from './tokens.js';
import { trespassStep } from './trespass.js';
import { one, oneIn } from './vocabulary.js';

/** One tenant of a topology. */
export interface ProvenTenant {
  readonly id: number;
  readonly name: string;
  readonly placement: Placement;
  /** Stands in everything that it stores, and in nothing that anybody else may be told. */
  readonly canary: string;
}

/** What each tenant does, by its number, and last the operator; undefined: nothing in that round. */
export type Programs = readonly (readonly (Step | undefined)[])[];

/** Who shares a server, and what they do. Equal seeds make equal ones. */
export interface Topology {
  readonly seed: number;
  readonly tenants: readonly ProvenTenant[];
  /** Comes to the shared server and goes again, as the operator wants it. */
  readonly visitor: ProvenTenant;
  /** Whether tenants need tokens. */
  readonly auth: 'off' | 'on';
  readonly programs: Programs;
}

/** What topologies are drawn with. */
export interface TopologyOptions {
  readonly store: StoreKind;
  /** Steps of all tenants together. */
  readonly steps: number;
}

/** Names that can be registered, and are like others, like ids, or like words of the server. */
const NAMES: readonly string[] = [
  'a',
  'a-',
  'a_',
  'aa',
  'a-b',
  'a_b',
  'ab',
  'tenant',
  'tenant-',
  'tenant_',
  'tenant1',
  'tenant11',
  'TENANT-2',
  'Patient-',
  'patients',
  'metadata-',
  'DEFAULT-',
  'default_',
  'ALL',
  '0',
  '1',
  '2',
  '-1',
  'null',
  'undefined',
  'constructor',
  'toString',
  'hasOwnProperty',
  'fhir',
  'healthz',
  'metrics',
  'x'.repeat(200),
  'x'.repeat(199),
  `${'x'.repeat(199)}y`,
  '-',
  '--',
];

/** Names that nobody may have: they would be taken for somebody else's, or for no name. */
export const REFUSED_NAMES: readonly string[] = [
  '',
  ' ',
  ' a',
  'a ',
  'a.',
  '.',
  '..',
  'a/b',
  'a%2fb',
  'a\u0000',
  'Å',
  'A\u030a',
  'İ',
  'ı',
  '😀',
  'a\u200b',
  'x'.repeat(201),
  '_ALL',
  '_all',
  '_history',
  'default',
  'DEFAULT',
  'Metadata',
  'Patient',
  'Observation',
];

const IDS: readonly number[] = [1, 2, 3, 10, 11, 12, 21, 100, -1, -2, 2 ** 31 - 1, -(2 ** 31), 65_536];

const TOKENS_ONCE_IN = 3;
const TRESPASS_ONCE_IN = 12;
const VISITOR = 8;

/** The topology of a seed. */
export function drawTopology(seed: number, { store, steps }: TopologyOptions): Topology {
  const random = seededRandom(seed);
  const size = random.integer(2, 8);
  const names = shuffled(random, NAMES).slice(0, size);
  const ids = shuffled(random, IDS);
  const elsewhere: Placement = store === 'sqlite' || oneIn(random, 3) ? 'database' : 'schema';
  const tenants = names.map((name, number): ProvenTenant => {
    const placement = oneIn(random, 4) ? elsewhere : 'shared';
    return { id: ids[number]!, name, placement, canary: canaryOf(random, number) };
  });
  const auth = oneIn(random, TOKENS_ONCE_IN) ? 'on' : 'off';
  const length = Math.ceil(steps / size);
  const programs = tenants.map(() => {
    const program = programOf(random, length);
    return auth === 'on' ? program.map((step) => withToken(random, step)) : program;
  });
  const visitor: ProvenTenant = {
    id: ids[size]!,
    name: 'visitor',
    placement: 'shared',
    canary: canaryOf(random, VISITOR),
  };
  const operator = operatorProgram(random, { tenants: size, rounds: length, store });
  return { seed, tenants, visitor, auth, programs: [...programs, operator] };
}

/** With tokens, others' places can be asked for too. */
function withToken(random: Random, step: Step): Step {
  if (oneIn(random, TRESPASS_ONCE_IN)) return trespassStep(random);
  const authorization = drawAuthorization(random);
  return authorization === undefined ? step : { ...step, headers: { ...step.headers, authorization } };
}

/** A word that nothing else is like; its fourth character is the tenant's number. */
function canaryOf(random: Random, number: number): string {
  const digits = Array.from({ length: 10 }, () => one(random, [...'0123456789abcdef']));
  return `qzx${number}${digits.join('')}z`;
}

/** Every canary, wherever it stands. */
export const CANARY = /qzx\d[0-9a-f]{10}z/gi;

function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const left = [...items];
  return items.map(() => left.splice(random.integer(0, left.length - 1), 1)[0]!);
}
