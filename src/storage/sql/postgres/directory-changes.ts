import type { PostgresPartitions } from './postgres-partitions.js';

/** Whether other servers have changed the directory: told by notification, and by its number where that fails. */
export class DirectoryChanges {
  private noted = false;
  private seen: string | undefined;

  constructor(private readonly partitions: PostgresPartitions) {}

  note(): void {
    this.noted = true;
  }

  async take(): Promise<boolean> {
    const version = await this.partitions.version();
    const isChanged = this.noted || version !== this.seen;
    this.noted = false;
    this.seen = version;
    return isChanged;
  }
}
