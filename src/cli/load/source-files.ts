import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { CommandError } from '../command-error.js';
import { UNFINISHED, unfinishedMessage } from '../unfinished-export.js';

/** A document is JSON or XML. */
export type SourceFormat = 'json' | 'xml' | 'ndjson';

/** One file to load. */
export interface SourceFile {
  readonly path: string;
  /** As it is told to people: relative to the working directory. */
  readonly name: string;
  readonly bytes: number;
  readonly format: SourceFormat;
  readonly gzip: boolean;
  /** Files of a lower stage are loaded before any of a higher one, as those refer to them. */
  readonly stage: number;
}

/**
 * The files behind the paths, folders searched through, in the order in which they are to be loaded.
 * @throws CommandError for a path that does not exist, has another format, or a folder without any file.
 */
export async function findSourceFiles(paths: readonly string[], cwd: string): Promise<readonly SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const path of paths) {
    for (const file of await filesAt(resolve(cwd, path), path)) {
      found.set(file, await toSourceFile(file, relative(cwd, file)));
    }
  }
  return [...found.values()].toSorted((a, b) => a.stage - b.stage || compare(a.name, b.name));
}

/** Hidden files, and what a bulk export tells about itself. */
const IGNORED = /(^|[/\\])(\.|manifest\.json$|error\.\d+\.ndjson(\.gz)?$)/;
const LOADABLE = /\.(json|ndjson|xml)(\.gz)?$/i;

async function filesAt(path: string, given: string): Promise<readonly string[]> {
  if (!existsSync(path)) throw new CommandError(`${given} does not exist.`);
  if ((await stat(path)).isFile()) {
    if (LOADABLE.test(path)) return [path];
    throw new CommandError(`${given} is neither .json nor .ndjson nor .xml, with or without .gz.`);
  }
  const names = await readdir(path, { recursive: true });
  if (names.includes(UNFINISHED)) throw new CommandError(unfinishedMessage(given));
  const files = names.filter((name) => LOADABLE.test(name) && !IGNORED.test(name));
  if (files.length === 0 && names.includes('manifest.json')) return [];
  if (files.length === 0)
    throw new CommandError(`${given} has no .json, .ndjson or .xml file, with or without .gz.`);
  return files.map((name) => join(path, name));
}

async function toSourceFile(path: string, name: string): Promise<SourceFile> {
  return {
    path,
    name,
    bytes: (await stat(path)).size,
    format: formatOf(path),
    gzip: /\.gz$/i.test(path),
    stage: stageOf(basename(path)),
  };
}

function formatOf(path: string): SourceFormat {
  const [, extension = ''] = LOADABLE.exec(path) ?? [];
  const format = extension.toLowerCase();
  return format === 'ndjson' || format === 'xml' ? format : 'json';
}

/**
 * Synthea's patients refer to its hospitals and practitioners, and a bulk export's files to each other. What
 * this order misses is mended by loading failed resources again.
 */
const STAGES: readonly RegExp[] = [
  /hospitalInformation|^Organization\b.*\.ndjson/i,
  /practitionerInformation|^(Location|Practitioner|Medication|Substance)\b.*\.ndjson/i,
  /^(PractitionerRole|Patient|HealthcareService|Device)\b.*\.ndjson/i,
  /^(Encounter|EpisodeOfCare|Group|RelatedPerson|Coverage)\b.*\.ndjson|\.(json|xml)(\.gz)?$/i,
];

/** What refers to clinical resources, and to each other in this order. */
const LATE_STAGES: readonly RegExp[] = [
  /^(MedicationRequest|CarePlan|DiagnosticReport|ImagingStudy|Media|Goal)\b.*\.ndjson/i,
  /^(Claim|MedicationAdministration|MedicationDispense|MedicationStatement|Composition)\b.*\.ndjson/i,
  /^(ExplanationOfBenefit|ClaimResponse|List|DocumentReference|Provenance|AuditEvent)\b.*\.ndjson/i,
];

/** The deletions of a bulk export: after everything that may refer to what they delete no longer. */
export const DELETIONS_STAGE = STAGES.length + 1 + LATE_STAGES.length;
const DELETIONS = /^deleted\.\d+\.ndjson(\.gz)?$/;

function stageOf(name: string): number {
  if (DELETIONS.test(name)) return DELETIONS_STAGE;
  const stage = STAGES.findIndex((pattern) => pattern.test(name));
  if (stage >= 0) return stage;
  const late = LATE_STAGES.findIndex((pattern) => pattern.test(name));
  return STAGES.length + 1 + late;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
