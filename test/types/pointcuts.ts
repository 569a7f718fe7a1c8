// Compiled, never run: each pointcut takes the hook in `accepted` and refuses the one in `refused`. Both
// tables must name every pointcut, and an error that does not come is an error of the compiler's.
import { FhirError } from '../../src/model/errors.js';
import type { Hooks } from '../../src/hooks/interceptor.js';
import type { BuiltInPointcuts, HookFunction } from '../../src/hooks/pointcuts.js';
import type { PartitionId } from '../../src/model/partition.js';

export const accepted: { readonly [P in keyof BuiltInPointcuts]: HookFunction<P> } = {
  INTERCEPTOR_REGISTERED: () => undefined,
  SERVER_INCOMING_REQUEST_PRE_PROCESSED: ({ request }) => request.method !== 'TRACE',
  SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: ({ response }) => {
    response.status = 204;
    return false;
  },
  SERVER_INCOMING_REQUEST_POST_PROCESSED: async ({ request }) => {
    if (request.method === 'DELETE') throw new FhirError('FORBIDDEN', 'no');
  },
  SERVER_INCOMING_REQUEST_PRE_HANDLED: ({ request }) => void request.interaction,
  SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: ({ error }) =>
    error instanceof Error ? undefined : new Error('odd'),
  SERVER_HANDLE_EXCEPTION: ({ error }) => error.status < 500,
  SERVER_OUTGOING_RESPONSE: ({ value }) => ({ ...value, headers: { ...value.headers, 'x-by': 'me' } }),
  SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: ({ value, status }) => (status === 500 ? value : undefined),
  SERVER_PROCESSING_COMPLETED_NORMALLY: ({ request, status }) => void [request.id, status],
  SERVER_PROCESSING_COMPLETED: async ({ request }) => void request?.id,
  SERVER_INTERACTION_COMPLETED: async ({ status, record }) => {
    if (status < 400) await record(1 as PartitionId, [{ resourceType: 'Basic' }]);
  },
  SERVER_STOPPING: async () => undefined,
  SERVER_CAPABILITY_STATEMENT_GENERATED: ({ value }) => ({ ...value, publisher: 'me' }),
  STORAGE_PREACCESS_RESOURCES: ({ value }) => value.filter(({ type }) => type === 'Patient'),
  STORAGE_PRESHOW_RESOURCES: async ({ value }) => value.map((resource) => ({ ...resource, text: undefined })),
  STORAGE_PRESEARCH_REGISTERED: ({ value, partitions }) => [...value, ['_tag', partitions[0]?.name ?? '']],
  STORAGE_PRESTORAGE_RESOURCE_CREATED: ({ value }) => ({ ...value, language: 'en' }),
  STORAGE_PRESTORAGE_RESOURCE_UPDATED: ({ value, previous }) => ({ ...previous, ...value }),
  STORAGE_PRESTORAGE_RESOURCE_DELETED: ({ resource }) => void resource.id,
  STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: ({ resource }) => void resource.id,
  STORAGE_PRESTORAGE_RECORDS: ({ value, writes }) => [
    ...value,
    ...writes.map(({ partition, id }) => ({ partition, resource: { resourceType: 'Basic', about: id } })),
  ],
  STORAGE_PRECOMMIT_RESOURCE_CREATED: ({ partition }) => void partition.name,
  STORAGE_PRECOMMIT_RESOURCE_UPDATED: async ({ resource, previous }) => void [resource, previous],
  STORAGE_PRECOMMIT_RESOURCE_DELETED: ({ resource }) => void resource.id,
  STORAGE_PRESTORAGE_DELETE_CONFLICTS: ({ conflicts }) => (conflicts.length < 2 ? 'ignore' : undefined),
  STORAGE_TRANSACTION_PROCESSING: ({ value }) => ({ ...value, type: 'batch' }),
  STORAGE_TRANSACTION_PROCESSED: ({ bundle, response }) => void [bundle.entry, response.entry],
  STORAGE_PRE_INITIATE_BULK_EXPORT: ({ value }) => [...value, ['_type', 'Patient']],
  STORAGE_INITIATE_BULK_EXPORT: ({ job, request }) => void [job.parameters.types, request.id],
  STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: ({ value, job }) =>
    job.parameters.level.kind === 'system' && { ...value, text: undefined },
  STORAGE_PRESTORAGE_BATCH_JOB_CREATE: ({ job }) => void job.partition,
  STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: async ({ job }) => void job.id,
  STORAGE_POSTCOMPLETE_BATCH_JOB: ({ job }) => void job.parameters.since,
  VALIDATION_COMPLETED: ({ value }) => value.filter(({ severity }) => severity !== 'warning'),
  STORAGE_PARTITION_IDENTIFY_CREATE: ({ resource }) => ({ by: 'name', names: [resource.resourceType] }),
  STORAGE_PARTITION_IDENTIFY_READ: ({ target }) => (target.id ? { by: 'id', ids: [1] } : { by: 'all' }),
  STORAGE_PARTITION_IDENTIFY_ANY: async () => ({ by: 'default', date: '2026-01-31' }),
  STORAGE_PARTITION_SELECTED: ({ partitions, all, target }) =>
    void [partitions[0]?.id, all, target.operation],
  STORAGE_PARTITION_QUOTA: async ({ partition }) =>
    partition.name === 'acme' ? { resources: 10, jobs: 1 } : undefined,
  STORAGE_PARTITION_USED: ({ usage, quota, mayBeTold }) => void [usage.bytes, quota.bytes, mayBeTold],
  STORAGE_PARTITION_CREATED: ({ partition }) => void partition.description,
  STORAGE_PARTITION_DELETED: ({ request, partition }) => void [request?.id, partition.id],
};

export const refused: { readonly [P in keyof BuiltInPointcuts]: Hooks } = {
  // @ts-expect-error an observer answers nothing
  INTERCEPTOR_REGISTERED: { INTERCEPTOR_REGISTERED: () => 'done' },
  SERVER_INCOMING_REQUEST_PRE_PROCESSED: {
    // @ts-expect-error the raw request has no interaction yet
    SERVER_INCOMING_REQUEST_PRE_PROCESSED: ({ request }) => request.interaction === 'read',
  },
  SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: {
    // @ts-expect-error a veto answers no text
    SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: () => 'no',
  },
  SERVER_INCOMING_REQUEST_POST_PROCESSED: {
    // @ts-expect-error the request is immutable
    SERVER_INCOMING_REQUEST_POST_PROCESSED: ({ request }) => void (request.method = 'GET'),
  },
  // @ts-expect-error only a throw refuses here
  SERVER_INCOMING_REQUEST_PRE_HANDLED: { SERVER_INCOMING_REQUEST_PRE_HANDLED: () => false },
  // @ts-expect-error an error is replaced by an Error
  SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: { SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: () => 'sorry' },
  // @ts-expect-error the request may be missing
  SERVER_HANDLE_EXCEPTION: { SERVER_HANDLE_EXCEPTION: ({ request }) => request.id === '1' },
  // @ts-expect-error a response has a status
  SERVER_OUTGOING_RESPONSE: { SERVER_OUTGOING_RESPONSE: () => ({ headers: {}, body: 'x' }) },
  SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: {
    // @ts-expect-error an outcome has issues
    SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: () => ({ resourceType: 'OperationOutcome' }),
  },
  // @ts-expect-error an observer answers nothing
  SERVER_PROCESSING_COMPLETED_NORMALLY: { SERVER_PROCESSING_COMPLETED_NORMALLY: () => false },
  // @ts-expect-error the request may be missing
  SERVER_PROCESSING_COMPLETED: { SERVER_PROCESSING_COMPLETED: ({ request }) => void request.id },
  // @ts-expect-error only a throw refuses here
  SERVER_INTERACTION_COMPLETED: { SERVER_INTERACTION_COMPLETED: () => false },
  // @ts-expect-error an observer answers nothing
  SERVER_STOPPING: { SERVER_STOPPING: () => 'wait' },
  SERVER_CAPABILITY_STATEMENT_GENERATED: {
    // @ts-expect-error a resource has a type
    SERVER_CAPABILITY_STATEMENT_GENERATED: () => ({ publisher: 'me' }),
  },
  // @ts-expect-error the entries are answered, not their ids
  STORAGE_PREACCESS_RESOURCES: { STORAGE_PREACCESS_RESOURCES: ({ value }) => value.map(({ id }) => id) },
  // @ts-expect-error the list is immutable
  STORAGE_PRESHOW_RESOURCES: { STORAGE_PRESHOW_RESOURCES: ({ value }) => void value.pop() },
  // @ts-expect-error a parameter is a name and a value
  STORAGE_PRESEARCH_REGISTERED: { STORAGE_PRESEARCH_REGISTERED: () => [['name', 1]] },
  // @ts-expect-error the resource stands in `value`
  STORAGE_PRESTORAGE_RESOURCE_CREATED: { STORAGE_PRESTORAGE_RESOURCE_CREATED: ({ resource }) => resource },
  STORAGE_PRESTORAGE_RESOURCE_UPDATED: {
    // @ts-expect-error the stored content is immutable
    STORAGE_PRESTORAGE_RESOURCE_UPDATED: ({ previous }) => void (previous.id = '1'),
  },
  // @ts-expect-error only a throw refuses here
  STORAGE_PRESTORAGE_RESOURCE_DELETED: { STORAGE_PRESTORAGE_RESOURCE_DELETED: () => false },
  // @ts-expect-error only a throw refuses here, asynchronous or not
  STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: { STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: async () => false },
  // @ts-expect-error a record has a partition
  STORAGE_PRESTORAGE_RECORDS: { STORAGE_PRESTORAGE_RECORDS: () => [{ resource: { resourceType: 'Basic' } }] },
  // @ts-expect-error what is stored cannot be replaced any more
  STORAGE_PRECOMMIT_RESOURCE_CREATED: { STORAGE_PRECOMMIT_RESOURCE_CREATED: ({ resource }) => resource },
  // @ts-expect-error there is no such element of the event
  STORAGE_PRECOMMIT_RESOURCE_UPDATED: { STORAGE_PRECOMMIT_RESOURCE_UPDATED: ({ old }) => void old },
  // @ts-expect-error a delete has no previous content besides `resource`
  STORAGE_PRECOMMIT_RESOURCE_DELETED: { STORAGE_PRECOMMIT_RESOURCE_DELETED: ({ previous }) => void previous },
  // @ts-expect-error the only answer is "ignore"
  STORAGE_PRESTORAGE_DELETE_CONFLICTS: { STORAGE_PRESTORAGE_DELETE_CONFLICTS: () => 'cascade' },
  // @ts-expect-error only a Bundle replaces a Bundle
  STORAGE_TRANSACTION_PROCESSING: { STORAGE_TRANSACTION_PROCESSING: () => ({ resourceType: 'Patient' }) },
  // @ts-expect-error an observer answers nothing
  STORAGE_TRANSACTION_PROCESSED: { STORAGE_TRANSACTION_PROCESSED: ({ response }) => response },
  // @ts-expect-error a parameter is a name and a value
  STORAGE_PRE_INITIATE_BULK_EXPORT: { STORAGE_PRE_INITIATE_BULK_EXPORT: () => ({ types: ['Patient'] }) },
  // @ts-expect-error only a throw refuses here
  STORAGE_INITIATE_BULK_EXPORT: { STORAGE_INITIATE_BULK_EXPORT: () => false },
  // @ts-expect-error a resource, or false
  STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: { STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: () => true },
  // @ts-expect-error only a throw refuses here
  STORAGE_PRESTORAGE_BATCH_JOB_CREATE: { STORAGE_PRESTORAGE_BATCH_JOB_CREATE: () => false },
  // @ts-expect-error an observer answers nothing
  STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: { STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: ({ job }) => job },
  // @ts-expect-error jobs run without a request
  STORAGE_POSTCOMPLETE_BATCH_JOB: { STORAGE_POSTCOMPLETE_BATCH_JOB: ({ request }) => void request },
  // @ts-expect-error there is no such severity
  VALIDATION_COMPLETED: { VALIDATION_COMPLETED: () => [{ severity: 'bad', code: 'invalid' }] },
  // @ts-expect-error at least one name
  STORAGE_PARTITION_IDENTIFY_CREATE: { STORAGE_PARTITION_IDENTIFY_CREATE: () => ({ by: 'name', names: [] }) },
  // @ts-expect-error a read has no resource
  STORAGE_PARTITION_IDENTIFY_READ: { STORAGE_PARTITION_IDENTIFY_READ: ({ resource }) => void resource },
  // @ts-expect-error ids are numbers
  STORAGE_PARTITION_IDENTIFY_ANY: { STORAGE_PARTITION_IDENTIFY_ANY: () => ({ by: 'id', ids: ['1'] }) },
  // @ts-expect-error only a throw refuses here
  STORAGE_PARTITION_SELECTED: { STORAGE_PARTITION_SELECTED: ({ all }) => !all },
  // @ts-expect-error a quota is no number
  STORAGE_PARTITION_QUOTA: { STORAGE_PARTITION_QUOTA: () => 10 },
  // @ts-expect-error an observer answers nothing
  STORAGE_PARTITION_USED: { STORAGE_PARTITION_USED: ({ usage }) => usage.bytes },
  // @ts-expect-error the request may be missing
  STORAGE_PARTITION_CREATED: { STORAGE_PARTITION_CREATED: ({ request }) => void request.id },
  // @ts-expect-error an observer answers nothing
  STORAGE_PARTITION_DELETED: { STORAGE_PARTITION_DELETED: () => ({ by: 'all' }) },
};
