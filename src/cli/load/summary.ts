import type { FailedFile } from './failed-file.js';
import type { LoadSummary } from './loader.js';
import type { SourceFormat } from './source-files.js';
import type { Failure } from './unit.js';

const MOST_REASONS = 20;
const MOST_PLACES = 3;

/** How much was loaded, then every reason for a failure once, with the first places where it was met. */
export function summaryLines(
  { created, updated, unchanged, deleted, failed }: LoadSummary,
  { files, seconds }: { readonly files: number; readonly seconds: number },
): readonly string[] {
  const done = created + updated + unchanged;
  const rate = Math.round(done / Math.max(seconds, 0.001));
  const head = `Loaded ${count(done, 'resource')} of ${count(files, 'file')} in ${seconds.toFixed(1)} s (${rate}/s):`;
  const kinds = `${created} created, ${updated} updated, ${unchanged} unchanged${deleted === 0 ? '' : `, ${deleted} deleted`}.`;
  return [`${head} ${kinds}`, ...failureLines(failed)];
}

function failureLines(failed: readonly FailedFile[]): readonly string[] {
  if (failed.length === 0) return [];
  const resources = failed.reduce((total, file) => total + file.resources, 0);
  const reasons = [...byReason(failed)].toSorted(([, a], [, b]) => b.resources - a.resources);
  const lines = reasons.slice(0, MOST_REASONS).flatMap(([reason, group]) => groupLines(reason, group));
  const more = reasons.length - MOST_REASONS;
  return [
    `Failed: ${count(resources, 'resource')} in ${count(failed.length, 'file')}.`,
    ...lines,
    ...(more > 0 ? [`  and ${count(more, 'other reason')}`] : []),
  ];
}

interface Group {
  resources: number;
  readonly places: string[];
}

function byReason(failed: readonly FailedFile[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const { file, failures } of failed) {
    for (const failure of failures) {
      const group = groups.get(failure.reason) ?? { resources: 0, places: [] };
      groups.set(failure.reason, group);
      group.resources += failure.resources;
      group.places.push(placeOf(file.name, file.format, failure));
    }
  }
  return groups;
}

function groupLines(reason: string, { resources, places }: Group): readonly string[] {
  const more = places.length - MOST_PLACES;
  const shown = [...places.slice(0, MOST_PLACES), ...(more > 0 ? [`and ${more} more`] : [])];
  return [`  ${count(resources, 'resource')}: ${reason}`, ...shown.map((place) => `    ${place}`)];
}

function placeOf(name: string, format: SourceFormat, { position, what }: Failure): string {
  const line = format === 'ndjson' ? `line ${(position ?? 0) + 1}` : `entry ${position ?? 0}`;
  return [name, ...(position === undefined ? [] : [line]), ...(what === undefined ? [] : [`(${what})`])].join(
    ' ',
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
