import test from 'ava';
import { OPERATIONS } from '../../src/operations/operations.js';
import { parseTarget } from '../../src/interactions/target.js';
import { seededRandom } from '../campaigns/random.js';
import { programOf } from '../proof/programs.js';
import type { Step } from '../proof/step.js';

/** What programs of the proof of non-interference consist of; seeded, so that it is the same in every run. */
const STEPS = programOf(seededRandom(1), 12_000);

function segmentsOf({ path }: Step): readonly string[] {
  const [before = ''] = path.replace(/<(?!file>)[^>]*>/g, 'x').split('?');
  return before.split('/').filter((segment) => segment !== '');
}

/** `$meta of an instance`, for operations of all levels. */
function operationOf(step: Step): string | undefined {
  const segments = segmentsOf(step).map((segment) => (segment === '<file>' ? '$export-file' : segment));
  const at = segments.findIndex((segment) => segment.startsWith('$'));
  if (at < 0) return undefined;
  return `${segments[at]} ${at === 0 ? 'system' : at === 1 ? 'type' : 'instance'}`;
}

test('every operation is part of the proof, at every level that it has', (t) => {
  const generated = new Set(STEPS.map(operationOf));
  const wanted = OPERATIONS.flatMap(({ name, levels }) => levels.map((level) => `${name} ${level}`));
  t.deepEqual(
    wanted.filter((operation) => !generated.has(operation)),
    [],
  );
});

const INTERACTIONS = [
  'read',
  'vread',
  'create',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-system',
  'capabilities',
  'batch',
  'page',
  'operation',
] as const;

test('every interaction is part of the proof', (t) => {
  const generated = new Set(STEPS.map(interactionOf));
  t.deepEqual(
    INTERACTIONS.filter((interaction) => !generated.has(interaction)),
    [],
  );
  t.true(STEPS.some(({ body }) => body?.includes('"type":"transaction"')));
});

function interactionOf(step: Step): string | undefined {
  const [, query = ''] = step.path.split('?');
  const parameters = query.split('&').map((pair) => [pair.split('=')[0] ?? '', ''] as const);
  if (step.kind === 'garbage' || /^<|:file-name>/.test(step.path)) return undefined;
  return parseTarget(step.method, segmentsOf(step), parameters).interaction;
}
