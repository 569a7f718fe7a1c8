import { FhirError } from '../src/index.js';
import type { HookEvent, Interceptor, PartitionChoice } from '../src/index.js';
import { withChangedChoice } from './changed-choice.js';

/**
 * The date of a new resource's partition: a FHIR `date` or `dateTime`, of which the calendar date counts as it
 * is written (its time zone's). A partial one (`2024-05`) and undefined mean no date.
 */
export type DateOf = (event: HookEvent<'STORAGE_PARTITION_IDENTIFY_CREATE'>) => string | undefined;

const CALENDAR_DATE = /^\d{4}-\d{2}-\d{2}(?=T|$)/;
const PARTIAL_DATE = /^\d{4}(-\d{2})?$/;

/**
 * Adds a partition date to the partition that another interceptor chooses. The date is chosen at create and
 * kept on update.
 *
 * ```ts
 * withPartitionDate(requestTenantPartition(), ({ resource }) => resource['effectiveDateTime'] as string);
 * ```
 * @throws Error if the interceptor does not hook STORAGE_PARTITION_IDENTIFY_CREATE.
 */
export function withPartitionDate(interceptor: Interceptor, dateOf: DateOf): Interceptor {
  return withChangedChoice(interceptor, {
    STORAGE_PARTITION_IDENTIFY_CREATE: (choice, event) => dated(choice, dateOf(event)),
  });
}

function dated(choice: PartitionChoice, text: string | undefined): PartitionChoice {
  if (text === undefined || PARTIAL_DATE.test(text) || choice.by === 'all') return choice;
  return { ...choice, date: toCalendarDate(text) };
}

function toCalendarDate(text: string): string {
  const date = CALENDAR_DATE.exec(text)?.[0];
  if (date !== undefined && isOnCalendar(date)) return date;
  throw new FhirError('INVALID_REQUEST', `'${text.slice(0, 40)}' is not a date that a partition can have.`);
}

/** 2024-02-30 is read as the first of March, so what was read is compared with what was written. */
function isOnCalendar(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
