/** A process that runs the topologies it is sent, one after another, and ends with the one that has made it. */
import { type DefaultContent, openProofStore, type ProofStore } from './proof-store.js';
import { runTopology, type TopologyReport, type TopologyTask } from './topology-run.js';

/** What a worker sends back. */
export type WorkerAnswer = { readonly report: TopologyReport } | { readonly error: string };

async function main(): Promise<void> {
  const [kind] = process.argv.slice(2);
  if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('A worker is told its store.');
  const opened = new Map<DefaultContent, Promise<ProofStore>>();
  const open = (content: DefaultContent): Promise<ProofStore> => {
    const store = opened.get(content) ?? openProofStore(kind, content);
    opened.set(content, store);
    return store;
  };
  const answer = async (task: TopologyTask): Promise<WorkerAnswer> => {
    try {
      return { report: await runTopology(await open(contentOf(task)), task) };
    } catch (error) {
      return { error: `seed ${task.seed}: ${error instanceof Error ? error.stack : String(error)}` };
    }
  };
  process.on('message', (task: TopologyTask | 'end') => {
    if (task === 'end') void close(opened.values()).then(() => process.disconnect());
    else void answer(task).then((sent) => process.send?.(sent));
  });
}

/** Names that DEFAULT uses are known to every server from the beginning: half of all topologies do without. */
function contentOf({ seed, plant }: TopologyTask): DefaultContent {
  return plant !== undefined || seed % 2 === 1 ? 'everything' : 'definitions';
}

async function close(stores: Iterable<Promise<ProofStore>>): Promise<void> {
  for (const store of stores) await (await store).close();
}

process.once('disconnect', () => process.exit(0));
process.once('SIGINT', () => process.exit(1));
process.once('SIGTERM', () => process.exit(1));
await main();
