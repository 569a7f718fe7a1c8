import type { Refusal, ReplacementCheck } from './dispatch.js';
import type { Mode, Transform, Veto } from './pointcuts.js';

/** What the registry must know of a pointcut of mode `M`. */
export type Definition<M extends Mode> = {
  readonly mode: M;
  /** One paragraph: when it fires, what may be answered, what a throw does. */
  readonly manual: string;
} & (M extends 'observe'
  ? {
      /** `propagate` (if left out): a throw fails what is going on. `swallow`: it is logged, and the next hook runs. */
      readonly errors?: 'propagate' | 'swallow';
    }
  : M extends 'veto'
    ? { readonly refusal: Refusal }
    : M extends 'transform'
      ? {
          readonly check?: ReplacementCheck;
          /** Where a hook answers this, no further one is asked. */
          readonly last?: unknown;
        }
      : unknown);

/** The definition of any pointcut. */
export type AnyDefinition = { [M in Mode]: Definition<M> }[Mode];

/** The definition that a pointcut's type demands. */
export type DefinitionOf<Type extends { readonly mode: Mode }> =
  Type extends Veto<infer _Event, infer Answer>
    ? Definition<'veto'> & { readonly refusal: [Answer] extends [never] ? 'throw' : 'throw-or-false' }
    : Type extends Transform<infer _Event, infer _Value, infer _Replacement>
      ? Definition<'transform'>
      : Definition<Exclude<Type['mode'], 'veto' | 'transform'>>;
