import { NO_SYSTEM, type Dictionary, type PathKind } from './dictionary.js';
import type { RowIds } from './index-rows.js';

/** An index path by its name. */
export interface PathName {
  readonly type: string;
  readonly kind: PathKind;
  readonly path: string;
}

/** One text for one path. */
export function pathKey({ type, kind, path }: PathName): string {
  return `${type} ${kind} ${path}`;
}

/** Names that rows are about to be made of. */
export interface NewNames {
  readonly types: ReadonlySet<string>;
  /** By `pathKey`. */
  readonly paths: ReadonlyMap<string, PathName>;
  readonly systems: ReadonlySet<string>;
}

/** Makes names known, committed on their own; answers the ids of the systems. */
export type AddNames = (names: NewNames) => Promise<ReadonlyMap<string, number>>;

/** Stands for an id until `settle`. */
const UNKNOWN = -1;

/**
 * Ids for the rows of one batch of writes. Rows are made twice where names are new: the first time finds out
 * which, `settle` makes them known, and the second time has all ids.
 */
export class RowNames implements RowIds {
  private readonly types = new Set<string>();
  private readonly paths = new Map<string, PathName>();
  private readonly newSystems = new Set<string>();
  /** Kept here, as the dictionary may forget systems between the two times. */
  private readonly systems = new Map<string, number>();

  constructor(
    private readonly dictionary: Dictionary,
    private readonly add: AddNames,
  ) {}

  /** Whether every id that was given out is a real one. */
  get isComplete(): boolean {
    return this.types.size + this.paths.size + this.newSystems.size === 0;
  }

  ensureType(type: string): number {
    const id = this.dictionary.typeId(type);
    if (id === undefined) this.types.add(type);
    return id ?? UNKNOWN;
  }

  /** Undefined where nothing of the type was ever written, as far as is known here. */
  findType(type: string): number | undefined {
    return this.dictionary.typeId(type);
  }

  /** Those of the types that anything was ever written of, by whatever server. */
  async writtenTypes(types: readonly string[]): Promise<ReadonlySet<string>> {
    const isWritten = (type: string): boolean => this.dictionary.typeId(type) !== undefined;
    if (!types.every(isWritten)) await this.dictionary.catchUp();
    return new Set(types.filter(isWritten));
  }

  findPath(type: string, kind: PathKind, path: string): number | undefined {
    return this.dictionary.pathId(type, kind, path);
  }

  ensurePath(type: string, kind: PathKind, path: string): number {
    const id = this.dictionary.pathId(type, kind, path);
    if (id !== undefined) return id;
    this.ensureType(type);
    const name = { type, kind, path };
    this.paths.set(pathKey(name), name);
    return UNKNOWN;
  }

  ensureSystem(url: string | null): number {
    if (url === null) return NO_SYSTEM;
    const id = this.systems.get(url) ?? this.dictionary.systemId(url);
    if (id === undefined) this.newSystems.add(url);
    else this.systems.set(url, id);
    return id ?? UNKNOWN;
  }

  async settle(): Promise<void> {
    const names = { types: this.types, paths: this.paths, systems: this.newSystems };
    for (const [url, id] of await this.add(names)) this.systems.set(url, id);
    for (const pending of [this.types, this.paths, this.newSystems]) pending.clear();
  }
}
