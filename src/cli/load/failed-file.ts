import type { SourceFile } from './source-files.js';
import type { Failure } from './unit.js';

/** A file of which something could not be loaded. */
export interface FailedFile {
  readonly file: SourceFile;
  /** The first of them, in the order of the file. */
  readonly failures: readonly Failure[];
  /** Resources that were not loaded, including those of failures that are not listed. */
  readonly resources: number;
}

/** Failures of one file that are remembered; where there are more, the whole file is read again. */
const MOST_FAILURES = 10_000;

/** Gathers what fails, by file. */
export class FailureList {
  private readonly files = new Map<SourceFile, { readonly failures: Failure[]; resources: number }>();

  add(file: SourceFile, failure: Failure): void {
    const known = this.files.get(file) ?? { failures: [], resources: 0 };
    this.files.set(file, known);
    known.resources += failure.resources;
    if (known.failures.length < MOST_FAILURES) known.failures.push(failure);
  }

  /** In the order in which files are loaded. */
  all(): readonly FailedFile[] {
    const failed = [...this.files].map(([file, { failures, resources }]) => ({ file, failures, resources }));
    return failed.toSorted((a, b) => a.file.stage - b.file.stage || (a.file.name < b.file.name ? -1 : 1));
  }
}

/** Positions that failed; undefined for the whole file, or for more than was remembered. */
export function positionsOf({
  failures,
  resources,
}: Omit<FailedFile, 'file'>): ReadonlySet<number> | undefined {
  const positions = failures.flatMap(({ position }) => position ?? []);
  const known = failures.reduce((sum, failure) => sum + failure.resources, 0);
  return positions.length === failures.length && known === resources ? new Set(positions) : undefined;
}
