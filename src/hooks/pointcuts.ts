import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { BulkExport } from '../model/bulk-export.js';
import type { FhirError } from '../model/errors.js';
import type { Partition, PartitionChoice, PartitionId } from '../model/partition.js';
import type { PartitionUsage, Quota } from '../model/quota.js';
import type { Interaction, QueryParameter, RequestDetails } from '../model/request.js';
import type { Bundle, OperationOutcome, OutcomeIssue, Resource } from '../model/resource.js';

/** A value, or a promise of it. `await` takes both. */
export type MaybePromise<T> = T | Promise<T>;

/** The hook is told, and answers nothing. */
export interface Observe<Event extends object> {
  readonly mode: 'observe';
  readonly event: Event;
}

/**
 * The hook may throw to refuse. Where `Answer` is `boolean` it may also answer `false`: "I have written the
 * response myself", which ends the request.
 */
export interface Veto<Event extends object, Answer extends boolean = never> {
  readonly mode: 'veto';
  readonly event: Event;
  readonly answer: Answer;
}

/** The first hook that answers anything but `undefined` decides. */
export interface Decide<Event extends object, Answer> {
  readonly mode: 'decide';
  readonly event: Event;
  readonly answer: Answer;
}

/** The hook sees the event and `value`, and may answer a replacement that the next hook sees. */
export interface Transform<Event extends object, Value, Replacement = Value> {
  readonly mode: 'transform';
  readonly event: Event;
  readonly value: Value;
  readonly replacement: Replacement;
}

/** What the four modes mean: see each interface. */
export type Mode = 'observe' | 'veto' | 'decide' | 'transform';

/** What an interaction is about, as far as it is known before anything was read. */
export interface ReadTarget {
  readonly interaction: Interaction;
  /** Undefined at the server level: system history, batch, a server's operation. */
  readonly resourceType?: string | undefined;
  readonly id?: string | undefined;
  /** `$name` of an operation. */
  readonly operation?: string | undefined;
}

/** A stored resource that is about to be returned. */
export interface AccessedResource {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly partition: PartitionId;
  /** The content, parsed when it is first asked for. */
  resource(): Resource;
}

/** What can be sent: text, bytes, a stream, a resource to be serialized, or nothing. */
export type ResponseBody = string | Buffer | Readable | Resource | undefined;

/** A response that is complete and not yet sent. Header names are in lower case. */
export interface OutgoingResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ResponseBody;
}

/**
 * The response that a veto hook may write before it answers `false`; it is sent as it is left. Header names
 * are in lower case. It begins with status 200, no headers and no body.
 */
export interface HookResponse {
  status: number;
  readonly headers: Record<string, string>;
  body: ResponseBody;
}

/** A change that is decided, and about to be stored. */
export interface DecidedWrite {
  /** What asks for it: the request, or the entry of a transaction. */
  readonly request: RequestDetails;
  readonly action: 'create' | 'update' | 'delete';
  readonly type: string;
  readonly id: string;
  /** The version that it makes. */
  readonly version: number;
  readonly partition: PartitionId;
  /** What will be stored, or, of a delete, the last content. */
  readonly resource: Resource;
  /** What an update replaces; parsed when it is asked for. */
  previous(): Resource | undefined;
}

/** A resource that the server stores besides what it was asked for, in one partition. */
export interface ServerRecord {
  readonly partition: PartitionId;
  readonly resource: Resource;
}

/**
 * Stores resources of your own in one partition, all or none, as new ones with ids of the server; nobody hooks in, and
 * they are not validated. Those of a partition that is not registered go to DEFAULT. One function for each server.
 */
export type RecordWriter = (partition: PartitionId, resources: readonly Resource[]) => Promise<void>;

/** Type and id of a resource that refers to the one that is to be deleted. */
export interface DeleteConflict {
  readonly type: string;
  readonly id: string;
}

/** Most events: the request, which exists outside HTTP (command line, jobs) too. */
interface RequestEvent {
  readonly request: RequestDetails;
}

/** A failure can come before the request was understood. */
interface FailureEvent {
  readonly request?: RequestDetails | undefined;
}

interface HttpEvent extends RequestEvent {
  readonly response: HookResponse;
}

interface ResourceEvent extends RequestEvent {
  readonly resource: Resource;
}

/** Jobs run without a request. */
interface ExportEvent {
  readonly job: BulkExport;
}

interface CommitEvent extends ResourceEvent {
  readonly partition: Partition;
}

/** The framework's own pointcuts; `POINTCUTS` in pointcut-manual.ts tells when each fires. */
export interface BuiltInPointcuts {
  INTERCEPTOR_REGISTERED: Observe<object>;

  SERVER_INCOMING_REQUEST_PRE_PROCESSED: Veto<
    { readonly request: IncomingMessage; readonly response: ServerResponse },
    boolean
  >;
  SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: Veto<HttpEvent, boolean>;
  SERVER_INCOMING_REQUEST_POST_PROCESSED: Veto<HttpEvent, boolean>;
  SERVER_INCOMING_REQUEST_PRE_HANDLED: Veto<RequestEvent>;
  SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: Decide<FailureEvent & { readonly error: unknown }, Error>;
  SERVER_HANDLE_EXCEPTION: Veto<
    FailureEvent & { readonly error: FhirError; readonly response: HookResponse },
    boolean
  >;
  SERVER_OUTGOING_RESPONSE: Transform<RequestEvent, OutgoingResponse>;
  SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: Transform<
    FailureEvent & { readonly status: number },
    OperationOutcome
  >;
  SERVER_PROCESSING_COMPLETED_NORMALLY: Observe<RequestEvent & { readonly status: number }>;
  SERVER_PROCESSING_COMPLETED: Observe<FailureEvent & { readonly status: number }>;
  SERVER_INTERACTION_COMPLETED: Veto<
    RequestEvent & {
      readonly status: number;
      /** What was thrown, where it failed. */
      readonly error: unknown;
      readonly record: RecordWriter;
    }
  >;
  SERVER_STOPPING: Observe<object>;
  SERVER_CAPABILITY_STATEMENT_GENERATED: Transform<RequestEvent, Resource>;

  STORAGE_PREACCESS_RESOURCES: Transform<RequestEvent, readonly AccessedResource[]>;
  STORAGE_PRESHOW_RESOURCES: Transform<RequestEvent, readonly Resource[]>;
  STORAGE_PRESEARCH_REGISTERED: Transform<
    RequestEvent & { readonly resourceType: string | undefined; readonly partitions: readonly Partition[] },
    readonly QueryParameter[]
  >;
  STORAGE_PRESTORAGE_RESOURCE_CREATED: Transform<RequestEvent, Resource>;
  STORAGE_PRESTORAGE_RESOURCE_UPDATED: Transform<RequestEvent & { readonly previous: Resource }, Resource>;
  STORAGE_PRESTORAGE_RESOURCE_DELETED: Veto<ResourceEvent>;
  STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: Veto<ResourceEvent>;
  STORAGE_PRESTORAGE_RECORDS: Transform<
    RequestEvent & { readonly writes: readonly DecidedWrite[] },
    readonly ServerRecord[]
  >;
  STORAGE_PRECOMMIT_RESOURCE_CREATED: Observe<CommitEvent>;
  STORAGE_PRECOMMIT_RESOURCE_UPDATED: Observe<CommitEvent & { readonly previous: Resource }>;
  STORAGE_PRECOMMIT_RESOURCE_DELETED: Observe<CommitEvent>;
  STORAGE_PRESTORAGE_DELETE_CONFLICTS: Decide<
    ResourceEvent & { readonly conflicts: readonly DeleteConflict[] },
    'ignore'
  >;
  STORAGE_TRANSACTION_PROCESSING: Transform<RequestEvent, Bundle>;
  STORAGE_TRANSACTION_PROCESSED: Observe<
    RequestEvent & { readonly bundle: Bundle; readonly response: Bundle }
  >;
  STORAGE_PRE_INITIATE_BULK_EXPORT: Transform<RequestEvent, readonly QueryParameter[]>;
  STORAGE_INITIATE_BULK_EXPORT: Veto<RequestEvent & ExportEvent>;
  STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: Transform<ExportEvent, Resource, Resource | false>;
  STORAGE_PRESTORAGE_BATCH_JOB_CREATE: Veto<RequestEvent & ExportEvent>;
  STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: Observe<RequestEvent & ExportEvent>;
  STORAGE_POSTCOMPLETE_BATCH_JOB: Observe<ExportEvent>;
  VALIDATION_COMPLETED: Transform<ResourceEvent, readonly OutcomeIssue[]>;

  STORAGE_PARTITION_IDENTIFY_CREATE: Decide<ResourceEvent, PartitionChoice>;
  STORAGE_PARTITION_IDENTIFY_READ: Decide<RequestEvent & { readonly target: ReadTarget }, PartitionChoice>;
  STORAGE_PARTITION_IDENTIFY_ANY: Decide<RequestEvent, PartitionChoice>;
  STORAGE_PARTITION_SELECTED: Veto<
    RequestEvent & {
      readonly target: ReadTarget;
      readonly partitions: readonly Partition[];
      readonly all: boolean;
    }
  >;
  STORAGE_PARTITION_QUOTA: Decide<RequestEvent & { readonly partition: Partition }, Quota>;
  STORAGE_PARTITION_USED: Observe<
    RequestEvent & {
      readonly partition: Partition;
      readonly usage: PartitionUsage;
      readonly quota: Quota;
      /** Whether the client may learn it: it can read the whole partition, which is its own. */
      readonly mayBeTold: boolean;
    }
  >;
  STORAGE_PARTITION_CREATED: Observe<FailureEvent & { readonly partition: Partition }>;
  STORAGE_PARTITION_DELETED: Observe<FailureEvent & { readonly partition: Partition }>;
}

/**
 * Every pointcut and its types. A plugin adds its own by merging, and defines it at run time with
 * `HookRegistry.define`:
 *
 * ```ts
 * declare module 'bulkhead-fhir' {
 *   interface PointcutMap {
 *     ACME_INVOICE_SENT: Observe<{ readonly invoice: string }>;
 *   }
 * }
 * ```
 */
export interface PointcutMap extends BuiltInPointcuts {}

/** The name of a pointcut. */
export type PointcutName = keyof PointcutMap & string;

/** The pointcuts of one mode. */
export type PointcutsOf<M extends Mode> = {
  [P in PointcutName]: PointcutMap[P]['mode'] extends M ? P : never;
}[PointcutName];

/** The event that whoever dispatches a pointcut passes. */
export type EventOf<P extends PointcutName> = PointcutMap[P]['event'];

/** The value that runs through a transform pointcut. */
export type ValueOf<P extends PointcutName> =
  PointcutMap[P] extends Transform<infer _Event, infer Value, infer _Replacement> ? Value : never;

/** What a transform pointcut may be answered with, and what comes out of it. */
export type ReplacementOf<P extends PointcutName> =
  PointcutMap[P] extends Transform<infer _Event, infer _Value, infer Replacement> ? Replacement : never;

/** What a decide pointcut is answered with. */
export type AnswerOf<P extends PointcutName> =
  PointcutMap[P] extends Decide<infer _Event, infer Answer> ? Answer : never;

/** The event as a hook sees it: frozen, and with `value` where the mode is transform. */
export type HookEvent<P extends PointcutName> =
  PointcutMap[P] extends Transform<infer Event, infer Value, infer _Replacement>
    ? Readonly<Event> & { readonly value: Value }
    : Readonly<EventOf<P>>;

/** What a hook may answer; `undefined` always means "nothing to say". */
export type HookAnswer<P extends PointcutName> =
  PointcutMap[P] extends Observe<infer _Event>
    ? void
    : PointcutMap[P] extends Veto<infer _Event, infer Answer>
      ? Answer | void
      : PointcutMap[P] extends Decide<infer _Event, infer Answer>
        ? Answer | undefined
        : ReplacementOf<P> | undefined;

/** A hook. It may be asynchronous. */
export type HookFunction<P extends PointcutName> = (event: HookEvent<P>) => MaybePromise<HookAnswer<P>>;
