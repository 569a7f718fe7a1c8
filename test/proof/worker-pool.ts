import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { PostgresServer } from '../support/postgres-server.js';
import { POSTGRES_VARIABLE, type StoreKind } from '../support/test-store.js';
import type { TopologyReport, TopologyTask } from './topology-run.js';
import type { WorkerAnswer } from './worker.js';

/** Processes that run topologies, each one at a time. */
export class WorkerPool {
  private readonly idle: ChildProcess[];
  private readonly waiting: ((worker: ChildProcess) => void)[] = [];

  private constructor(
    private readonly workers: readonly ChildProcess[],
    private readonly database: PostgresServer | undefined,
  ) {
    this.idle = [...workers];
  }

  /** On PostgreSQL all work with one server, which is started where the environment tells of none. */
  static async open(kind: StoreKind, count: number): Promise<WorkerPool> {
    const isMissing = kind === 'postgres' && process.env[POSTGRES_VARIABLE] === undefined;
    const database = isMissing ? await PostgresServer.create('fast') : undefined;
    const env = database ? { ...process.env, [POSTGRES_VARIABLE]: database.url } : process.env;
    const workers = Array.from({ length: count }, () =>
      fork(new URL('./worker.js', import.meta.url), [kind], { env, serialization: 'advanced' }),
    );
    return new WorkerPool(workers, database);
  }

  /** @throws Error where the worker ends, or something goes wrong that is no answer of a server. */
  async run(task: TopologyTask): Promise<TopologyReport> {
    const worker = this.idle.pop() ?? (await this.nextIdle());
    const answer = await ask(worker, task);
    const next = this.waiting.shift();
    if (next) next(worker);
    else this.idle.push(worker);
    if ('error' in answer) throw new Error(answer.error);
    return answer.report;
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(end));
    this.database?.stop();
  }

  private nextIdle(): Promise<ChildProcess> {
    const { promise, resolve } = Promise.withResolvers<ChildProcess>();
    this.waiting.push(resolve);
    return promise;
  }
}

function ask(worker: ChildProcess, task: TopologyTask): Promise<WorkerAnswer> {
  const { promise, resolve } = Promise.withResolvers<WorkerAnswer>();
  const gone = (): void => resolve({ error: `seed ${task.seed}: the process has ended.` });
  worker.once('exit', gone);
  worker.once('message', (answer: WorkerAnswer) => {
    worker.off('exit', gone);
    resolve(answer);
  });
  if (worker.connected) worker.send(task);
  else gone();
  return promise;
}

/** What a worker has left in files and databases goes with it. */
async function end(worker: ChildProcess): Promise<void> {
  if (!worker.connected) return;
  const gone = once(worker, 'exit');
  worker.send('end');
  await gone;
}
