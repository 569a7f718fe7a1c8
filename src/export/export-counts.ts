/** What this server has done about exports since it started, for its metrics. */
export class ExportCounts {
  /** Exports that are worked on now. */
  running = 0;
  complete = 0;
  failed = 0;
  /** Bytes of finished files. */
  bytes = 0;
}
