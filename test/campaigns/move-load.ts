import type { Bundle } from 'fhir/r4.js';
import type { Violations } from './crash-verify.js';
import { attempt, get, request } from './move-client.js';
import type { Random } from './random.js';

/** Ids of what the writers write begin so. */
export const WRITTEN = 'w-';

const RESOURCES_OF_A_WRITER = 50;

/** What a writer was told of one resource. */
interface Acknowledged {
  version: number;
  /** A write without an answer: the resource may be one version further for each. */
  open: number;
}

/** Writers and readers of one tenant, who go on while its server is killed and its partition moved. */
export class MoveLoad {
  readonly violations: string[] = [];
  writes = 0;
  reads = 0;
  /** Milliseconds of the longest answer; requests that a kill has cut off have none. */
  longestWrite = 0;
  longestRead = 0;
  private readonly written = new Map<string, Acknowledged>();
  private isOver = false;
  private running: readonly Promise<void>[] = [];

  constructor(
    private readonly base: string,
    private readonly options: { readonly random: Random; readonly patients: number },
  ) {}

  start(clients: number): void {
    this.isOver = false;
    this.longestWrite = 0;
    this.longestRead = 0;
    const numbers = Array.from({ length: clients }, (_, number) => number);
    this.running = numbers.flatMap((number) => [this.write(number), this.read()]);
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  /** Compares what is stored with what was acknowledged. */
  async verify(when: string): Promise<Violations> {
    const violations = this.violations.splice(0);
    for (const [id, { version, open }] of this.written) {
      const { total } = await get<Bundle>(this.base, `Patient/${id}/_history?_count=1`);
      const stored = total ?? 0;
      if (stored < version || stored > version + open)
        violations.push(`${when}: Patient/${id} has ${stored} versions; ${version} were acknowledged`);
      this.written.set(id, { version: stored, open: 0 });
    }
    const search = `Patient?family=written&_summary=count`;
    const { total } = await get<Bundle>(this.base, search);
    const live = [...this.written.values()].filter(({ version }) => version > 0).length;
    if (total !== live) violations.push(`${when}: ${search} finds ${total} of ${live}`);
    return violations;
  }

  private async write(writer: number): Promise<void> {
    for (let turn = 0; !this.isOver; turn++) {
      const id = `${WRITTEN}${writer}-${turn % RESOURCES_OF_A_WRITER}`;
      const known = this.written.get(id) ?? { version: 0, open: 0 };
      this.written.set(id, known);
      const name = [{ family: 'Written', given: [String(turn)] }];
      const body = { resourceType: 'Patient', id, name };
      const answer = await attempt(() => request(this.base, 'PUT', `Patient/${id}`, { body }));
      if (!answer) known.open++;
      else if (answer.status === 200 || answer.status === 201) {
        this.writes++;
        this.longestWrite = Math.max(this.longestWrite, answer.ms);
        this.acknowledge(known, Number(/\d+/.exec(answer.headers.get('etag') ?? '')?.[0]), id);
      } else this.violations.push(`PUT Patient/${id}: ${answer.status} ${answer.bytes.toString()}`);
    }
  }

  private acknowledge(known: Acknowledged, version: number, id: string): void {
    const [low, high] = [known.version + 1, known.version + 1 + known.open];
    if (version < low || version > high)
      this.violations.push(`Patient/${id} became version ${version}, not ${low} to ${high}`);
    known.version = version;
    known.open = 0;
  }

  private async read(): Promise<void> {
    const { random, patients } = this.options;
    while (!this.isOver) {
      const id = `p${random.integer(0, patients - 1)}`;
      const isSearch = random.integer(0, 4) === 0;
      const path = isSearch ? `Patient?identifier=urn:x|${id}` : `Patient/${id}`;
      const answer = await attempt(() => request(this.base, 'GET', path));
      if (!answer) continue;
      this.reads++;
      this.longestRead = Math.max(this.longestRead, answer.ms);
      if (answer.status !== 200 || !answer.bytes.includes(`"id":"${id}"`))
        this.violations.push(`GET ${path}: ${answer.status} ${answer.bytes.toString().slice(0, 300)}`);
    }
  }
}
