import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { OperationOutcome, OutcomeIssue } from '../../model/resource.js';
import type { ExportFile } from '../../storage/export-store.js';
import type { SingleExport } from './single-export.js';

/** How much was exported, as of when, and what to ask for the next time. */
export function exportLines({ job, outputFiles }: SingleExport, seconds: number): readonly string[] {
  const resources = linesOf(outputFiles, 'output');
  const rate = Math.round(resources / Math.max(seconds, 0.001));
  const size = (outputFiles.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6).toFixed(1);
  const time = new Date(job.at ?? 0).toISOString();
  const head = `Exported ${count(resources, 'resource')} to ${count(outputFiles.length, 'file')}`;
  return [
    `${head}: ${size} MB in ${seconds.toFixed(1)} s (${rate}/s), as of ${time}.`,
    `What changes after that: --since ${time}`,
  ];
}

function linesOf(files: readonly ExportFile[], kind: ExportFile['kind']): number {
  return files.filter((file) => file.kind === kind).reduce((sum, file) => sum + file.count, 0);
}

/** What was left out, and other remarks: the lines of a file of outcomes. */
export async function* readIssues(path: string): AsyncGenerator<OutcomeIssue> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  for await (const line of createInterface({ input, crlfDelay: Infinity }))
    if (line !== '') yield* (JSON.parse(line) as OperationOutcome).issue;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
