import { childrenAt } from '../fhir/element-children.js';

/** Whether resources of the type have an element of this name at their root; `value` is `value[x]`. */
export function isElementOf(type: string, name: string): boolean {
  const children = childrenAt(type);
  if (children.has(name)) return true;
  return [...children.values()].some(({ element }) => element.path === `${type}.${name}[x]`);
}
