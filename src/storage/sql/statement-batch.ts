import type { Knex } from 'knex';

/** Their answers are waited for, with all that was said before. */
const ANSWERS = /^\s*(select|with)\b/i;

/** A transaction whose statements are sent together. */
export interface StatementBatch {
  /** For migrations, which speak SQL: `raw` alone works. What needs no answer is sent with the next that does. */
  readonly knex: Knex;
  /** Sends what is left. @throws DatabaseError of the first statement that fails */
  send(): Promise<void>;
}

/**
 * Collects statements of PostgreSQL, which takes many in one message: a schema is more than a hundred of them, and a
 * trip for each costs more than what it does.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export function collectStatements(trx: Knex): StatementBatch {
  const collected: string[] = [];
  const send = async (): Promise<void> => {
    if (collected.length > 0) await trx.raw(collected.splice(0).join(';\n'));
  };
  const raw = async (sql: string, bindings: readonly Knex.RawBinding[] = []): Promise<unknown> => {
    if (bindings.length === 0 && !ANSWERS.test(sql)) return void collected.push(sql);
    await send();
    return trx.raw(sql, bindings);
  };
  const knex = new Proxy(trx, {
    get: (target, name) => {
      if (name === 'raw') return raw;
      if (name === 'client') return target.client as unknown;
      throw new Error(`Migrations speak SQL by raw; they have no ${String(name)}.`);
    },
  });
  return { knex, send };
}
