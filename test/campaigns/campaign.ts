import { emptyJournal, type Journal } from './crash-journal.js';
import type { Client } from './crash-load.js';
import type { CrashServer } from './crash-server.js';
import type { Violations } from './crash-verify.js';
import { type Random, seededRandom } from './random.js';

const TENANTS = ['acme', 'beta'] as const;
const CLIENTS_OF_A_TENANT = 4;

/** What one run of a campaign shares: its dice, what clients were told, and what differs in a cycle. */
export class Campaign {
  readonly journal: Journal = emptyJournal();
  readonly random: Random;

  constructor(readonly seed: number) {
    this.random = seededRandom(seed);
  }

  /** Clients of every tenant on one server. */
  clientsOf(
    server: CrashServer,
    of: Pick<Client, 'cycle' | 'isOver' | 'mayRefuse'> & { readonly name: string },
  ): readonly Client[] {
    return TENANTS.flatMap((tenant) =>
      Array.from({ length: CLIENTS_OF_A_TENANT }, (_, number) => ({
        ...of,
        name: `${of.name}-${tenant}-${number}`,
        base: `${server.url}/${tenant}`,
        tenant,
        random: seededRandom(this.random.integer(0, 2 ** 31)),
        journal: this.journal,
      })),
    );
  }

  /** What there is to compare from now on. */
  mark(): { readonly entries: number; readonly transactions: number; readonly conditionals: number } {
    const { entries, transactions, conditionals } = this.journal;
    return {
      entries: entries.length,
      transactions: transactions.length,
      conditionals: conditionals.size,
    };
  }

  /** Says what came out, and makes the process end with 1 where something was wrong. */
  conclude(violations: Violations, ordeal: string): void {
    for (const violation of violations) say(`violation: ${violation}`);
    if (violations.length > 0) {
      say(`seed ${this.seed}`);
      process.exitCode = 1;
      return;
    }
    say(`nothing lost: ${this.journal.acknowledged} acknowledged writes, ${ordeal}`);
  }
}

/** Makes the tenants. @throws Error where the server refuses. */
export async function createTenants(server: CrashServer, names: readonly string[] = TENANTS): Promise<void> {
  for (const name of names) {
    const parameter = [{ name: 'name', valueCode: name }];
    const response = await fetch(`${server.url}/$partition-management-create-partition`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter }),
    });
    if (!response.ok) throw new Error(`partition ${name}: ${response.status} ${await response.text()}`);
  }
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** What ends with the process ends with a signal too. */
export function endWithSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
}
