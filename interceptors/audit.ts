import { DESCRIBED_ONLY, defineInterceptor, FhirError } from '../src/index.js';
import type { Interceptor, Resource } from '../src/index.js';
import { AUDIT_TAG } from './audit-event.js';
import { Auditor } from './auditor.js';
import type { AuditOptions } from './auditor.js';

/** Before all that may refuse, and after all that may leave out or change something. */
const FIRST = -Number.MAX_VALUE;
const LAST = Number.MAX_VALUE;

/**
 * Writes an AuditEvent for everything that is asked for, into the partition that was asked: the shapes are those of IHE's
 * Basic Audit Log Patterns. What changes something is stored together with its event, or not at all. While it is
 * registered, AuditEvents are only added to: nobody changes or deletes one, and nobody adds one with the server's tag.
 */
export function audit(options: AuditOptions = {}): Interceptor {
  const auditor = new Auditor(options);
  return defineInterceptor({
    name: options.name ?? 'audit',
    hooks: {
      STORAGE_PARTITION_SELECTED: {
        order: FIRST,
        handle: (event) => {
          if (!event.request.attributes.has(DESCRIBED_ONLY)) auditor.observed.select(event);
        },
      },
      STORAGE_PREACCESS_RESOURCES: {
        order: LAST,
        handle: ({ request, value }) => {
          auditor.observed.see(request, value);
          return undefined;
        },
      },
      STORAGE_PRESTORAGE_RESOURCE_CREATED: {
        order: LAST,
        handle: ({ value }) => {
          if (value.resourceType === 'AuditEvent') assertForeign(value);
          return undefined;
        },
      },
      STORAGE_PRESTORAGE_RESOURCE_UPDATED: {
        order: FIRST,
        handle: ({ previous }) => {
          assertNoEvent(previous);
          return undefined;
        },
      },
      STORAGE_PRESTORAGE_RESOURCE_DELETED: {
        order: FIRST,
        handle: ({ resource }) => assertNoEvent(resource),
      },
      STORAGE_PRESTORAGE_RECORDS: {
        order: LAST,
        handle: (event) => [...event.value, ...auditor.recordsOf(event)],
      },
      SERVER_INTERACTION_COMPLETED: { order: LAST, handle: (event) => auditor.complete(event) },
      SERVER_STOPPING: () => auditor.flush(),
    },
  });
}

/** Its own events the server alone adds. */
function assertForeign({ meta }: Resource): void {
  const { system, code } = AUDIT_TAG;
  if (meta?.tag?.some((tag) => tag.system === system && tag.code === code) !== true) return;
  throw new FhirError(
    'FORBIDDEN',
    `AuditEvents with the tag ${system}|${code} are written by the server alone.`,
  );
}

function assertNoEvent({ resourceType }: Resource): void {
  if (resourceType !== 'AuditEvent') return;
  throw new FhirError('FORBIDDEN', 'AuditEvents are kept as they are: none is changed or deleted.');
}
