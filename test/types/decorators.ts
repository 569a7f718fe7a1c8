// Compiled, never run: decorated methods have the types of their pointcut.
import { Hook, Interceptor, interceptorOf } from '../../src/hooks/decorators.js';
import { Pointcut } from '../../src/hooks/pointcut-manual.js';
import type { HookEvent } from '../../src/hooks/pointcuts.js';
import type { PartitionChoice } from '../../src/model/partition.js';
import type { Resource } from '../../src/model/resource.js';

@Interceptor({ order: 10 })
export class Decorated {
  @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_CREATE)
  choose({ resource }: HookEvent<'STORAGE_PARTITION_IDENTIFY_CREATE'>): PartitionChoice | undefined {
    return resource.resourceType === 'Observation' ? { by: 'name', names: ['lab'] } : undefined;
  }

  @Hook('STORAGE_PRESTORAGE_RESOURCE_CREATED', { order: -1 })
  async tag({ value }: HookEvent<'STORAGE_PRESTORAGE_RESOURCE_CREATED'>): Promise<Resource> {
    return value;
  }

  @Hook(Pointcut.SERVER_PROCESSING_COMPLETED)
  count(): void {}
}

export class Wrong {
  // @ts-expect-error the answer is a partition choice
  @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_CREATE)
  choose(): string {
    return 'lab';
  }

  // @ts-expect-error the event is another pointcut's
  @Hook(Pointcut.STORAGE_PARTITION_IDENTIFY_ANY)
  any({ resource }: HookEvent<'STORAGE_PARTITION_IDENTIFY_CREATE'>): PartitionChoice {
    return { by: 'name', names: [resource.resourceType] };
  }

  // @ts-expect-error there is no such pointcut
  @Hook('STORAGE_PARTITION_IDENTIFY')
  none(): void {}
}

export const decorated = interceptorOf(new Decorated());
