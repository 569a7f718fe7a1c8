/** A server that an example has started. */
export interface RunningExample {
  /** Its FHIR base, for example `http://127.0.0.1:8080/fhir`. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Starts an example if its file is what Node was told to run, and stops it on Ctrl-C. */
export async function runIfMain(file: string, start: () => Promise<RunningExample>): Promise<void> {
  if (process.argv[1] !== file) return;
  const { url, stop } = await start();
  process.stdout.write(`listening on ${url}\n`);
  process.once('SIGINT', () => void stop());
}
