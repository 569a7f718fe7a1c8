import { FhirError } from '../../src/index.js';
import type { Placement } from '../../src/model/partition.js';
import type { Random } from '../campaigns/random.js';
import type { StoreKind } from '../support/test-store.js';
import { anyContent } from './content.js';
import type { Step } from './step.js';
import { one, oneIn, weighted } from './vocabulary.js';
import type { ProofServer } from './world.js';

/**
 * What the operator does on the shared server, while tenants go on: nobody may notice. In a step of the operator the
 * method says what, and the path of whom.
 */
export type UpheavalMethod = 'MOVE' | 'RESTART' | 'VISIT' | 'PURGE';

const ROUNDS_BETWEEN = 60;

/** What the operator does in each round; undefined: nothing. */
export function operatorProgram(
  random: Random,
  {
    tenants,
    rounds,
    store,
  }: { readonly tenants: number; readonly rounds: number; readonly store: StoreKind },
): readonly (Step | undefined)[] {
  return Array.from({ length: rounds }, () =>
    oneIn(random, ROUNDS_BETWEEN) ? upheaval(random, tenants, store) : undefined,
  );
}

function upheaval(random: Random, tenants: number, store: StoreKind): Step {
  const make = weighted<() => Step>(random, [
    [4, () => step('MOVE', `${random.integer(0, tenants - 1)} ${one(random, placementsOf(store))}`)],
    [2, () => step('RESTART', '')],
    [3, () => ({ ...step('VISIT', one(random, placementsOf(store))), body: belongings(random) })],
    [3, () => step('PURGE', '')],
  ]);
  return make();
}

function step(method: UpheavalMethod, path: string): Step {
  return { kind: 'upheaval', method, path };
}

/** Where partitions of a store can be. */
export function placementsOf(store: StoreKind): readonly Placement[] {
  return store === 'sqlite' ? ['shared', 'database'] : ['shared', 'schema', 'database'];
}

const VISITORS_RESOURCES = 20;

/** The same ids as everybody has, with the visitor's canary in them. */
function belongings(random: Random): string {
  const entry = Array.from({ length: VISITORS_RESOURCES }, () => {
    const resource = anyContent(random);
    const url = `${resource.resourceType}/${one(random, ['a', 'b', 'c', 'A', '<canary>'])}`;
    return { resource: { ...resource, id: url.split('/')[1] }, request: { method: 'PUT', url } };
  });
  // A transaction writes each of them once.
  const unique = new Map(entry.map((each) => [each.request.url, each]));
  return JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [...unique.values()] });
}

/** Does it; resolves when it is done or, where it goes on beside requests, begun. */
export async function upheave(server: ProofServer, { method, path, body }: Step): Promise<void> {
  switch (method as UpheavalMethod) {
    case 'MOVE': {
      const [number = '', to = ''] = path.split(' ');
      const { id } = server.talks[Number(number)]!.tenant;
      return unlessRefused(() => server.bulkhead.partitions.startMove(id, to as Placement));
    }
    case 'RESTART':
      return server.restart();
    case 'VISIT':
      return visit(server, path as Placement, body ?? '');
    case 'PURGE':
      return unlessRefused(() => server.bulkhead.partitions.startPurge(server.visitor.tenant.id));
  }
}

/** Comes once more under the id and the name of a visitor that was purged. */
async function visit(server: ProofServer, placement: Placement, body: string): Promise<void> {
  const { visitor, bulkhead } = server;
  const { id, name } = visitor.tenant;
  await unlessRefused(() => bulkhead.partitions.create({ id, name, placement }));
  const headers = { 'content-type': 'application/fhir+json', ...visitor.bearer };
  const prepared = visitor.prepare({ kind: 'upheaval', method: 'POST', path: '', headers, body }, [visitor]);
  await visitor.send(prepared, 'visitor');
}

/** There is nothing to purge, for example, or its purge is still under way. */
async function unlessRefused(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
  }
}
