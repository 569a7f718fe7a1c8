import type { RowsShape, Shape } from './search-shape.js';

/** The condition that a query walks, and what remains to be tested on each resource it finds. */
export interface Driver {
  readonly shape: DrivingShape;
  readonly rest: readonly Shape[];
}

/** Shapes that an index finds resources by. */
export type DrivingShape = Extract<
  Shape,
  { kind: 'rows' | 'element' | 'contained' | 'chain' | 'has' | 'any' }
>;

/**
 * The condition that probably leaves the fewest resources; null where walking the resources of the type is best:
 * for ids, and where no index finds anything.
 */
export function pickDriver(shape: Shape): Driver | null {
  const parts = partsOf(shape);
  if (parts.some(isById)) return null;
  let best: DrivingShape | null = null;
  for (const part of parts) {
    if (drives(part) && (best === null || weight(part) < weight(best))) best = part;
  }
  return best && { shape: best, rest: parts.filter((part) => part !== best) };
}

/** What has to hold together. */
export function partsOf(shape: Shape): readonly Shape[] {
  return shape.kind === 'all' ? shape.of : [shape];
}

/** Whether ids are asked for. */
export function isById(shape: Shape): boolean {
  return shape.kind === 'resource' && shape.by === 'id';
}

/** Whether an index row stands behind every match. */
function drives(shape: Shape): shape is DrivingShape {
  if (shape.kind === 'any') return shape.of.every(isFound);
  if (shape.kind === 'element' || shape.kind === 'contained') return true;
  return shape.kind === 'rows' || shape.kind === 'chain' || shape.kind === 'has';
}

/** Whether an alternative finds its resources by itself. */
function isFound(shape: Shape): boolean {
  if (shape.kind === 'all') return shape.of.some((part) => isById(part) || drives(part));
  return isById(shape) || drives(shape);
}

const REACH_WEIGHT = { key: 0, system: 1, range: 2, scan: 20 } as const;
const INDEX_WEIGHT = {
  text: 2,
  uri: 4,
  string: 4,
  token: 6,
  reference: 6,
  quantity: 10,
  number: 10,
  date: 12,
} as const;

/** Few resources contain others. */
const CONTAINED_WEIGHT = 8;

/** A guess without statistics: low for few matches. */
function weight(shape: DrivingShape): number {
  switch (shape.kind) {
    case 'any':
      return 1 + Math.max(0, ...shape.of.map(weightOfAlternative));
    case 'chain':
    case 'has':
      return 9;
    case 'rows':
      return rowsWeight(shape);
    case 'element':
      return Math.min(...shape.parts.map(partWeight));
    case 'contained':
      return CONTAINED_WEIGHT;
  }
}

function weightOfAlternative(shape: Shape): number {
  const driver = pickDriver(shape);
  return driver === null ? 0 : weight(driver.shape);
}

/** The same guess for one part of a condition on elements. */
export function partWeight(part: readonly RowsShape[]): number {
  return Math.max(...part.map(rowsWeight));
}

function rowsWeight({ index, tests, selective }: RowsShape): number {
  if (tests === null) return 40;
  const widest = Math.max(...tests.map((test) => REACH_WEIGHT[test.reach]));
  return widest + (selective ? 0 : INDEX_WEIGHT[index]);
}
