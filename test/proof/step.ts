/**
 * One request of a generated program. Paths, headers and bodies may hold what only the run knows, in angle brackets:
 *
 * - `<canary>`: the text that stands for the tenant in everything that it stores;
 * - `<next>`, `<created>`, `<job>`, `<file>`, `<reindex>`, `<token>`: what the tenant was told last of this kind;
 * - `<jwt:reader>`, …: a bearer token of the tenant, by what it is good for;
 * - `<2:token>`, `<2:created>`, …: the same of another tenant, by its number.
 */
export interface Step {
  /** What it is about, for reports and for the guard that everything is generated. */
  readonly kind: StepKind;
  readonly method: string;
  /** Below the tenant's base, without a leading slash. With one it is below the server's base. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What the server does in the background is waited for before the next step. */
  readonly settles?: 'export' | 'reindex';
}

export type StepKind =
  | 'read'
  | 'search'
  | 'write'
  | 'bundle'
  | 'operation'
  | 'export'
  | 'attack'
  | 'garbage'
  | 'parameter'
  /** Of the operator, see `operator.ts`. */
  | 'upheaval';

/** A step in one line, for people. */
export function describeStep({ method, path, headers = {}, body }: Step): string {
  const said = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = said.length === 0 ? '' : ` [${said.join(', ')}]`;
  return `${method} ${path}${head}${body === undefined ? '' : ` ${body}`}`;
}
