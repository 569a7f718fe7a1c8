import type { Random } from '../campaigns/random.js';
import { attackStep, garbageStep } from './attacks.js';
import { exportSteps, operationStep, parameterSteps } from './operation-steps.js';
import { readStep, searchStep } from './reads.js';
import type { Step } from './step.js';
import { weighted } from './vocabulary.js';
import { bundleStep, knotStep, writeStep } from './writes.js';

type Some = (random: Random) => readonly Step[];

const alone =
  (make: (random: Random) => Step): Some =>
  (random) => [make(random)];

const MIX: readonly (readonly [number, Some])[] = [
  [26, alone(writeStep)],
  [16, alone(readStep)],
  [26, alone(searchStep)],
  [5, alone(bundleStep)],
  [2, alone(knotStep)],
  [8, alone(operationStep)],
  [11, alone(attackStep)],
  [4, alone(garbageStep)],
];

/** Exports and search parameters cost as much as hundreds of other steps. */
const RARE: readonly (readonly [number, Some])[] = [
  [3, exportSteps],
  [1, parameterSteps],
];

const RARE_ONCE_IN = 150;

/** What one tenant does, one step after the other. */
export function programOf(random: Random, length: number): readonly Step[] {
  const steps: Step[] = [];
  while (steps.length < length) {
    const mix = random.integer(1, RARE_ONCE_IN) === 1 ? RARE : MIX;
    steps.push(...weighted(random, mix)(random));
  }
  return steps.slice(0, length);
}
