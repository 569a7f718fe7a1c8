/** What a partition holds. */
export interface PartitionUsage {
  /** Resources that are not deleted. */
  readonly resources: number;
  /** Bytes of the stored texts of all versions, and of the contents of Binaries. */
  readonly bytes: number;
}

/** How much a partition may have; what is left out is not limited. */
export interface Quota {
  /** Resources that are not deleted. */
  readonly resources?: number;
  /** Bytes of the stored texts of all versions, and of the contents of Binaries. */
  readonly bytes?: number;
  /** Bulk exports that wait or run. */
  readonly jobs?: number;
}

/** Header fields that tell of a quota, and of what is left of it: dictionaries of https://www.rfc-editor.org/rfc/rfc9651. */
export function quotaHeaders(
  quota: Quota,
  used: Partial<PartitionUsage & { readonly jobs: number }>,
): Record<string, string> {
  const limits = KINDS.flatMap((kind) => {
    const limit = quota[kind];
    const held = used[kind];
    return limit === undefined || held === undefined
      ? []
      : [{ kind, limit, left: Math.max(0, limit - held) }];
  });
  if (limits.length === 0) return {};
  return {
    'quota-limit': limits.map(({ kind, limit }) => `${kind}=${limit}`).join(', '),
    'quota-remaining': limits.map(({ kind, left }) => `${kind}=${left}`).join(', '),
  };
}

const KINDS = ['resources', 'bytes', 'jobs'] as const;
