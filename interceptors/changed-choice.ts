import { defineInterceptor } from '../src/index.js';
import type {
  HookEvent,
  HookFunction,
  Interceptor,
  MaybePromise,
  OrderedHook,
  PartitionChoice,
} from '../src/index.js';

type Identify = 'STORAGE_PARTITION_IDENTIFY_CREATE' | 'STORAGE_PARTITION_IDENTIFY_READ';

/** What is done with the answers of another interceptor; a pointcut that is left out stays as it is. */
export type ChoiceChanges = {
  readonly [P in Identify]?: (choice: PartitionChoice, event: HookEvent<P>) => MaybePromise<PartitionChoice>;
};

/**
 * An interceptor like the given one, whose answers are changed before they count. Its name, orders and other
 * hooks stay. An answer of `undefined` is not changed: it still asks the next interceptor.
 * @throws Error if the interceptor does not hook STORAGE_PARTITION_IDENTIFY_CREATE.
 */
export function withChangedChoice(interceptor: Interceptor, changes: ChoiceChanges): Interceptor {
  const { STORAGE_PARTITION_IDENTIFY_CREATE: create, STORAGE_PARTITION_IDENTIFY_READ: read } =
    interceptor.hooks;
  if (create === undefined) {
    throw new Error(`Interceptor "${interceptor.name}" does not hook STORAGE_PARTITION_IDENTIFY_CREATE.`);
  }
  return defineInterceptor({
    ...interceptor,
    hooks: {
      ...interceptor.hooks,
      STORAGE_PARTITION_IDENTIFY_CREATE: changed(create, changes.STORAGE_PARTITION_IDENTIFY_CREATE),
      ...(read === undefined
        ? {}
        : { STORAGE_PARTITION_IDENTIFY_READ: changed(read, changes.STORAGE_PARTITION_IDENTIFY_READ) }),
    },
  });
}

function changed<P extends Identify>(
  hook: HookFunction<P> | OrderedHook<P>,
  change: ChoiceChanges[P],
): HookFunction<P> | OrderedHook<P> {
  if (change === undefined) return hook;
  const ask = typeof hook === 'function' ? hook : hook.handle.bind(hook);
  const handle = async (event: HookEvent<P>): Promise<PartitionChoice | undefined> => {
    const choice = (await ask(event)) as PartitionChoice | undefined;
    return choice === undefined ? undefined : change(choice, event);
  };
  return { ...(typeof hook === 'function' ? {} : hook), handle } as OrderedHook<P>;
}
