import { FhirError, principalOf } from '../src/index.js';
import type {
  DecidedWrite,
  HookEvent,
  PartitionId,
  RecordWriter,
  RequestDetails,
  Resource,
  ServerRecord,
} from '../src/index.js';
import { AuditBuffer, recordEvents } from './audit-buffer.js';
import type { AuditBuffering } from './audit-buffer.js';
import { toAuditEvent } from './audit-event.js';
import type { AuditAction, AuditedResource, AuditedWho } from './audit-event.js';
import { AuditObservations } from './audit-observed.js';
import { queryOfRequest } from './audit-query.js';
import { RefusalLimit } from './audit-refusals.js';

/** Options of `audit`. */
export interface AuditOptions {
  /** Who asks, as far as that is not, or not so, told by the verified token. */
  readonly whoOf?: (request: RequestDetails) => AuditedWho;
  /** Whether a request is written down; all but `metadata` and the status of exports if left out. */
  readonly isAudited?: (request: RequestDetails) => boolean;
  /**
   * When what changes nothing is written down: before it is answered (`at-once`, if left out), or with others, which a
   * kill loses. What changes something is written down in the transaction that does so, always.
   */
  readonly reads?: 'at-once' | AuditBuffering;
  /**
   * What becomes of an answer that can't be written down: 503 AUDIT_UNAVAILABLE (`refused`, if left out), or it is
   * given all the same (`answered`), and `onLost` is told. Changes are refused in both cases.
   */
  readonly whenUnavailable?: 'refused' | 'answered';
  /** Told of events that are lost. */
  readonly onLost?: (event: Resource, error: unknown) => void;
  /** Patients that one event names; 100 if left out. It tells how many more there were. */
  readonly mostPatients?: number;
  /**
   * Refusals a minute that are written down where no partition is known, which anybody can cause; 600 if left out. The
   * next event tells how many were left out.
   */
  readonly refusalsPerMinute?: number;
  /**
   * What events tell that stand in DEFAULT for want of one partition: who asked, when, and how it ended (`outcome`, if
   * left out), or ids and queries too (`all`), which whoever reads DEFAULT then learns of other tenants.
   */
  readonly withoutPartition?: 'outcome' | 'all';
  /** Milliseconds since 1970 UTC; the system's clock if left out. */
  readonly clock?: () => number;
  /** Name in logs and explanations; `audit` if left out. */
  readonly name?: string;
}

/** Nothing was done, and to write it down would cost what the refusal saves. */
const PASSED_OVER: ReadonlySet<number> = new Set([429, 503]);

const ACTIONS: Readonly<Partial<Record<RequestDetails['interaction'], AuditAction>>> = {
  read: 'read',
  vread: 'read',
  'history-instance': 'read',
  'history-type': 'read',
  'history-system': 'read',
  create: 'create',
  update: 'update',
  patch: 'update',
  delete: 'delete',
};

type Completed = HookEvent<'SERVER_INTERACTION_COMPLETED'>;

/** Knows what to write down, and where. */
export class Auditor {
  readonly observed: AuditObservations;
  private readonly buffer: AuditBuffer | undefined;
  private readonly refusals: RefusalLimit;
  private readonly mostPatients: number;
  private readonly clock: () => number;

  constructor(private readonly options: AuditOptions) {
    const { reads = 'at-once', mostPatients = 100, refusalsPerMinute = 600, clock = Date.now } = options;
    this.observed = new AuditObservations(mostPatients);
    this.buffer = reads === 'at-once' ? undefined : new AuditBuffer(reads);
    this.refusals = new RefusalLimit(refusalsPerMinute, clock);
    this.mostPatients = mostPatients;
    this.clock = clock;
  }

  /** The events of changes. */
  recordsOf({ request, writes }: HookEvent<'STORAGE_PRESTORAGE_RECORDS'>): readonly ServerRecord[] {
    const audited = writes.filter((write) => this.isAudited(write.request));
    this.observed.noteRecorded(
      request,
      audited.map((write) => write.request),
    );
    return audited.map((write) => ({ partition: write.partition, resource: this.eventOfWrite(write) }));
  }

  /** What has changed nothing, or has failed. */
  async complete({ request, status, error, record }: Completed): Promise<void> {
    if (!this.isAudited(request) || PASSED_OVER.has(status)) return;
    if (status < 400 && (isBundle(request) || this.observed.isRecorded(request))) return;
    const partition = this.observed.partitionOf(request);
    const leftOut = partition === undefined && status >= 400 ? this.refusals.take() : 0;
    if (leftOut === undefined) return;
    const event = this.eventOfRequest(request, { status, problem: problemOf(error, leftOut) });
    try {
      await this.keep(record, this.observed.homeOf(request), event);
    } catch (cause) {
      // What has failed already is answered as that.
      if (status < 500) this.lose(event, cause);
    }
  }

  flush(): Promise<void> | undefined {
    return this.buffer?.flush();
  }

  private async keep(record: RecordWriter, home: PartitionId, event: Resource): Promise<void> {
    if (this.buffer) this.buffer.add(record, home, event);
    else await recordEvents(record, home, [event]);
  }

  private lose(event: Resource, cause: unknown): void {
    this.options.onLost?.(event, cause);
    if (this.options.whenUnavailable === 'answered') return;
    const message = 'What was asked for could not be recorded.';
    throw new FhirError('AUDIT_UNAVAILABLE', message, { headers: { 'retry-after': '5' }, cause });
  }

  private eventOfWrite(write: DecidedWrite): Resource {
    const { request, action, type, id, version, resource } = write;
    const before = write.previous();
    const patients = [resource, ...(before && before !== resource ? [before] : [])].flatMap((one) =>
      this.observed.patientsOf(one),
    );
    const distinct = [...new Set(patients)];
    const status = action === 'create' ? 201 : action === 'delete' ? 204 : 200;
    return toAuditEvent({
      ...this.common(request),
      action,
      status,
      about: { type, id, version: action === 'delete' ? version - 1 : version, link: true },
      patients: distinct.slice(0, this.mostPatients),
      morePatients: Math.max(0, distinct.length - this.mostPatients),
    });
  }

  private eventOfRequest(
    request: RequestDetails,
    { status, problem }: { readonly status: number; readonly problem: string | undefined },
  ): Resource {
    const { ids, more } = this.observed.patientsSeen(request);
    const isTold = this.isTold(request);
    const about = isTold ? this.aboutOf(request, status) : undefined;
    const action = ACTIONS[request.interaction] ?? 'execute';
    const isPlain = about !== undefined && action !== 'execute';
    return toAuditEvent({
      ...this.common(request),
      action,
      status,
      problem,
      about,
      query: isPlain || !isTold ? undefined : queryOfRequest(request),
      patients: status < 400 ? [...ids] : [],
      morePatients: status < 400 ? more : 0,
    });
  }

  /** A link needs a resource that is, or was, in the one partition that was asked. */
  private aboutOf(request: RequestDetails, status: number): AuditedResource | undefined {
    const { resourceType: type, resourceId: id, versionId } = request;
    if (type === undefined || id === undefined) return undefined;
    const isFound = status < 400 && request.method !== 'DELETE';
    const link = isFound && this.observed.partitionOf(request) !== undefined;
    return { type, id, version: Number(versionId) || undefined, link };
  }

  private isTold(request: RequestDetails): boolean {
    return this.options.withoutPartition === 'all' || this.observed.partitionOf(request) !== undefined;
  }

  private common(request: RequestDetails) {
    const partition = this.observed.partitionOf(request)?.name;
    return {
      request,
      recorded: this.clock(),
      who: { ...whoByToken(request), ...this.options.whoOf?.(request) },
      partition,
    };
  }

  private isAudited(request: RequestDetails): boolean {
    return this.options.isAudited?.(request) ?? isTelling(request);
  }
}

function whoByToken(request: RequestDetails): AuditedWho {
  const principal = principalOf(request);
  if (principal === undefined) return {};
  const { issuer: system, client, subject, fhirUser, tokenId } = principal;
  // A client that acts for itself is its own subject.
  const user = subject === client ? undefined : subject;
  return {
    system,
    ...(client === undefined ? {} : { client }),
    ...(user === undefined ? {} : { user }),
    ...(fhirUser === undefined ? {} : { userName: fhirUser }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
}

/** What tells nothing of resources is asked for often. */
function isTelling({ interaction, operation }: RequestDetails): boolean {
  return interaction !== 'capabilities' && operation !== '$export-poll-status';
}

function isBundle({ interaction }: RequestDetails): boolean {
  return interaction === 'batch' || interaction === 'transaction';
}

function problemOf(error: unknown, leftOut: number): string | undefined {
  const code = error === undefined ? undefined : error instanceof FhirError ? error.code : 'INTERNAL';
  if (leftOut === 0) return code;
  return `${code ?? ''}; ${leftOut} refusals before were left out`;
}
