/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warn` may be meant so, `fail` keeps the server from working. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}
