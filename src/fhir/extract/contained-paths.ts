/**
 * Where contained resources are indexed, in the rows of elements. Such rows stand under the contained resource's own
 * type, whatever contains it, and carry its number: -1 for the first of `contained`, -2 for the second.
 */
const CONTAINED = 'contained';

/** One row of every contained resource: its id. */
export const CONTAINED_SELF = CONTAINED;

/** What the contained resource has on one of its own paths in the index of a kind. */
export function containedPath(kind: string, path: string): string {
  return `${CONTAINED}#${kind}:${path}`;
}

/**
 * Rows that tell which element of a contained resource another row is from, under the type of that resource: `low` is
 * the resource's number, `element` the element's.
 */
export const CONTAINED_ELEMENT = `${CONTAINED}#element`;

/**
 * Under the container's type: a reference on the path leads to the contained resource with the row's number, whose
 * type is the value.
 */
export function referredPath(path: string): string {
  return `${path}#${CONTAINED}`;
}

/** The same, from one contained resource to another: `low` is the number of the one that refers, whose type has the path. */
export function innerReferredPath(path: string): string {
  return containedPath(CONTAINED, path);
}

/** The number of the contained resource at a place of `contained`, counted from 0; elements count from 0 upwards. */
export function containedNumber(place: number): number {
  return -1 - place;
}
