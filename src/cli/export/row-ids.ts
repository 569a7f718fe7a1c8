/** Row ids, each once and in order once they are read: eight bytes for each. */
export class RowIds {
  private added: number[] = [];
  private ordered = new Float64Array(0);

  add(rowIds: readonly number[]): void {
    for (const rowId of rowIds) this.added.push(rowId);
  }

  get size(): number {
    return this.inOrder().length;
  }

  /** The first `limit` of those above `after`. */
  above(after: number, limit: number): readonly number[] {
    const ids = this.inOrder();
    let low = 0;
    for (let high = ids.length; low < high;) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return [...ids.subarray(low, low + limit)];
  }

  private inOrder(): Float64Array {
    if (this.added.length === 0) return this.ordered;
    const all = new Float64Array(this.ordered.length + this.added.length);
    all.set(this.ordered);
    all.set(this.added, this.ordered.length);
    this.added = [];
    this.ordered = all.toSorted().filter((id, index, ids) => id !== ids[index - 1]);
    return this.ordered;
  }
}
