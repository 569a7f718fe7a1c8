import { setImmediate } from 'node:timers/promises';

/** For so many milliseconds one request works before the others get a turn. */
const TURN_MS = 8;

/** Does all steps of something that takes long, tells of each, and gives its result. What ends soon waits for nobody. */
export async function inTurns<Piece, Result>(
  steps: Generator<Piece, Result>,
  tell: (piece: Piece) => void = () => undefined,
): Promise<Result> {
  let turn = performance.now();
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    tell(step.value);
    if (performance.now() - turn < TURN_MS) continue;
    await setImmediate();
    turn = performance.now();
  }
}
