import { upheave } from './operator.js';
import type { Step } from './step.js';
import { describeStep } from './step.js';
import type { Heard, Talk } from './talk.js';
import type { Programs, ProvenTenant } from './topology.js';
import { filesWithCanaries, strangerIn } from './witness.js';
import { type ProofServer, settle, type World } from './world.js';

/** What a run has found. */
export interface Failure {
  /** `difference`: a tenant is answered otherwise than where it is alone; `canary`: one stands where it may not. */
  readonly kind: 'difference' | 'canary' | 'error';
  /** Number of the tenant; undefined where it is nobody's. */
  readonly tenant: number | undefined;
  readonly round: number;
  /** What was sent, in one line. */
  readonly step: string;
  /** What was found, for people. */
  readonly detail: string;
}

/** What came of a program. */
export interface TrialResult {
  readonly steps: number;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
  readonly failure: Failure | undefined;
}

/** Runs the programs of all tenants, round by round, and stops at the first failure. */
export async function runTrial(world: World, programs: Programs): Promise<TrialResult> {
  const trial = new Trial(world, programs);
  const failure = (await trial.run()) ?? (await trial.lookAround());
  return { steps: trial.steps, statuses: trial.statuses, failure };
}

class Trial {
  steps = 0;
  readonly statuses = new Map<number, number>();
  private round = 0;
  private readonly tenants: readonly ProvenTenant[];
  private readonly alone: readonly Talk[];

  constructor(
    private readonly world: World,
    private readonly programs: Programs,
  ) {
    this.tenants = world.shared.talks.map(({ tenant }) => tenant);
    this.alone = world.own.map(({ talks }) => talks[0]!);
  }

  async run(): Promise<Failure | undefined> {
    const rounds = Math.max(...this.programs.map(({ length }) => length));
    for (; this.round < rounds; this.round++) {
      const failure = await this.runRound();
      if (failure) return failure;
    }
    return undefined;
  }

  /** All tenants at once, on the server that they share and on their own ones. */
  private async runRound(): Promise<Failure | undefined> {
    const { shared, own } = this.world;
    const upheaval = this.upheaval();
    // Nobody can be answered meanwhile.
    if (upheaval?.method === 'RESTART') await upheave(shared, upheaval);
    const acting = this.programs.slice(0, this.tenants.length).flatMap((program, tenant) => {
      const step = program[this.round];
      if (step === undefined) return [];
      // Before anybody acts: whom others know what of must not depend on who is faster.
      const together = shared.talks[tenant]!.prepare(step, shared.talks);
      const alone = this.alone[tenant]!.prepare(step, this.alone);
      return [{ tenant, together, alone }];
    });
    const heaving = upheaval && upheaval.method !== 'RESTART' ? upheave(shared, upheaval) : undefined;
    const results = await Promise.all(
      acting.map(async ({ tenant, together, alone }) => {
        const pair = await Promise.all([
          this.act(shared, shared.talks[tenant]!, together),
          this.act(own[tenant]!, this.alone[tenant]!, alone),
        ]);
        return { tenant, step: together, pair };
      }),
    );
    await heaving;
    this.steps += results.length;
    for (const { tenant, step, pair } of results) {
      const found = this.compare(tenant, pair);
      if (found) return { ...found, tenant, round: this.round, step: describeStep(step) };
    }
    return this.readLog(new Map(results.map(({ tenant, pair: [together] }) => [tenant, together.sent])));
  }

  /** What the operator does in this round. */
  private upheaval(): Step | undefined {
    return this.programs[this.tenants.length]?.[this.round];
  }

  private async act(server: ProofServer, talk: Talk, step: Step): Promise<Heard> {
    const number = this.tenants.indexOf(talk.tenant);
    const heard = await talk.send(step, `p${number}-${this.round}`);
    if (step.settles) await settle(server, step.settles);
    return heard;
  }

  private compare(
    tenant: number,
    [together, alone]: readonly [Heard, Heard],
  ): Pick<Failure, 'kind' | 'detail'> | undefined {
    this.statuses.set(together.status, (this.statuses.get(together.status) ?? 0) + 1);
    const stranger = strangerIn(together.raw, (canary) => this.isKnown(tenant, canary, together.sent));
    if (stranger)
      return { kind: 'canary', detail: `${this.ownerOf(stranger)} stands in:\n${cut(together.raw)}` };
    if (together.normal !== alone.normal) {
      return { kind: 'difference', detail: differenceOf(alone.normal, together.normal) };
    }
    if (together.status >= 500) return { kind: 'error', detail: cut(together.raw) };
    return undefined;
  }

  /** A canary of one's own, or one that the request itself has named. */
  private isKnown(tenant: number, canary: string, sent: string): boolean {
    return canary === this.tenants[tenant]!.canary || sent.toLowerCase().includes(canary);
  }

  private ownerOf(canary: string): string {
    const owner = this.tenants.findIndex((one) => one.canary === canary);
    if (owner >= 0) return `the canary of tenant ${owner}`;
    return canary === this.world.shared.visitor.tenant.canary
      ? 'the canary of the visitor'
      : 'the canary of DEFAULT';
  }

  /** A line may name what its own request has named; one that is of no request names nobody. */
  private readLog(sent: ReadonlyMap<number, string>): Failure | undefined {
    const { lines } = this.world.shared;
    for (const line of lines.splice(0)) {
      if (line.includes(VISITORS)) continue;
      const [, number] = /"requestId":"p(\d)-/.exec(line) ?? [];
      const tenant = number === undefined ? undefined : Number(number);
      const isAllowed = (canary: string): boolean =>
        tenant !== undefined && this.isKnown(tenant, canary, sent.get(tenant) ?? '');
      const stranger = strangerIn(line, isAllowed);
      const isError = /"level":"(error|fatal)"/.test(line);
      if (stranger === undefined && !isError) continue;
      const detail = stranger === undefined ? line : `${this.ownerOf(stranger)} is logged: ${line}`;
      const kind = stranger === undefined ? 'error' : 'canary';
      return { kind, tenant, round: this.round, step: 'the log', detail };
    }
    for (const { lines: others } of this.world.own) others.length = 0;
    return undefined;
  }

  /** What the server shows to whoever operates it, and what it has left in files. */
  async lookAround(): Promise<Failure | undefined> {
    const { shared, operatorToken } = this.world;
    const headers = operatorToken === undefined ? {} : { authorization: `Bearer ${operatorToken}` };
    for (const target of ['/metrics', '/healthz', '/readyz']) {
      const { body, status } = await shared.wire.send({ method: 'GET', target, headers });
      if (status !== 200)
        return { ...this.found(target, `${target} is answered with ${status}`), kind: 'error' };
      const stranger = strangerIn(body.toString('latin1'), () => false);
      if (stranger) return this.found(target, `${this.ownerOf(stranger)} stands in ${target}`);
    }
    const files = await filesWithCanaries(shared.database.folder, /ndjson|\.part$|[-_]p?-?\d+\.db$/);
    const mixed = files.find(({ canaries }) => canaries.size > 1);
    return mixed && this.found('files', `${mixed.path} has canaries of several tenants`);
  }

  private found(step: string, detail: string): Failure {
    return { kind: 'canary', tenant: undefined, round: this.round, step, detail };
  }
}

/** What the visitor's own requests have logged. */
const VISITORS = '"requestId":"visitor"';
const LONGEST = 4_000;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** From a little before the first character that differs. */
function differenceOf(alone: string, together: string): string {
  let at = 0;
  while (at < alone.length && alone[at] === together[at]) at++;
  const from = Math.max(0, at - 300);
  const show = (text: string): string => `${from > 0 ? '…' : ''}${text.slice(from, at + 500)}`;
  return `alone:\n${show(alone)}\n\nwith others:\n${show(together)}`;
}
