/** A list stays a list, an object an object, and a resource keeps its type. */
export function sameKind(before: unknown, after: unknown): string | undefined {
  if (kindOf(before) === kindOf(after)) return undefined;
  return `it must be ${kindOf(before)}, not ${kindOf(after)}`;
}

/** The same kind, or `false` for nothing at all. */
export function sameKindOrFalse(before: unknown, after: unknown): string | undefined {
  return after === false ? undefined : sameKind(before, after);
}

/** A list of as many items. */
export function sameLength(before: unknown, after: unknown): string | undefined {
  if (!Array.isArray(before) || !Array.isArray(after)) return sameKind(before, after);
  if (before.length === after.length) return undefined;
  return `it must have ${before.length} items, not ${after.length}`;
}

/** A list that holds nothing new. */
export function onlyRemoved(before: unknown, after: unknown): string | undefined {
  if (!Array.isArray(before) || !Array.isArray(after)) return sameKind(before, after);
  const known = new Set<unknown>(before);
  return after.every((item) => known.has(item)) ? undefined : 'items can be left out, not added';
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : `a ${typeof value}`;
  const { resourceType } = value as { readonly resourceType?: unknown };
  return typeof resourceType === 'string' ? `a ${resourceType}` : 'an object';
}
