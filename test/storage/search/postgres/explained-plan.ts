/** Nodes that read a table, each with the lines that belong to it. */
export function scansOf(plan: readonly string[]): readonly string[] {
  return plan
    .join('\n')
    .split(/\n(?=\s*(?:->|SubPlan|InitPlan|CTE))/)
    .filter((node) => / Scan .*\bon hfj_/.test(node));
}

/** Not a walk through a table, an index or all that a partition has in one. */
export function beginsAtValue(scan: string): boolean {
  return /Index (Only )?Scan/.test(scan) && /Index Cond: .*(res_id|param_id|res_type_id)/.test(scan);
}

/** Blocks of 8 kB that were touched. */
export function blocksOf(plan: readonly string[]): number {
  const line = plan.find((text) => text.includes('Buffers:')) ?? '';
  return [...line.matchAll(/(?:hit|read)=(\d+)/g)].reduce((sum, [, number]) => sum + Number(number), 0);
}
