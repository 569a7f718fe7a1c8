import { nearestName } from '../model/nearest-name.js';
import {
  decideFirst,
  decideTraced,
  isPromise,
  observeAll,
  observeSafely,
  transformAll,
  vetoAll,
} from './dispatch.js';
import type { Decision, HookEntry, TransformRules, Verdict } from './dispatch.js';
import { toHookEntries } from './hook-entries.js';
import type { NamedEntry } from './hook-entries.js';
import type { Interceptor } from './interceptor.js';
import type { AnyDefinition, DefinitionOf } from './pointcut-definition.js';
import { POINTCUTS } from './pointcut-manual.js';
import type {
  AnswerOf,
  BuiltInPointcuts,
  EventOf,
  MaybePromise,
  Mode,
  PointcutMap,
  PointcutName,
  PointcutsOf,
  ReplacementOf,
  ValueOf,
} from './pointcuts.js';

const MODES: ReadonlySet<Mode> = new Set(['observe', 'veto', 'decide', 'transform']);

/** What a registry is made with. */
export interface HookRegistryOptions {
  /** Told of errors that stop nothing: those of SERVER_PROCESSING_COMPLETED and _NORMALLY. */
  readonly onSwallowed: (pointcut: string, interceptor: string, error: unknown) => void;
}

/**
 * The hooks of one server. Interceptors are registered at any time; a dispatch that is running does not see
 * the change.
 *
 * The dispatch methods answer `T | Promise<T>`: without hooks, and where all hooks are synchronous, they give
 * `T` itself and allocate nothing, so `await` them. A synchronous hook's throw is a synchronous throw of the
 * dispatch method. The event is frozen (not deeply) as soon as there is a hook. Where building the event costs
 * something, ask `has` first.
 */
export class HookRegistry {
  readonly #options: HookRegistryOptions;
  readonly #definitions = new Map<string, AnyDefinition>(Object.entries(POINTCUTS));
  readonly #interceptors = new Map<Interceptor, readonly NamedEntry[]>();
  /** Only pointcuts with hooks; the lists are replaced, never changed. */
  readonly #lists = new Map<string, readonly HookEntry[]>();

  constructor(options: HookRegistryOptions) {
    this.#options = options;
  }

  /**
   * Adds an interceptor, and gives back a function that removes it.
   * @throws Error for an unknown pointcut, no hooks, a wrong shape, or an interceptor that is registered already.
   */
  register(interceptor: Interceptor): () => void {
    if (this.#interceptors.has(interceptor)) {
      throw new Error(`Interceptor "${interceptor.name}" is registered already.`);
    }
    const entries = toHookEntries(interceptor);
    for (const [pointcut] of entries) this.#definitionOf(pointcut, interceptor.name);
    this.#announce(entries);
    const lasting = entries.filter(([pointcut]) => pointcut !== 'INTERCEPTOR_REGISTERED');
    this.#interceptors.set(interceptor, lasting);
    for (const [pointcut, entry] of lasting) this.#lists.set(pointcut, this.#listWith(pointcut, entry));
    return () => void this.unregister(interceptor);
  }

  /** Removes an interceptor; false if it was not registered. */
  unregister(interceptor: Interceptor): boolean {
    const entries = this.#interceptors.get(interceptor);
    if (entries === undefined) return false;
    this.#interceptors.delete(interceptor);
    for (const [pointcut, entry] of entries) this.#remove(pointcut, entry);
    return true;
  }

  /**
   * Makes a plugin's pointcut known. Its type is merged into `PointcutMap`; its mode here must agree.
   * @throws Error if the pointcut is defined already, or for an unknown mode.
   */
  define<P extends Exclude<PointcutName, keyof BuiltInPointcuts>>(
    pointcut: P,
    definition: DefinitionOf<PointcutMap[P]>,
  ): void {
    if (this.#definitions.has(pointcut)) throw new Error(`Pointcut "${pointcut}" is defined already.`);
    if (!MODES.has(definition.mode)) {
      throw new Error(`Pointcut "${pointcut}" has the unknown mode "${definition.mode}".`);
    }
    this.#definitions.set(pointcut, definition as AnyDefinition);
  }

  /** Whether a dispatch would reach anybody. */
  has(pointcut: PointcutName): boolean {
    return this.#lists.has(pointcut);
  }

  /** Who would be asked, in order: `name@order`. */
  describe(pointcut: PointcutName): readonly string[] {
    return (this.#lists.get(pointcut) ?? []).map(({ interceptor, order }) => `${interceptor}@${order}`);
  }

  /** The registered interceptors, in the order of registration. */
  interceptors(): readonly Interceptor[] {
    return [...this.#interceptors.keys()];
  }

  /** The defined pointcuts, plugins' included. */
  pointcuts(): readonly string[] {
    return [...this.#definitions.keys()];
  }

  /** Tells every hook. An error propagates, except where the pointcut's definition swallows it. */
  observe<P extends PointcutsOf<'observe'>>(pointcut: P, event: EventOf<P>): MaybePromise<void> {
    const entries = this.#lists.get(pointcut);
    if (entries === undefined) return undefined;
    const definition = this.#definitions.get(pointcut);
    if (definition?.mode !== 'observe' || definition.errors !== 'swallow') {
      return observeAll(entries, Object.freeze(event));
    }
    return observeSafely(entries, Object.freeze(event), (entry, error) =>
      this.#options.onSwallowed(pointcut, entry.interceptor, error),
    );
  }

  /** Asks every hook. Throws what a hook throws; `handled` means that a hook has written the response. */
  veto<P extends PointcutsOf<'veto'>>(pointcut: P, event: EventOf<P>): MaybePromise<Verdict> {
    const entries = this.#lists.get(pointcut);
    if (entries === undefined) return 'proceed';
    const definition = this.#definitions.get(pointcut);
    const refusal = definition?.mode === 'veto' ? definition.refusal : 'throw';
    return vetoAll(entries, Object.freeze(event), refusal);
  }

  /** Asks until a hook answers; undefined if none does. */
  decide<P extends PointcutsOf<'decide'>>(
    pointcut: P,
    event: EventOf<P>,
  ): MaybePromise<AnswerOf<P> | undefined> {
    const entries = this.#lists.get(pointcut);
    if (entries === undefined) return undefined;
    return decideFirst(entries, Object.freeze(event)) as MaybePromise<AnswerOf<P> | undefined>;
  }

  /** As `decide`, and tells who decided and who was asked. For explanations, not for the hot path. */
  async decideNamed<P extends PointcutsOf<'decide'>>(
    pointcut: P,
    event: EventOf<P>,
  ): Promise<Decision<AnswerOf<P>>> {
    const entries = this.#lists.get(pointcut) ?? [];
    return decideTraced(entries, Object.freeze(event)) as Promise<Decision<AnswerOf<P>>>;
  }

  /**
   * Runs `value` through every hook and gives back the last one.
   * @throws TypeError for a replacement that the pointcut does not allow.
   */
  transform<P extends PointcutsOf<'transform'>>(
    pointcut: P,
    event: EventOf<P>,
    value: ValueOf<P>,
  ): MaybePromise<ReplacementOf<P>> {
    const entries = this.#lists.get(pointcut);
    if (entries === undefined) return value as ReplacementOf<P>;
    const definition = this.#definitions.get(pointcut);
    const { check = anyReplacement, last }: Partial<TransformRules> =
      definition?.mode === 'transform' ? definition : {};
    return transformAll(entries, event, value, { check, last }) as MaybePromise<ReplacementOf<P>>;
  }

  #definitionOf(pointcut: string, interceptor: string): AnyDefinition {
    const definition = this.#definitions.get(pointcut);
    if (definition !== undefined) return definition;
    const nearest = nearestName(pointcut, this.#definitions.keys());
    throw new Error(
      `Interceptor "${interceptor}" hooks the unknown pointcut "${pointcut}".` +
        (nearest === undefined ? '' : ` Did you mean ${nearest}?`),
    );
  }

  #announce(entries: readonly NamedEntry[]): void {
    const [, entry] = entries.find(([pointcut]) => pointcut === 'INTERCEPTOR_REGISTERED') ?? [];
    const answer = entry?.handle(Object.freeze({}));
    if (entry === undefined || !isPromise(answer)) return;
    void answer.then(undefined, (error: unknown) =>
      this.#options.onSwallowed('INTERCEPTOR_REGISTERED', entry.interceptor, error),
    );
  }

  #listWith(pointcut: string, entry: HookEntry): readonly HookEntry[] {
    return [...(this.#lists.get(pointcut) ?? []), entry].toSorted((a, b) => a.order - b.order);
  }

  #remove(pointcut: string, entry: HookEntry): void {
    const left = (this.#lists.get(pointcut) ?? []).filter((other) => other !== entry);
    if (left.length === 0) this.#lists.delete(pointcut);
    else this.#lists.set(pointcut, left);
  }
}

function anyReplacement(): undefined {
  return undefined;
}
