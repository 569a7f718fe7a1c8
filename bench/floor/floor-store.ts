import type { FloorRows } from './floor-rows.js';

/** One resource, ready to be stored. */
export interface FloorResource {
  readonly type: string;
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly updated: number;
  readonly text: string;
  readonly rows: FloorRows;
}

/** The least that storing, reading and searching can cost. */
export interface FloorStore {
  /** Stored with all others that arrive together: one commit for all. */
  create(resource: FloorResource): Promise<void>;
  /** Stores all or none. */
  write(resources: readonly FloorResource[]): Promise<void>;
  read(type: string, id: string): Promise<string | undefined> | string | undefined;
  /** Texts of the first resources with a token. */
  search(
    type: string,
    token: { readonly system: string; readonly value: string },
    count: number,
  ): Promise<readonly string[]> | readonly string[];
}

/** Everything that is stored has this partition. */
export const PARTITION = 1;

/** One dictionary for types, parameters and systems. */
export class FloorIds {
  private readonly ids = new Map<string, number>();

  of(name: string): number {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const id = this.ids.size + 1;
    this.ids.set(name, id);
    return id;
  }
}
