import { setTimeout as pause } from 'node:timers/promises';
import type { Bulkhead } from '../../src/index.js';
import type { Placement } from '../../src/model/partition.js';
import type { StoreKind } from '../support/test-store.js';
import { conditionalCreate, create, remove, send, transaction, update, type Writer } from './actions.js';

/** What scenarios work with. */
export interface Stage {
  readonly bulkhead: Bulkhead;
  readonly url: string;
  readonly store: StoreKind;
  readonly writer: Writer;
}

/** Something that a server does, and what has to be true of it after a fault and a restart. */
export interface Scenario {
  readonly name: string;
  act(stage: Stage): Promise<void>;
  /** What is wrong, one sentence each; on a server that was started again and does not fail. */
  check?(stage: Stage): Promise<readonly string[]>;
}

/** Every tenant begins with so many patients. */
export const PATIENTS = 3;
const TENANT_ID = 1;
const NEWCOMER = 'newcomer';

const exporting: Scenario = {
  name: 'export',
  act: async ({ bulkhead, writer }) => {
    await send(`${writer.base}/$export`, 'GET', undefined, { prefer: 'respond-async' });
    await bulkhead.parts.exports.runner.idle();
  },
  check: async ({ bulkhead, writer }) => {
    const wrong = await checkExports(bulkhead, writer);
    const response = await send(`${writer.base}/$export`, 'GET', undefined, { prefer: 'respond-async' });
    if (response?.status !== 202)
      return [...wrong, `an export after the fault is answered ${response?.status}`];
    await bulkhead.parts.exports.runner.idle();
    return [...wrong, ...(await checkExports(bulkhead, writer))];
  },
};

/** Exports that are known have to come to an end, and to hold everything. */
async function checkExports({ parts }: Bulkhead, { base }: Writer): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const id of await parts.exports.jobs.ids(TENANT_ID as never)) {
    const status = `${base}/$export-poll-status?_jobId=${id}`;
    const response = await until(async () => {
      parts.exports.wake();
      const answer = await send(status, 'GET');
      return answer?.status === 202 || answer?.status === 429 ? undefined : answer;
    });
    if (response?.status !== 200) {
      wrong.push(`an export ends with ${response?.status}`);
      continue;
    }
    const { output } = (await response.json()) as { output: { url: string; type: string; count: number }[] };
    for (const { url, count } of output) {
      const file = await send(url, 'GET');
      const lines = (await file?.text())?.split('\n').filter((line) => line !== '') ?? [];
      if (lines.length === count) continue;
      wrong.push(`${url} (${file?.status}) has ${lines.length} lines, and should have ${count}`);
    }
    const patients = output
      .filter(({ type }) => type === 'Patient')
      .reduce((sum, { count }) => sum + count, 0);
    if (patients !== PATIENTS) wrong.push(`an export has ${patients} patients of ${PATIENTS}`);
  }
  return wrong;
}

const reindexing: Scenario = {
  name: 'reindex',
  act: async ({ bulkhead, writer }) => {
    await send(`${writer.base}/$reindex`, 'POST', { resourceType: 'Parameters' });
    await jobsEnded(bulkhead, 50);
  },
  check: async ({ bulkhead }) => ((await jobsEnded(bulkhead, 1_500)) ? [] : ['a reindex never ends']),
};

function moving(to: (store: StoreKind) => Placement): Scenario {
  return {
    name: 'move',
    act: async (stage) => {
      const { bulkhead, url, store, writer } = stage;
      await manage(url, 'move', [
        { name: 'id', valueInteger: TENANT_ID },
        { name: 'to', valueCode: to(store) },
      ]);
      const entry = await create(writer, 'while-moving');
      await jobsEnded(bulkhead, 100);
      await update(writer, entry);
    },
    check: async ({ bulkhead, store }) => {
      if (!(await jobsEnded(bulkhead, 1_500))) return ['a move never ends'];
      const { placement = 'shared' } = bulkhead.partitions.read({ id: TENANT_ID });
      const moves = (await bulkhead.parts.partitions.jobs()).filter(({ kind }) => kind.includes('move'));
      const isDone = moves.some(({ state }) => state === 'done');
      if (moves.length > 0 && !isDone) return [`a move ends as ${moves.map(({ state }) => state).join()}`];
      return isDone && placement !== to(store) ? [`a move is done, and the partition is ${placement}`] : [];
    },
  };
}

const creating: Scenario = {
  name: 'partition create',
  act: async ({ url, store, writer }) => {
    await manage(url, 'create', [
      { name: 'name', valueCode: NEWCOMER },
      { name: 'id', valueInteger: 9 },
      { name: 'placement', valueCode: store === 'sqlite' ? 'database' : 'schema' },
    ]);
    await create(newcomer(url, writer), 'first');
  },
  check: async ({ bulkhead, url, writer }) => {
    const known = bulkhead.partitions.list().some(({ name }) => name === NEWCOMER);
    if (!known) await bulkhead.partitions.create({ id: 9, name: NEWCOMER });
    const entry = await create(newcomer(url, writer), 'second');
    return entry.id === undefined ? ['a new partition takes nothing'] : [];
  },
};

const purging: Scenario = {
  name: 'partition purge',
  act: async ({ bulkhead, url }) => {
    await manage(url, 'delete', [
      { name: 'id', valueInteger: 2 },
      { name: 'purge', valueBoolean: true },
    ]);
    await jobsEnded(bulkhead, 100);
  },
  check: async ({ bulkhead }) => {
    if (!(await jobsEnded(bulkhead, 1_500))) return ['a purge never ends'];
    const { resources, versions, indexRows } = await bulkhead.parts.partitions.contents(2 as never);
    const isKnown = bulkhead.partitions.list().some(({ id }) => id === 2);
    if (isKnown)
      return resources === PATIENTS ? [] : [`a partition that stays has ${resources} of ${PATIENTS}`];
    return resources + versions + indexRows === 0 ? [] : ['a purged partition still holds something'];
  },
};

/** What is made to fail, call by call. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'create', act: async ({ writer }) => void (await create(writer, 'one')) },
  {
    name: 'update and delete',
    act: async ({ writer }) => {
      const entry = await create(writer, 'one');
      await update(writer, entry);
      await remove(writer, entry);
    },
  },
  { name: 'conditional create', act: ({ writer }) => conditionalCreate(writer, 'once') },
  { name: 'transaction', act: ({ writer }) => transaction(writer, 'whole') },
  exporting,
  reindexing,
  moving((store) => (store === 'sqlite' ? 'database' : 'schema')),
  creating,
  purging,
];

function newcomer(url: string, { journal }: Writer): Writer {
  return { base: `${url}/${NEWCOMER}`, tenant: NEWCOMER, journal };
}

function manage(url: string, what: string, parameter: readonly object[]): Promise<Response | undefined> {
  return send(`${url}/$partition-management-${what}-partition`, 'POST', {
    resourceType: 'Parameters',
    parameter,
  });
}

const PAUSE_MS = 10;

/** Whether every job has ended after so many looks. A look may fail. */
async function jobsEnded({ parts }: Bulkhead, looks: number): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    const jobs = await parts.partitions.jobs().catch(() => undefined);
    if (jobs?.every(({ state }) => state !== 'running')) return true;
    await pause(PAUSE_MS);
  }
  return false;
}

async function until<Result>(look: () => Promise<Result | undefined>): Promise<Result | undefined> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const found = await look();
    if (found !== undefined) return found;
    await pause(50);
  }
  return undefined;
}
