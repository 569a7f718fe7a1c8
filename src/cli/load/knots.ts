/** What has to be loaded at once, as each of it leads to the others; mostly that is one resource. */
export interface Knot {
  /** In order. */
  readonly members: readonly number[];
  /** Higher than that of everything that it leads to. */
  readonly level: number;
}

/**
 * Orders what refers to each other: `targets` has for each node those that it leads to. Answers the strongly connected
 * components by level, then by their first members. By Tarjan's algorithm, without recursion: chains may be long.
 */
export function orderKnots(targets: readonly (readonly number[])[]): readonly Knot[] {
  const search = new KnotSearch(targets);
  for (let node = 0; node < targets.length; node++) search.visit(node);
  return search.knots.toSorted((a, b) => a.level - b.level || (a.members[0] ?? 0) - (b.members[0] ?? 0));
}

/** A node whose targets are being looked at. */
interface Step {
  readonly node: number;
  next: number;
}

class KnotSearch {
  readonly knots: Knot[] = [];
  private readonly order: (number | undefined)[] = [];
  private readonly lowest: number[] = [];
  private readonly levels: (number | undefined)[] = [];
  private readonly open: number[] = [];
  private count = 0;

  constructor(private readonly targets: readonly (readonly number[])[]) {}

  visit(start: number): void {
    if (this.order[start] !== undefined) return;
    const steps: Step[] = [this.enter(start)];
    for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
      const target = this.targets[step.node]?.[step.next++];
      if (target === undefined) {
        this.leave(step.node);
        steps.pop();
        const above = steps.at(-1);
        if (above) this.lower(above.node, this.lowest[step.node]);
      } else if (this.order[target] === undefined) steps.push(this.enter(target));
      else if (this.levels[target] === undefined) this.lower(step.node, this.order[target]);
    }
  }

  private enter(node: number): Step {
    this.order[node] = this.lowest[node] = this.count++;
    this.open.push(node);
    return { node, next: 0 };
  }

  private lower(node: number, order = Infinity): void {
    this.lowest[node] = Math.min(this.lowest[node] ?? Infinity, order);
  }

  /** Everything that a knot leads to has its level already. */
  private leave(node: number): void {
    if (this.lowest[node] !== this.order[node]) return;
    const members = this.open.splice(this.open.lastIndexOf(node)).toSorted((a, b) => a - b);
    let level = 0;
    for (const member of members)
      for (const target of this.targets[member] ?? [])
        level = Math.max(level, (this.levels[target] ?? -1) + 1);
    for (const member of members) this.levels[member] = level;
    this.knots.push({ members, level });
  }
}
