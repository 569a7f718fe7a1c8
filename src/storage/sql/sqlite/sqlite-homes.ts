import { existsSync, globSync, renameSync, rmSync, statSync } from 'node:fs';
import { FhirError } from '../../../model/errors.js';
import type { PartitionId, Placement } from '../../../model/partition.js';
import type { Home, HomeProvider, NewHome, ServiceState } from '../../placement/home.js';
import type { Allocator } from './allocator.js';
import { migrateFile, schemaState } from './migrate-file.js';
import { MOVE_SQL } from './move-sql.js';
import { openReader, openWriter } from './open.js';
import { openQueue, sqliteHome, type SharedParts } from './sqlite-home.js';

/** What SQLite keeps beside a database that is open. */
const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

/** What is older belongs to nobody; in milliseconds. */
const OLDEST_DRAFT_MS = 600_000;

const NO_SCHEMAS =
  'SQLite has no schemas: an attached file commits apart from the main file in WAL mode, all of them share one ' +
  'writer, and 10 can be attached. Use database, which gives the partition a file and a writer of its own.';

/**
 * A file for each partition beside the main file: `data/bulkhead.db` has `data/bulkhead.p7.db`, and `.pn7.db` for the
 * id -7.
 */
export class SqliteHomes implements HomeProvider {
  private made = 0;
  private readonly shared: SharedParts;

  constructor(
    private readonly mainFile: string,
    shared: SharedParts,
    private readonly allocator: Allocator,
  ) {
    // Ids that are unique on the whole server are claimed in the main database.
    this.shared = { ...shared, options: { ...shared.options, resourceIds: 'partition' } };
  }

  refusal(placement: Placement): string | undefined {
    return placement === 'schema' ? NO_SCHEMAS : undefined;
  }

  /** Until it is published the file has another name, so that a process that is killed leaves nothing half made. */
  async make(partition: PartitionId, _placement: Placement, state: ServiceState): Promise<NewHome> {
    const file = this.fileOf(partition);
    const draft = `${file}.${process.pid}-${this.made++}.new`;
    removeFile(draft);
    await migrateFile(draft);
    const writer = openWriter(draft, 'home');
    writer.prepare(MOVE_SQL.setState).run(partition, `#${partition}`, state);
    // Closing the last connection copies the log, so that one file is all there is.
    writer.close();
    return {
      publish: async () => {
        removeFile(file);
        renameSync(draft, file);
      },
      discard: async () => {
        removeFile(existsSync(draft) ? draft : file);
      },
    };
  }

  async exists(partition: PartitionId): Promise<boolean> {
    return existsSync(this.fileOf(partition));
  }

  async open(partition: PartitionId): Promise<Home> {
    const file = this.fileOf(partition);
    if (!existsSync(file)) {
      throw new FhirError('UNKNOWN_PARTITION', 'The partition has gone, or its file is missing.');
    }
    const writer = openWriter(file, 'home');
    try {
      const state = schemaState(writer);
      if (state !== 'current') throw outdated(partition, state);
      const opened = { writer, reader: openReader(file, 'home') };
      const queue = openQueue(opened, this.shared, this.allocator);
      return sqliteHome(opened, this.shared, { queue, allocator: this.allocator, holds: 'resources' });
    } catch (error) {
      writer.close();
      throw error;
    }
  }

  async remove(partition: PartitionId): Promise<void> {
    removeFile(this.fileOf(partition));
  }

  /** Drafts of processes that were killed; those of others are young. */
  async sweep(): Promise<void> {
    const drafts = globSync(`${this.mainFile.replace(/\.db$/, '')}.p*.db.*.new*`);
    for (const draft of drafts) {
      const { mtimeMs = Date.now() } = statSync(draft, { throwIfNoEntry: false }) ?? {};
      if (Date.now() - mtimeMs > OLDEST_DRAFT_MS) rmSync(draft, { force: true });
    }
  }

  async migrate(partition: PartitionId): Promise<readonly string[]> {
    const file = this.fileOf(partition);
    // Opening it would make an empty one.
    if (!existsSync(file)) throw new Error(`${file} is missing; restore it from a backup.`);
    return migrateFile(file);
  }

  private fileOf(partition: PartitionId): string {
    const id = partition < 0 ? `n${-partition}` : String(partition);
    return `${this.mainFile.replace(/\.db$/, '')}.p${id}.db`;
  }
}

/** The file goes last: a process that is killed meanwhile leaves nothing that nobody looks for. */
function removeFile(file: string): void {
  for (const name of [...COMPANIONS.map((end) => file + end), file]) rmSync(name, { force: true });
}

function outdated(partition: PartitionId, state: 'behind' | 'newer'): FhirError {
  const message =
    state === 'behind'
      ? `The database of partition ${partition} is behind this version: run bulkhead migrate.`
      : `The database of partition ${partition} was migrated by a newer version; start that version or a later one.`;
  return new FhirError('HOME_OUTDATED', message, { headers: { 'Retry-After': '60' } });
}
