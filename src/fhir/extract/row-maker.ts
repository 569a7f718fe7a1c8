import type { RowCollector } from './row-collector.js';

/** Adds the rows of one value. `system` is the code system that a `code` element implies, or null. */
export type RowMaker = (value: unknown, path: string, rows: RowCollector, system: string | null) => void;

/** Row makers by FHIR type; a type without one has no rows of that kind. */
export type RowMakers = Readonly<Record<string, RowMaker>>;
