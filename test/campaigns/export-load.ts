import type { Resource } from '../../src/model/resource.js';
import type { ExportContent } from './export-content.js';
import { type Answered, attempt, request } from './move-client.js';
import type { Random } from './random.js';

const CLIENTS = 3;
const EXPECTED: ReadonlySet<number> = new Set([200, 201, 204, 404, 409]);
const IN_A_TRANSACTION = 6;

/** One change, as an entry of a transaction or alone. */
interface Change {
  readonly method: 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly resource?: Resource;
}

/** Clients that change a tenant in every way while it is exported and its server is killed. */
export class ExportLoad {
  writes = 0;
  readonly violations: string[] = [];
  private isOver = false;
  private running: readonly Promise<void>[] = [];

  constructor(
    private readonly base: () => string,
    private readonly content: ExportContent,
    private readonly random: Random,
  ) {}

  start(): void {
    this.isOver = false;
    this.running = Array.from({ length: CLIENTS }, () => this.change());
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running);
  }

  private async change(): Promise<void> {
    while (!this.isOver) {
      const answer = await attempt(() => this.send());
      if (answer === undefined) continue;
      if (answer.status < 300) this.writes++;
      if (!EXPECTED.has(answer.status))
        this.violations.push(`a write answered ${answer.status}: ${answer.bytes.toString().slice(0, 300)}`);
    }
  }

  private send(): Promise<Answered> {
    const base = this.base();
    if (this.random.integer(0, 5) > 0) {
      const { method, url, resource } = this.one();
      return request(base, method, url, resource && { body: resource });
    }
    const changes = Array.from({ length: IN_A_TRANSACTION }, () => this.one());
    // A transaction has each resource once.
    const distinct = [...new Map(changes.map((change) => [change.url, change])).values()];
    const entry = distinct.map(({ method, url, resource }) => ({
      ...(resource && { resource }),
      request: { method, url },
    }));
    return request(base, 'POST', '', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
  }

  private one(): Change {
    const { content, random } = this;
    const patient = random.integer(0, content.patients - 1);
    const number = random.integer(0, content.patients * 4 + 50);
    const other = random.integer(0, 30);
    switch (random.integer(0, 9)) {
      case 0:
        // A create gives another id.
        return { method: 'POST', url: 'Patient', resource: content.patient('none') };
      case 1:
        return put(content.patient(`p${patient}`));
      case 2:
        return put(content.patient(`d${other}`));
      case 3:
        return { method: 'DELETE', url: `Patient/d${other}` };
      case 4:
        return put(content.organization(other));
      case 5:
        return { method: 'DELETE', url: `Organization/h${other}` };
      case 6:
        return put(content.group());
      case 7:
        return { method: 'DELETE', url: `Observation/o${number}` };
      default:
        return put(content.observation(number, patient));
    }
  }
}

function put(resource: Resource): Change {
  return { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, resource };
}
