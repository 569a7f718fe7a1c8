import { forEachReference, parseReference } from '../../fhir/references.js';
import { type FailedFile, FailureList, positionsOf } from './failed-file.js';
import { type Knot, orderKnots } from './knots.js';
import { type LoadEntry, targetOf } from './load-entry.js';
import { loadUnit } from './load-unit.js';
import { readUnits } from './read-units.js';
import type { SourceFile } from './source-files.js';
import type { Tally } from './tally.js';
import type { LoadTarget } from './target.js';
import type { LoadUnit } from './unit.js';

/** What is loaded in order, and how. */
export interface OrderedLoad {
  readonly target: LoadTarget;
  readonly tally: Tally;
  /** Of NDJSON files. */
  readonly failed: readonly FailedFile[];
  readonly stopped: AbortSignal;
}

/** A resource on a line. */
interface Line {
  readonly file: SourceFile;
  readonly position: number;
}

/** A line with its resource. */
interface ReadLine extends Line {
  readonly entry: LoadEntry;
  /** That it was read in. */
  readonly unit: LoadUnit;
}

/** Resources that are held in memory at once, unless more of them refer to each other. */
const WINDOW_LINES = 5_000;

/**
 * Loads lines that failed once more: each after those that it refers to, and those that refer to each other in a circle
 * in one transaction. Answers what has failed again. Of each line its id and its place are held in memory, and the
 * resources of some thousands.
 */
export async function loadInOrder(load: OrderedLoad): Promise<readonly FailedFile[]> {
  const loading = new LoadingInOrder(load);
  await loading.find();
  await loading.loadLines();
  await loading.loadBundles();
  return loading.failures.all();
}

class LoadingInOrder {
  readonly failures = new FailureList();
  private readonly lines: Line[] = [];
  /** Indices of lines by `Type/id`. */
  private readonly indices = new Map<string, number>();
  /** Files that could be read to their end. */
  private readonly readable: FailedFile[] = [];
  private readonly withBundles = new Set<FailedFile>();

  constructor(private readonly load: OrderedLoad) {}

  /** What there is to load, without its content; what cannot even be read has failed. */
  async find(): Promise<void> {
    for (const failed of this.load.failed) {
      try {
        const targets = await this.findIn(failed);
        for (const [position, target] of targets) {
          this.indices.set(target, this.lines.length);
          this.lines.push({ file: failed.file, position });
        }
        this.readable.push(failed);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        this.failures.add(failed.file, { position: undefined, what: undefined, resources: 1, reason });
      }
    }
  }

  /** Positions of lines, and what they are written to. */
  private async findIn(failed: FailedFile): Promise<readonly (readonly [number, string])[]> {
    const found: (readonly [number, string])[] = [];
    for await (const { entries, broken, position } of readAgain(failed)) {
      if (position !== undefined) {
        this.withBundles.add(failed);
        continue;
      }
      for (const failure of broken) this.failures.add(failed.file, failure);
      for (const entry of entries) found.push([entry.position, targetOf(entry) ?? '']);
    }
    return found;
  }

  async loadLines(): Promise<void> {
    for (const knots of windowsOf(orderKnots(await this.targets()))) {
      if (this.load.stopped.aborted) return;
      const read = await this.read(knots);
      for (const ofLevel of groupsOf(knots, ({ level }) => level)) await this.loadLevel(ofLevel, read);
    }
  }

  /**
   * Bundles on lines of their own are sent as they are. Deletions of what refers to each other may stand in several:
   * as many as fit into a transaction are tried together before.
   */
  async loadBundles(): Promise<void> {
    for (const failed of this.withBundles) {
      let deletions: LoadUnit[] = [];
      for await (const unit of readAgain(failed)) {
        if (this.load.stopped.aborted) return;
        if (unit.position === undefined) continue;
        if (!isDeletion(unit)) {
          await this.send(unit, failed.file);
          continue;
        }
        if (sizeOf(deletions) + unit.entries.length > this.load.target.transactionEntries) {
          await this.sendDeletions(deletions, failed.file);
          deletions = [];
        }
        deletions.push(unit);
      }
      await this.sendDeletions(deletions, failed.file);
    }
  }

  private async sendDeletions(units: readonly LoadUnit[], file: SourceFile): Promise<void> {
    if (units.length > 1) {
      const entries = units.flatMap((unit) => unit.entries);
      const { failures, ...report } = await loadUnit(this.load.target, {
        type: 'transaction',
        entries,
        broken: [],
      });
      this.load.tally.add(report);
      if (failures.length === 0) return;
    }
    for (const unit of units) await this.send(unit, file);
  }

  /** For each line those of the others that it refers to. */
  private async targets(): Promise<readonly (readonly number[])[]> {
    const targets: (readonly number[])[] = [];
    for (const failed of this.readable)
      for await (const { entries, position } of readAgain(failed))
        if (position === undefined) targets.push(...entries.map((entry) => this.referredTo(entry)));
    if (targets.length === this.lines.length) return targets;
    throw new Error('A file was changed while it was loaded.');
  }

  private referredTo({ resource }: LoadEntry): readonly number[] {
    const found = new Set<number>();
    if (resource === undefined) return [];
    forEachReference(resource, ({ text }) => {
      const reference = parseReference(text);
      if (reference.kind !== 'relative') return;
      const index = this.indices.get(`${reference.type}/${reference.id}`);
      if (index !== undefined) found.add(index);
    });
    return [...found];
  }

  /** The resources of knots, by the indices of their lines. */
  private async read(knots: readonly Knot[]): Promise<ReadonlyMap<number, ReadLine>> {
    const wanted = new Map<SourceFile, Map<number, number>>();
    for (const index of knots.flatMap(({ members }) => members)) {
      const line = this.lines[index];
      if (line === undefined) continue;
      const positions = wanted.get(line.file) ?? new Map<number, number>();
      wanted.set(line.file, positions.set(line.position, index));
    }
    const read = new Map<number, ReadLine>();
    for (const [file, positions] of wanted) {
      const only = new Set(positions.keys());
      for await (const unit of readUnits(file, { only, onBytes: () => undefined }))
        for (const entry of unit.entries) {
          const { position } = entry;
          read.set(positions.get(position) ?? -1, { file, position, entry, unit });
        }
    }
    return read;
  }

  private async loadLevel(knots: readonly Knot[], read: ReadonlyMap<number, ReadLine>): Promise<void> {
    const linesOf = ({ members }: Knot): readonly ReadLine[] =>
      members.flatMap((index) => read.get(index) ?? []);
    const alone = knots.filter(({ members }) => members.length === 1).flatMap(linesOf);
    // What was read at once is no more than a server takes at once.
    for (const together of groupsOf(alone, ({ unit }) => unit)) {
      const entries = together.map(({ entry }) => entry);
      await this.send({ type: 'batch', entries, broken: [] }, together[0]?.file);
    }
    for (const knot of knots) if (knot.members.length > 1) await this.sendKnot(linesOf(knot));
  }

  private async send(unit: LoadUnit, file: SourceFile | undefined): Promise<void> {
    const { failures, ...report } = await loadUnit(this.load.target, unit);
    this.load.tally.add({ ...report, unchanged: 0 });
    if (file) for (const failure of failures) this.failures.add(file, failure);
  }

  private async sendKnot(lines: readonly ReadLine[]): Promise<void> {
    const most = this.load.target.transactionEntries;
    if (lines.length > most) return this.failAll(lines, tooLarge(lines.length, most));
    const entries = lines.map(({ entry }) => entry);
    const unit: LoadUnit = { type: 'transaction', entries, broken: [] };
    const { failures, ...report } = await loadUnit(this.load.target, unit);
    this.load.tally.add({ ...report, unchanged: 0 });
    const [failure] = failures;
    if (failure) this.failAll(lines, failure.reason);
  }

  private failAll(lines: readonly ReadLine[], reason: string): void {
    for (const { file, position, entry } of lines)
      this.failures.add(file, { position, what: targetOf(entry), resources: 1, reason });
  }
}

function readAgain(failed: FailedFile): AsyncGenerator<LoadUnit> {
  const only = positionsOf(failed);
  return readUnits(failed.file, { ...(only && { only }), onBytes: () => undefined });
}

/** Knots that are held in memory together. */
function* windowsOf(knots: readonly Knot[]): Iterable<readonly Knot[]> {
  let window: Knot[] = [];
  let lines = 0;
  for (const knot of knots) {
    if (lines > 0 && lines + knot.members.length > WINDOW_LINES) {
      yield window;
      window = [];
      lines = 0;
    }
    window.push(knot);
    lines += knot.members.length;
  }
  if (lines > 0) yield window;
}

function isDeletion({ entries }: LoadUnit): boolean {
  return entries.every(({ request }) => request.method === 'DELETE');
}

function sizeOf(units: readonly LoadUnit[]): number {
  return units.reduce((sum, { entries }) => sum + entries.length, 0);
}

/** In the order in which they are met first. */
function groupsOf<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): Iterable<readonly Item[]> {
  const groups = new Map<unknown, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups.values();
}

function tooLarge(count: number, most: number): string {
  return `It is one of ${count} resources that refer to each other; one transaction takes ${most}.`;
}
