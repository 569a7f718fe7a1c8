import type { Bundle, Resource } from '../model/resource.js';
import type { Answer, Asked, Connection } from './connection.js';
import { headerOf, isToldIn, visible } from './heard.js';
import { IsolationError } from './isolation-error.js';
import { pathBelow } from './link-path.js';
import { marked, TAG_SYSTEM } from './marks.js';
import { plantedResources } from './planted.js';

/** A request of a tenant. The path is below its base, or below the server's with a slash in front, or a whole URL. */
export interface TenantAsked extends Omit<Asked, 'target'> {
  readonly path: string;
}

/** Who a tenant is, and what it is known by. */
export interface TenantIdentity {
  readonly name: string;
  /** The FHIR base of the server. */
  readonly server: string;
  /** What leads from that to the tenant: `/acme`, or nothing where a header or a token does. */
  readonly prefix: string;
  /** Headers of every request: the token, or the name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What one run marks its resources with. */
export interface TenantMarks {
  /** The same for both tenants. */
  readonly run: string;
  /** Stands in everything that this tenant stores, and is never sent by the other one. */
  readonly canary: string;
}

/** Types that something may be stored in, so that nothing refers to what comes before it. */
const WRITTEN_TYPES = [
  'Observation',
  'List',
  'Encounter',
  'Group',
  'Basic',
  'Binary',
  'Patient',
  'Organization',
];

/** Which of two ids is in use can only be compared where both have the form of one's own. */
const OWN_IDS =
  'Attacks go by ids that are chosen for them: try them on a server with the same settings and interceptors, but with clientIds any or alphanumeric.';

/** One of two tenants: what it stores, asks and takes away again. */
export class TestedTenant {
  readonly base: string;
  readonly name: string;
  private readonly planted = new Map<string, Resource>();
  /** What goes on in the background, by the URL of its status. */
  private readonly jobs: string[] = [];

  constructor(
    readonly identity: TenantIdentity,
    private readonly marks: TenantMarks,
    private readonly connection: Connection,
  ) {
    this.name = identity.name;
    this.base = identity.server + identity.prefix;
  }

  /** Sends a request with the tenant's credentials. Resources in its body are marked, so that they are found again. */
  async ask({ path, headers, body, ...asked }: TenantAsked): Promise<Answer> {
    const { marks, identity } = this;
    const answer = await this.connection.ask({
      ...asked,
      target: this.targetOf(path),
      headers: joined(identity.headers, headers ?? {}),
      ...(body === undefined ? {} : { body: marked(body, [marks.run, marks.canary]) }),
    });
    const job = answer.status === 202 && asked.method !== 'DELETE' && headerOf(answer, 'content-location');
    if (job) this.jobs.push(job);
    return answer;
  }

  /** The same without the tenant's credentials. */
  askAsNobody({ path, headers = {}, ...asked }: TenantAsked): Promise<Answer> {
    return this.connection.ask({ ...asked, target: this.targetOf(path), headers });
  }

  get(path: string): Promise<Answer> {
    return this.ask({ method: 'GET', path });
  }

  /** Whether the answer shows content of this tenant. */
  isToldIn(answer: Answer): boolean {
    return isToldIn(answer, this.marks.canary);
  }

  /** The search for what this tenant has written, wherever it is looked for. */
  ownSearch(type: string): string {
    return `${type}?_tag=${TAG_SYSTEM}|${this.marks.canary}`;
  }

  /** Stores a set of resources under one id. What the server does not take is left out. */
  async plant(id: string): Promise<void> {
    for (const resource of plantedResources({ id, canary: this.marks.canary })) await this.put(resource);
  }

  /** The same. @throws IsolationError where not even a Patient is taken: then nothing can be tried */
  async plantFirst(id: string): Promise<void> {
    const [patient, ...others] = plantedResources({ id, canary: this.marks.canary });
    const answer = await this.put(patient!);
    if (answer.status >= 300) {
      const reason = answer.status === 405 ? `${told(answer)} ${OWN_IDS}` : told(answer);
      throw new IsolationError(`${this.name} cannot store a Patient under an id of its own: ${reason}`);
    }
    for (const resource of others) await this.put(resource);
  }

  private async put(resource: Resource): Promise<Answer> {
    const path = `${resource.resourceType}/${resource.id}`;
    const answer = await this.ask({ method: 'PUT', path, body: resource });
    if (answer.status < 300) this.planted.set(path, resource);
    return answer;
  }

  /** What the tenant is told about a planted Patient: different after each change of it. */
  async witness(id: string): Promise<string> {
    return JSON.stringify(visible(await this.get(`Patient/${id}/_history`), id));
  }

  /** Stores what was planted once more, after an attack that has changed it. */
  async restore(): Promise<void> {
    for (const resource of this.planted.values()) await this.put(resource);
  }

  /** Ends every export that was begun. */
  async endJobs(): Promise<void> {
    for (const job of this.jobs) await this.ask({ method: 'DELETE', path: pathBelow(this, job) });
  }

  async remove(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.ask({ method: 'DELETE', path });
  }

  /** Without what caches know. */
  private look(path: string): Promise<Answer> {
    return this.ask({ method: 'GET', path, headers: { 'cache-control': 'no-cache' } });
  }

  /** What carries the mark of the run, so that nothing refers to what comes before it. */
  async written(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const type of WRITTEN_TYPES) found.push(...(await this.markedOf(type)));
    return found;
  }

  /** A search may not know tags, or not look for Binaries: what was planted is then asked for by its id. */
  private async markedOf(type: string): Promise<readonly string[]> {
    const answer = await this.look(`${type}?_tag=${TAG_SYSTEM}|${this.marks.run}&_count=500`);
    const found = answer.status === 200 ? this.markedIn(answer) : [];
    const planted = [...this.planted.keys()].filter((path) => path.startsWith(`${type}/`));
    const unfound = planted.filter((path) => !found.includes(path));
    const there: string[] = [];
    for (const path of unfound) if ((await this.look(path)).status === 200) there.push(path);
    return [...found, ...there];
  }

  /** Nothing is deleted for being in an answer: it has to carry the mark. */
  private markedIn(answer: Answer): readonly string[] {
    const { entry = [] } = JSON.parse(answer.text) as Bundle;
    return entry.flatMap(({ resource }) => {
      const isMarked = resource?.meta?.tag?.some(
        ({ system, code }) => system === TAG_SYSTEM && code === this.marks.run,
      );
      return resource !== undefined && isMarked ? [`${resource.resourceType}/${resource.id}`] : [];
    });
  }

  private targetOf(path: string): string {
    if (/^https?:/.test(path)) return path;
    const server = new URL(this.identity.server).pathname.replace(/\/$/, '');
    if (path.startsWith('/')) return server + path;
    const base = server + this.identity.prefix;
    return path === '' || path.startsWith('?') ? base + path : `${base}/${path}`;
  }
}

/** A header of both is sent twice. */
function joined(
  own: Readonly<Record<string, string>>,
  further: Readonly<Record<string, string | readonly string[]>>,
): Readonly<Record<string, string | readonly string[]>> {
  const all: Record<string, string | readonly string[]> = { ...own };
  for (const [name, value] of Object.entries(further)) {
    const before = Object.keys(own).find((known) => known.toLowerCase() === name.toLowerCase());
    if (before === undefined) all[name] = value;
    else all[before] = [own[before]!, ...[value].flat()];
  }
  return all;
}

/** The status, and what the server says about it. */
export function told({ status, text }: Answer): string {
  const diagnostics = /"diagnostics":\s*"((?:[^"\\]|\\.){1,300})/.exec(text)?.[1];
  return diagnostics === undefined ? String(status) : `${status} ${diagnostics}`;
}
