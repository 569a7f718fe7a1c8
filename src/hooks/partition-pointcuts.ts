import type { DefinitionOf } from './pointcut-definition.js';
import type { BuiltInPointcuts } from './pointcuts.js';

type PartitionPointcut = Extract<keyof BuiltInPointcuts, `STORAGE_PARTITION_${string}`>;

/** The pointcuts about partitions: see POINTCUTS. */
export const PARTITION_POINTCUTS = {
  STORAGE_PARTITION_IDENTIFY_CREATE: {
    mode: 'decide',
    manual:
      'Fires once for every create, unless a STORAGE_PARTITION_IDENTIFY_ANY hook is registered. Answer the ' +
      'partition that the resource goes to. If nobody answers, the create fails. A throw refuses it.',
  },
  STORAGE_PARTITION_IDENTIFY_READ: {
    mode: 'decide',
    manual:
      'Fires once for every interaction that reads, searches, changes or deletes, unless a ' +
      'STORAGE_PARTITION_IDENTIFY_ANY hook is registered. Answer the partitions to look in. If nobody answers, ' +
      'the interaction fails. A throw refuses it.',
  },
  STORAGE_PARTITION_IDENTIFY_ANY: {
    mode: 'decide',
    manual:
      'Fires once for every interaction, in place of the CREATE and READ pointcuts, which are then not asked. ' +
      'Answer the partitions. If nobody answers, the interaction fails. A throw refuses it.',
  },
  STORAGE_PARTITION_SELECTED: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires for every interaction without exception, when its partitions are known and nothing is read: the place ' +
      'to guard tenants. Nothing is answered. A throw refuses the interaction.',
  },
  STORAGE_PARTITION_QUOTA: {
    mode: 'decide',
    manual:
      'Fires before something is written to a partition, once for each partition of a transaction, before an export ' +
      'is started, and for $usage. Answer how much the partition may have: what would make it more is refused by 429 ' +
      'QUOTA_EXCEEDED. Undefined from all hooks means that there is no limit. A throw refuses the request.',
  },
  STORAGE_PARTITION_USED: {
    mode: 'observe',
    errors: 'swallow',
    manual:
      'Fires after something was written to a partition that has a quota of resources or bytes, with what it holds ' +
      'now. What others wrote at the same time may be in it. Nothing is answered. A throw is logged.',
  },
  STORAGE_PARTITION_CREATED: {
    mode: 'observe',
    manual:
      'Fires inside the database transaction that registers a partition. Nothing is answered. A throw undoes it.',
  },
  STORAGE_PARTITION_DELETED: {
    mode: 'observe',
    manual:
      'Fires inside the database transaction that deletes a partition. Nothing is answered. A throw undoes it.',
  },
} as const satisfies { readonly [P in PartitionPointcut]: DefinitionOf<BuiltInPointcuts[P]> };
