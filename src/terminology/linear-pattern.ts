import { parsePattern, PatternError, type CharacterTest, type PatternNode } from './pattern-parser.js';

/** One state of the machine: a test of a character, a choice between two ways, or the end. */
type State =
  | { readonly kind: 'test'; readonly test: CharacterTest; readonly next: number }
  | { readonly kind: 'split'; readonly ways: readonly number[] }
  | { readonly kind: 'end' };

const MOST_STATES = 500;
/** States that one pattern may be in, summed up over all characters of all texts: some tenths of a second. */
const MOST_WORK = 4_000_000;

/**
 * Whether a text as a whole fits a pattern. All ways through the pattern are gone at once, so that the time grows
 * with the length of the text alone: no pattern can make it long.
 * @throws PatternError for what can't be matched so; the function, where it has been given too much text
 */
export function linearPattern(text: string): (subject: string) => boolean {
  const states: State[] = [{ kind: 'end' }];
  const start = compile(parsePattern(text), 0, states);
  let work = 0;
  return (subject) => {
    const { matches, steps } = run(states, start, subject, MOST_WORK - work);
    work += steps;
    if (work > MOST_WORK) throw new PatternError('there is too much text to look through');
    return matches;
  };
}

/** Adds the states of a node that go on at `next`; answers where it begins. Built from the end. */
function compile(node: PatternNode, next: number, states: State[]): number {
  switch (node.kind) {
    case 'test':
      return add(states, { kind: 'test', test: node.test, next });
    case 'sequence':
      return node.of.reduceRight((after, part) => compile(part, after, states), next);
    case 'either':
      return add(states, { kind: 'split', ways: node.of.map((part) => compile(part, next, states)) });
    case 'repeat':
      return compileRepeat(node, next, states);
  }
}

function compileRepeat(
  { of, min, max }: Extract<PatternNode, { kind: 'repeat' }>,
  next: number,
  states: State[],
): number {
  let start = next;
  if (max === Infinity) start = compileLoop(of, next, states);
  else {
    for (let count = min; count < max; count++)
      start = add(states, { kind: 'split', ways: [compile(of, start, states), next] });
  }
  for (let count = 0; count < min; count++) start = compile(of, start, states);
  return start;
}

/** The loop's own state is known before what it repeats. */
function compileLoop(of: PatternNode, next: number, states: State[]): number {
  const ways: number[] = [next];
  const loop = add(states, { kind: 'split', ways });
  ways.push(compile(of, loop, states));
  return loop;
}

function add(states: State[], state: State): number {
  if (states.length >= MOST_STATES)
    throw new PatternError('it is too large once its repetitions are written out');
  return states.push(state) - 1;
}

/** What came out, and how many states were visited; ends early beyond `most`. */
interface Run {
  readonly matches: boolean;
  readonly steps: number;
}

function run(states: readonly State[], start: number, subject: string, most: number): Run {
  let current = new Set<number>();
  let steps = 0;
  reach(states, start, current);
  for (const character of subject) {
    steps += current.size;
    const following = new Set<number>();
    for (const index of current) {
      const state = states[index];
      if (state?.kind === 'test' && state.test(character)) reach(states, state.next, following);
    }
    if (following.size === 0 || steps > most) return { matches: false, steps };
    current = following;
  }
  return { matches: current.has(0), steps };
}

/** Adds the state and all that need no character to get to. */
function reach(states: readonly State[], start: number, into: Set<number>): void {
  const open = [start];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (into.has(index)) continue;
    into.add(index);
    const state = states[index];
    if (state?.kind === 'split') open.push(...state.ways);
  }
}
