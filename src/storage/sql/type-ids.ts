import { RESOURCE_TYPES } from '../../fhir/r4/resource-types.js';

/** Where another type has the id of a type, as in databases that gave ids in the order of the first writes. */
export const NEXT_TYPE_ID = 1000;

const ids = new Map([...RESOURCE_TYPES].map((type, index) => [type, index + 1]));

/**
 * RES_TYPE_ID of a type: results over several types come in the order of these ids, which must not tell what somebody
 * else stored first. New types are given ids after all others.
 * @throws Error for what is no type.
 */
export function typeIdOf(type: string): number {
  const id = ids.get(type);
  if (id === undefined) throw new Error(`There is no resource type ${type}.`);
  return id;
}
