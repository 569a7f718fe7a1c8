import { randomBytes } from 'node:crypto';
import { ALL_PARTITIONS_NAME } from '../model/partition.js';
import { withoutEndSlashes } from '../settings/addresses.js';
import { type Check, type Finding, notApplicable, type Trial, type IsolationVerdict } from './check.js';
import { allChecks } from './checks.js';
import { Connection } from './connection.js';
import { IsolationError } from './isolation-error.js';
import { TAG_SYSTEM } from './marks.js';
import { TestedTenant, told } from './tested-tenant.js';

/** Where a request says whose it is: `url` is the segment after the base, `header` is `X-Tenant-ID`. */
export type TenantPlace = 'url' | 'header' | 'token';

/** What is tried, and on which server. */
export interface IsolationOptions {
  /** FHIR base of the server, without a tenant: `http://localhost:8080/fhir`. */
  readonly url: string;
  /** Names of two partitions that exist. Each is attacked by the other one. */
  readonly partitions: readonly [string, string];
  /** A bearer token for each of them, which opens this partition alone; left out where the server asks for none. */
  readonly tokens?: readonly [string, string];
  /** `url` if left out. */
  readonly tenantIn?: TenantPlace;
  /** Names of attacks, as in the rows; all if left out. */
  readonly only?: readonly string[];
  /** Stops before the next attack; what was written is taken away all the same. */
  readonly signal?: AbortSignal;
  /** Told the tag of the run, by which what is written can be found, before anything is. */
  readonly onStart?: (tag: string) => void;
  /** Told of each attack as soon as it was tried. */
  readonly onRow?: (row: IsolationRow) => void;
}

/** One attack of one partition on the other. */
export interface IsolationRow {
  readonly attack: string;
  /** The number that it has in `docs/attacks.md`. */
  readonly number: number;
  /** The partition that attacked. */
  readonly by: string;
  /** The partition whose content it was after. */
  readonly on: string;
  /** The request; `<theirs>` stands for an id that only the other one has, `<both>` for one that both have. */
  readonly asked: string;
  readonly expected: string;
  /** What came; of what is not applicable, why. */
  readonly seen: string;
  readonly verdict: IsolationVerdict;
}

/** An attack that would be tried. */
export type PlannedAttack = Pick<IsolationRow, 'attack' | 'number' | 'asked' | 'expected'>;

/** Everything that `verifyIsolation` tries, in its order, without asking anybody. */
export function plannedAttacks(): readonly PlannedAttack[] {
  return allChecks().map(({ attack, number, asked, expected }) => ({ attack, number, asked, expected }));
}

/**
 * Tries on a running server whether one partition can learn of another, or change it: each of the two attacks the
 * other, in every way that can be asked by HTTP. What it writes is marked with random words, and taken away at the end.
 *
 * ```ts
 * const rows = await verifyIsolation({ url: server.url, partitions: ['acme', 'beta'] });
 * assert.deepEqual(rows.filter(({ verdict }) => verdict === 'leak'), []);
 * ```
 * @throws IsolationError where a partition does not exist or stores no Patient, where the server does not answer, and
 * where something of what was written could not be taken away
 */
export async function verifyIsolation(options: IsolationOptions): Promise<readonly IsolationRow[]> {
  const connection = new Connection(toServer(options.url));
  const run = randomBytes(6).toString('hex');
  const [one, other] = tenantsOf(options, { connection, run });
  try {
    for (const tenant of [one, other]) await assertThere(tenant);
    options.onStart?.(`${TAG_SYSTEM}|${run}`);
    return await tryAndTakeAway(options, { one, other, run });
  } finally {
    connection.close();
  }
}

const ROUNDS = 4;

interface Tested {
  readonly one: TestedTenant;
  readonly other: TestedTenant;
  readonly run: string;
}

async function tryAndTakeAway(options: IsolationOptions, tested: Tested): Promise<readonly IsolationRow[]> {
  try {
    return await tryAll(options, tested);
  } finally {
    await takeAway(tested);
  }
}

/**
 * Where tenants leak, one of them finds what the other one still has to delete: both go first, then it is looked.
 * @throws IsolationError that names what is left, and how to find it
 */
async function takeAway({ one, other, run }: Tested): Promise<void> {
  const left: string[] = [];
  for (const tenant of [one, other])
    await tenant.endJobs().catch((error: unknown) => left.push(String(error)));
  for (let round = 0; round < ROUNDS; round++) {
    const written = [await one.written(), await other.written()] as const;
    if (written.flat().length === 0) break;
    if (round === ROUNDS - 1) left.push(...written.flat());
    await one.remove(written[0]);
    await other.remove(written[1]);
  }
  if (left.length === 0) return;
  const some = left.slice(0, 5).join(', ');
  throw new IsolationError(
    `Not everything could be taken away (${some}). Find it by _tag=${TAG_SYSTEM}|${run}.`,
  );
}

async function tryAll(
  { only, onRow, tokens, signal = new AbortController().signal }: IsolationOptions,
  { one, other, run }: Tested,
): Promise<readonly IsolationRow[]> {
  const ids = idsOf(run);
  const commonId = ids();
  const foreignIds = [ids(), ids()] as const;
  await one.plantFirst(foreignIds[0]);
  await other.plantFirst(foreignIds[1]);
  // The second time makes versions that differ.
  for (const tenant of [one, other, other]) await tenant.plant(commonId);
  const common = { unusedId: ids(), commonId, newId: ids, hasTokens: tokens !== undefined, signal };
  const trials: readonly Trial[] = [
    { ...common, attacker: one, owner: other, foreignId: foreignIds[1] },
    { ...common, attacker: other, owner: one, foreignId: foreignIds[0] },
  ];
  const rows: IsolationRow[] = [];
  for (const check of allChecks().filter(({ attack }) => only?.includes(attack) ?? true)) {
    for (const trial of trials) {
      if (signal.aborted) return rows;
      const row = toRow(check, trial, await attempt(check, trial));
      rows.push(row);
      onRow?.(row);
    }
  }
  return rows;
}

/** An attack to which no whole answer comes shows nothing. */
async function attempt(check: Check, trial: Trial): Promise<Finding> {
  try {
    return await check.run(trial);
  } catch (error) {
    if (!(error instanceof IsolationError)) throw error;
    return notApplicable(error.message);
  }
}

function toRow({ attack, number, asked, expected }: Check, trial: Trial, finding: Finding): IsolationRow {
  return { attack, number, by: trial.attacker.name, on: trial.owner.name, asked, expected, ...finding };
}

/** Ids of equal length, of which no other run has any. */
function idsOf(run: string): () => string {
  let count = 0;
  return () => `isolation-${run}-${String(++count).padStart(3, '0')}`;
}

/** @throws IsolationError for what is no URL of a server */
function toServer(url: string): URL {
  if (URL.canParse(url) && /^https?:/.test(url)) return new URL(url);
  throw new IsolationError(`${JSON.stringify(url)} is not a URL such as http://localhost:8080/fhir.`);
}

function tenantsOf(
  { url, partitions, tokens, tenantIn = 'url' }: IsolationOptions,
  { connection, run }: { readonly connection: Connection; readonly run: string },
): readonly [TestedTenant, TestedTenant] {
  const [first, second] = partitions;
  if (first === second) throw new IsolationError('Two different partitions are needed.');
  if (partitions.includes(ALL_PARTITIONS_NAME)) {
    throw new IsolationError(`${ALL_PARTITIONS_NAME} is all partitions, and cannot be one of the two.`);
  }
  if (tenantIn === 'token' && tokens === undefined) {
    throw new IsolationError('Where tokens say who is who, one for each partition is needed.');
  }
  const toTenant = (name: string, token: string | undefined): TestedTenant => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const naming = tenantIn === 'header' ? { 'x-tenant-id': name } : {};
    return new TestedTenant(
      {
        name,
        server: withoutEndSlashes(url),
        prefix: tenantIn === 'url' ? `/${encodeURIComponent(name)}` : '',
        headers: { ...authorization, ...naming },
      },
      { run, canary: `qz${randomBytes(12).toString('hex')}` },
      connection,
    );
  };
  return [toTenant(first, tokens?.[0]), toTenant(second, tokens?.[1])];
}

/** @throws IsolationError unless the tenant may search in a partition that exists */
async function assertThere(tenant: TestedTenant): Promise<void> {
  const answer = await tenant.get('Patient?_summary=count');
  if (answer.status === 200) return;
  throw new IsolationError(
    `Partition ${tenant.name} of ${tenant.identity.server} cannot be used: ${told(answer)}`,
  );
}
