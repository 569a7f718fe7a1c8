import type { CopyRule, WriteUnit } from '../storage/store.js';
import type { UpliftsInForce } from './uplifts-in-force.js';
import type { ResourceStores } from './with-official-parameters.js';

/**
 * The same stores, in which every write keeps the copies that uplifted chains are answered by. Where nothing is copied
 * a write costs one comparison more, and where its types are not concerned one more look.
 */
export function withCopies(
  { resources, search }: ResourceStores,
  uplifts: () => UpliftsInForce,
): ResourceStores {
  return {
    search,
    resources: {
      read: (scope, type, id) => resources.read(scope, type, id),
      readVersion: (scope, type, id, version) => resources.readVersion(scope, type, id, version),
      history: (scope, query) => resources.history(scope, query),
      countHistory: (scope, query) => resources.countHistory(scope, query),
      write: (unit) => {
        const copies = rulesOf(unit, uplifts());
        return resources.write(copies.length === 0 ? unit : { ...unit, copies });
      },
    },
  };
}

function rulesOf({ changes }: WriteUnit, uplifts: UpliftsInForce): readonly CopyRule[] {
  if (!uplifts.hasRules()) return [];
  const types = new Set(changes.map((one) => (one.kind === 'delete' ? one.current.type : one.type)));
  return [...new Set([...types].flatMap((type) => uplifts.rulesFor(type)))];
}
