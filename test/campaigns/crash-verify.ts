import {
  type Journal,
  type JournalEntry,
  type JournalGroup,
  SYSTEM,
  TRANSACTION_SIZE,
} from './crash-journal.js';

/** What was found wrong, one sentence each. */
export type Violations = string[];

interface FoundPatient {
  readonly id: string;
  readonly meta: { readonly versionId: string };
  readonly name: readonly { readonly family: string }[];
}

interface FoundBundle {
  readonly total?: number;
  readonly entry?: readonly { readonly resource?: FoundPatient }[];
}

const AT_ONCE = 8;

/**
 * Compares what the server answers with what clients were told, and takes over what was under way. Entries from
 * `since` on are looked at; earlier ones did not change.
 */
export async function verifyAnswers(
  url: string,
  journal: Journal,
  since: { readonly entries: number; readonly transactions: number; readonly conditionals: number },
): Promise<Violations> {
  const violations: Violations = [];
  const checks = [
    ...journal.entries.slice(since.entries).map((entry) => () => verifyEntry(url, entry, violations)),
    ...[...journal.conditionals.values()]
      .slice(since.conditionals)
      .map((group) => () => verifyConditional(url, group, violations)),
    ...journal.transactions
      .slice(since.transactions)
      .map((group) => () => verifyTransaction(url, group, violations)),
  ];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let check = checks.pop(); check; check = checks.pop()) await check();
    }),
  );
  return violations;
}

async function verifyEntry(url: string, entry: JournalEntry, violations: Violations): Promise<void> {
  const base = `${url}/${entry.tenant}`;
  const found = await search(base, 'Patient', entry.token);
  const pending = entry.pending;
  const acknowledged = entry.version;
  if (found.length > 1) violations.push(`${entry.token} is found ${found.length} times`);
  entry.id ??= found[0]?.id;
  entry.pending = undefined;
  if (entry.id === undefined) return; // The create was never acknowledged, and did not happen.
  const response = await fetch(`${base}/Patient/${entry.id}`);
  const version = await verifyRead(response, entry, violations);
  if (Number.isNaN(version)) return;
  const latest = acknowledged + (pending === undefined ? 0 : 1);
  if (version < acknowledged || version > latest) {
    violations.push(
      `${entry.token} is at version ${version}; acknowledged was ${acknowledged}, pending ${pending}`,
    );
  }
  const deleted = response.status === 410;
  const mayBeDeleted = entry.deleted || pending === 'delete';
  const mustBeDeleted = entry.deleted;
  if ((deleted && !mayBeDeleted) || (!deleted && mustBeDeleted)) {
    violations.push(`${entry.token} ${deleted ? 'is deleted' : 'lives'} against what was acknowledged`);
  }
  if (found.length !== (deleted ? 0 : 1))
    violations.push(`${entry.token} is ${deleted ? 'deleted' : 'live'} but found ${found.length} times`);
  await verifyHistory(`${base}/Patient/${entry.id}`, version, entry, violations);
  entry.version = version;
  entry.deleted = deleted;
}

/** The version that a read tells. */
async function verifyRead(
  response: Response,
  { token }: JournalEntry,
  violations: Violations,
): Promise<number> {
  const version = Number(/W\/"(\d+)"/.exec(response.headers.get('etag') ?? '')?.[1]);
  const body: unknown = await response.json();
  if (response.status === 410) return version;
  if (response.status !== 200) {
    violations.push(`${token} cannot be read: ${response.status}`);
    return NaN;
  }
  const { meta, name } = body as FoundPatient;
  if (meta.versionId !== String(version) || name[0]?.family !== `v${version}`) {
    violations.push(
      `${token} has version ${version}, meta ${meta.versionId} and the text of ${name[0]?.family}`,
    );
  }
  return version;
}

async function verifyHistory(
  url: string,
  version: number,
  { token }: JournalEntry,
  violations: Violations,
): Promise<void> {
  const { total } = await getBundle(`${url}/_history?_count=1`);
  if (total !== version) violations.push(`${token} is at version ${version}, but its history has ${total}`);
}

async function verifyConditional(
  url: string,
  { tenant, token, acknowledged }: JournalGroup,
  violations: Violations,
): Promise<void> {
  const found = await search(`${url}/${tenant}`, 'Patient', token);
  if (found.length > 1 || (acknowledged && found.length === 0)) {
    violations.push(`conditional create ${token} in ${tenant} gave ${found.length} resources`);
  }
}

async function verifyTransaction(
  url: string,
  { tenant, token, acknowledged, refused }: JournalGroup,
  violations: Violations,
): Promise<void> {
  const patients = await search(`${url}/${tenant}`, 'Patient', token);
  const observations = await search(`${url}/${tenant}`, 'Observation', token);
  const stored = patients.length + observations.length;
  if (stored !== 0 && refused) violations.push(`transaction ${token} was refused and is stored`);
  if (stored !== TRANSACTION_SIZE && (acknowledged || stored !== 0)) {
    violations.push(
      `transaction ${token} is stored in part: ${stored} of ${TRANSACTION_SIZE}, acknowledged: ${acknowledged}`,
    );
  }
}

async function search(base: string, type: string, token: string): Promise<FoundPatient[]> {
  const query = `identifier=${encodeURIComponent(`${SYSTEM}|${token}`)}&_count=50`;
  const { entry = [] } = await getBundle(`${base}/${type}?${query}`);
  return entry.flatMap(({ resource }) => resource ?? []);
}

async function getBundle(url: string): Promise<FoundBundle> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`GET ${url}: ${response.status}`);
  return (await response.json()) as FoundBundle;
}
