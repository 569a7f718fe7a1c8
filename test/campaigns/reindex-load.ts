import { setTimeout as pause } from 'node:timers/promises';
import { type Answered, attempt, request } from './move-client.js';
import type { Random } from './random.js';
import { patient } from './reindex-content.js';

const CLIENTS = 3;
/** Between two requests of one client: a server that has nothing to spare would show its load twice over. */
const REST_MS = 15;

/** Whom the load is about. */
export interface LoadTargets {
  /** Base of the tenant that is reindexed, and how many of its patients are changed again and again. */
  readonly tenant: string;
  readonly patients: number;
  /** Base of the tenant whose answers are timed. */
  readonly neighbour: string;
  readonly neighbourPatients: number;
}

/** Clients that read, search and write while a server is killed: those of a neighbour are timed. */
export class ReindexLoad {
  writes = 0;
  readonly violations: string[] = [];
  /** Milliseconds of the neighbour's answers while they were measured. */
  readonly times: number[] = [];
  /** Another number for each stretch that is measured; undefined: none is. */
  private stretch: number | undefined;
  private stretches = 0;
  private isOver = false;
  private readonly running: readonly Promise<void>[];

  constructor(
    private readonly targets: LoadTargets,
    private readonly random: Random,
  ) {
    this.running = [...Array.from({ length: CLIENTS }, () => this.ask()), this.change()];
  }

  /** Times are kept from now on. */
  measure(): void {
    this.stretch ??= this.stretches++;
  }

  rest(): void {
    this.stretch = undefined;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  private async ask(): Promise<void> {
    const { neighbour, neighbourPatients } = this.targets;
    while (!this.isOver) {
      const number = this.random.integer(0, neighbourPatients - 1);
      const { stretch } = this;
      const answer = await attempt(() => this.askFor(neighbour, number));
      // What began before a kill or ended after it is no measure.
      if (answer && stretch !== undefined && stretch === this.stretch) this.times.push(answer.ms);
      if (answer && answer.status >= 400)
        this.violations.push(`neighbour: ${answer.bytes.toString().slice(0, 300)}`);
      await pause(REST_MS);
    }
  }

  private askFor(base: string, number: number): Promise<Answered> {
    const kind = this.random.integer(0, 3);
    if (kind === 0) return request(base, 'PUT', `Patient/p${number}`, { body: patient(number, number) });
    if (kind === 1) return request(base, 'GET', `Patient/p${number}`);
    if (kind === 2) return request(base, 'GET', `Patient?identifier=urn:x|p${number}`);
    return request(base, 'GET', `Patient?family=family${number % 97}&_count=10`);
  }

  private async change(): Promise<void> {
    const { tenant, patients } = this.targets;
    while (!this.isOver) {
      const number = this.random.integer(0, patients - 1);
      const body = patient(number, this.random.integer(0, 10_000));
      const isDelete = this.random.integer(0, 9) === 0 && number % 10 === 9;
      const answer = await attempt(() =>
        isDelete
          ? request(tenant, 'DELETE', `Observation/o${number}-3`)
          : request(tenant, 'PUT', `Patient/p${number}`, { body }),
      );
      if (answer) this.writes++;
      if (answer && answer.status >= 400)
        this.violations.push(`writer: ${answer.bytes.toString().slice(0, 300)}`);
      await pause(REST_MS);
    }
  }
}

/** In milliseconds. */
export function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * share)] ?? 0;
}
