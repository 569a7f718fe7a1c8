import { gunzipSync } from 'node:zlib';
import { DEFAULT_PARTITION_NAME } from '../../src/model/partition.js';
import type { Wire, WireAnswer } from './wire.js';
import type { Step } from './step.js';
import type { Tokens } from './tokens.js';
import type { ProvenTenant } from './topology.js';

/** Every server believes to be reached there, so that its links are equal to another's. */
export const PUBLIC_URL = 'http://proof.example';
export const BASE = `${PUBLIC_URL}/fhir`;

/** What a step came to. */
export interface Heard {
  readonly status: number;
  /** Status, headers and body, as they may be compared with another server's. */
  readonly normal: string;
  /** The same as they came. */
  readonly raw: string;
  /** What was sent. */
  readonly sent: string;
}

const IGNORED = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding']);
/** Of this century: what stands at the beginning is looked for first. */
const UUID = '0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}';
const DAY = '[A-Z][a-z][a-z]';
const INSTANT = `\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z|${DAY}, \\d\\d ${DAY} \\d{4} [\\d:]{8} GMT`;
/** Ids that the server makes, times that it tells, and page links, which are encrypted anew each time. */
const VARYING = new RegExp(`(${UUID})|(${INSTANT})|(_page=[\\w-]+)`, 'g');

/**
 * A search by a parameter that waits for a reindex finds what it can, and says so. A move brings what it moves along:
 * what is found then may be more, and is not compared.
 */
const INCOMPLETE = 'does not find all data yet';

/** What a tenant was told last of each kind; other tenants attack with it. */
interface Memory {
  next: string;
  created: string;
  token: string;
  job: string;
  file: string;
  reindex: string;
}

/** One tenant's talk with one server. */
export class Talk {
  private readonly memory: Memory = {
    next: '_history?_count=1',
    created: 'Patient/none',
    token: 'none',
    job: '00000000-0000-7000-8000-000000000000',
    file: '$export-file/none/Patient.1.ndjson',
    reindex: 'none',
  };
  private readonly ids = new Map<string, string>();
  private readonly base: string;

  constructor(
    readonly tenant: ProvenTenant,
    private readonly wire: Wire,
    private readonly tokens: Tokens = new Map(),
  ) {
    this.base = `${BASE}/${tenant.name}`;
  }

  /** The header of who may do everything in the tenant; none where nobody is asked. */
  get bearer(): Readonly<Record<string, string>> {
    const token = this.tokens.get('everything');
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Puts in what only the run knows. `others` are all tenants by number, this one among them. */
  prepare(step: Step, others: readonly Talk[]): Step {
    const put = (text: string): string => {
      if (!text.includes('<')) return text;
      return text.replace(/<(?:(\d):)?([a-z0-9:-]+)>/g, (mark, number: string | undefined, what: string) => {
        if (number === undefined) return this.value(what, others) ?? mark;
        return this.other(Number(number), others).value(what, others) ?? mark;
      });
    };
    const headers = Object.entries(step.headers ?? {}).map(([name, value]) => [name, put(value)]);
    const body = step.body === undefined ? {} : { body: put(step.body) };
    return {
      ...step,
      path: put(step.path),
      headers: Object.fromEntries(headers) as Step['headers'] & {},
      ...body,
    };
  }

  /** Sends a prepared step. */
  async send(step: Step, requestId: string): Promise<Heard> {
    const { method, headers = {}, body } = step;
    const target = this.targetOf(step.path);
    const sent = `${method} ${target}\n${Object.values(headers).join('\n')}\n${body ?? ''}`;
    const answer = await this.wire.send({
      method,
      target,
      headers: { 'x-request-id': requestId, ...headers },
      ...(body === undefined ? {} : { body }),
    });
    const raw = textOf(answer);
    if (raw.includes(INCOMPLETE))
      return { status: answer.status, raw, normal: `${answer.status} ${INCOMPLETE}`, sent };
    this.remember(step, answer, raw);
    return { status: answer.status, raw, normal: this.normal(raw), sent };
  }

  close(): void {
    this.wire.close();
  }

  private other(number: number, others: readonly Talk[]): Talk {
    const found = others[number % others.length]!;
    return found === this ? others[(number + 1) % others.length]! : found;
  }

  private value(what: string, others: readonly Talk[]): string | undefined {
    const { name, canary } = this.tenant;
    const { memory } = this;
    if (what.startsWith('jwt:')) return this.tokens.get(what.slice(4));
    switch (what) {
      case 'canary':
        return canary;
      case 'base64:canary':
        return Buffer.from(`${canary} file`).toString('base64');
      case 'base':
        return this.base;
      case 'name':
        return name;
      case 'created-id':
        return memory.created.split('/')[1] ?? 'none';
      case 'file-name':
        return memory.file.replace('$export-file/', '');
      case 'name-upper':
      case 'name-cut':
      case 'name-more':
      case 'name-escaped':
      case 'name-dot':
        return variantOf(what, name, others);
      case 'next':
      case 'created':
      case 'token':
      case 'job':
      case 'file':
      case 'reindex':
        return memory[what];
      default:
        return undefined;
    }
  }

  private targetOf(path: string): string {
    if (path.startsWith(BASE)) return path.slice(PUBLIC_URL.length);
    if (path.startsWith('//')) return `/fhir/${this.tenant.name}${path}`;
    if (path.startsWith('/')) return `/fhir${path}`;
    return `/fhir/${this.tenant.name}${path === '' || path.startsWith('?') ? path : `/${path}`}`;
  }

  /** Only what is told by this tenant's own URL. */
  private remember({ method }: Step, { status, headers }: WireAnswer, raw: string): void {
    const { memory } = this;
    const header = (wanted: string): string => headers.find(([name]) => name === wanted)?.[1] ?? '';
    if (status === 201)
      memory.created = this.below(header('location')).replace(/\/_history.*/, '') || memory.created;
    if (status === 202) memory.job = /_jobId=([\w-]+)/.exec(header('content-location'))?.[1] ?? memory.job;
    if (status !== 200 && status !== 202) return;
    const next = raw.includes('_page=')
      ? /"relation":\s*"next",\s*"url":\s*"([^"]+)"/.exec(raw)?.[1]
      : undefined;
    if (next !== undefined) {
      memory.next = this.below(next);
      memory.token = /_page=([\w-]+)/.exec(next)?.[1] ?? memory.token;
    }
    const files = raw.includes('$export-file') ? filesIn(raw).map((url) => this.below(url)) : [];
    if (files.length > 0) memory.file = files[files.length > 1 && memory.file === files[0] ? 1 : 0]!;
    if (method === 'POST') {
      memory.reindex = /"name":\s*"job",\s*"valueString":\s*"([\w-]+)"/.exec(raw)?.[1] ?? memory.reindex;
    }
  }

  private below(url: string): string {
    return url.startsWith(`${this.base}/`)
      ? url.slice(this.base.length + 1)
      : url.replace(`${this.base}?`, '?');
  }

  private normal(raw: string): string {
    return raw.replace(VARYING, (_, id: string | undefined, time: string | undefined) =>
      id === undefined ? (time === undefined ? '_page=*' : '<time>') : this.nameOf(id),
    );
  }

  private nameOf(id: string): string {
    const known = this.ids.get(id) ?? `<id ${this.ids.size + 1}>`;
    this.ids.set(id, known);
    return known;
  }
}

/** URLs of the files of an export. */
function filesIn(manifest: string): readonly string[] {
  return [...manifest.matchAll(/"url":\s*"([^"]+\$export-file[^"]+)"/g)].map(([, url = '']) => url);
}

/** Something that is nearly the tenant's name and nobody's, in whatever case. */
function variantOf(kind: string, name: string, others: readonly Talk[]): string {
  if (kind === 'name-escaped') return `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`;
  if (kind === 'name-dot') return `${name}.`;
  const variant =
    kind === 'name-upper' ? swapped(name) : kind === 'name-cut' ? name.slice(0, -1) : `${name}-`;
  // DEFAULT may be asked for by anybody, as authentication is off.
  const names = [DEFAULT_PARTITION_NAME, ...others.map(({ tenant }) => tenant.name)];
  const taken = names.some((one) => one.toLowerCase() === variant.toLowerCase());
  const isOwn = variant.toLowerCase() === name.toLowerCase();
  return variant === '' || (taken && !isOwn) ? 'nobody' : variant;
}

function swapped(name: string): string {
  return name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
}

/** Head and body. The length tells nothing that the body does not, and page links differ in theirs. */
function textOf({ status, headers, body }: WireAnswer): string {
  const isPacked = headers.some(([name, value]) => name === 'content-encoding' && value === 'gzip');
  const content = (isPacked && body.length > 0 ? gunzipSync(body) : body).toString('utf8');
  const isLengthTold = content !== '' && !content.includes('_page=') && !isPacked;
  const shown = headers.filter(([name]) => !IGNORED.has(name) && (name !== 'content-length' || isLengthTold));
  return `${status}\n${shown.map(([name, value]) => `${name}: ${value}\n`).join('')}\n${content}`;
}
