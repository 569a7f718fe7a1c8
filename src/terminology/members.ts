import type { Concept, Designation } from './code-system.js';

/** One code of a value set. */
export interface Member {
  readonly system: string;
  /** Of the code system, where it is known. */
  readonly version: string | undefined;
  readonly code: string;
  readonly display: string | undefined;
  /** The value set's own; those of the concept stand there. */
  readonly designations: readonly Designation[];
  /** Undefined where the code system is not at hand. */
  readonly concept: Concept | undefined;
}

/** Codes in order, each once. */
export class Members {
  private readonly byKey = new Map<string, Member>();

  static of(members: Iterable<Member>): Members {
    const all = new Members();
    for (const member of members) all.add(member);
    return all;
  }

  get size(): number {
    return this.byKey.size;
  }

  /** The first one of a code stays. */
  add(member: Member): void {
    const key = keyOf(member.system, member.code);
    if (!this.byKey.has(key)) this.byKey.set(key, member);
  }

  has(system: string, code: string): boolean {
    return this.byKey.has(keyOf(system, code));
  }

  delete(system: string, code: string): void {
    this.byKey.delete(keyOf(system, code));
  }

  [Symbol.iterator](): Iterator<Member> {
    return this.byKey.values();
  }
}

function keyOf(system: string, code: string): string {
  return `${system}|${code}`;
}
