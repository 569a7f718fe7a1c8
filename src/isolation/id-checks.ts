import type { Attack } from './attack.js';
import {
  AS_UNUSED,
  type Check,
  COMMON_ID,
  compareIds,
  type Finding,
  held,
  leak,
  leakIn,
  notApplicable,
  THEIR_ID,
  type Trial,
  unlessChanged,
} from './check.js';
import { READS, READS_OF_TYPES, SEARCHES } from './foreign-reads.js';
import { CREATING, WRITES } from './foreign-writes.js';
import { differenceOf, visible } from './heard.js';
import type { TenantAsked } from './tested-tenant.js';

const QUESTIONS = [...READS, ...READS_OF_TYPES, ...SEARCHES];
/** Answers nobody, also not who has the id. */
const FOR_NOBODY = 'a version that nobody has';

/** Ids of the other tenant, in reads and searches. */
export function foreignReadChecks(): readonly Check[] {
  return QUESTIONS.map((attack) => ({
    ...toldOf(attack, THEIR_ID),
    expected: AS_UNUSED,
    run: async (trial) => {
      const finding = await compareIds(trial, requestOf(attack, trial));
      if (finding.verdict === 'leak') return finding;
      return (await isForOwner(attack, trial)) ?? finding;
    },
  }));
}

/** An attack shows nothing where the owner itself is told as much of an id that nobody has. */
async function isForOwner(attack: Attack, trial: Trial): Promise<Finding | undefined> {
  if (attack.name === FOR_NOBODY) return undefined;
  const { owner, foreignId, unusedId } = trial;
  const ask = requestOf(attack, trial);
  const own = await owner.ask(ask(foreignId));
  const unused = await owner.ask(ask(unusedId));
  const isTold = differenceOf(visible(own, foreignId), visible(unused, unusedId)) !== undefined;
  return isTold ? undefined : notApplicable(`${owner.name} itself is told no more: ${own.status}`);
}

/** The same requests with an id that both tenants have, asked by the owner first, so that caches know its answer. */
export function commonReadChecks(): readonly Check[] {
  return QUESTIONS.filter(({ name }) => name !== FOR_NOBODY).map((attack) => ({
    ...toldOf(attack, COMMON_ID),
    attack: `${attack.name}, of an id that both have`,
    expected: 'nothing but its own',
    run: async (trial) => {
      const ask = requestOf(attack, trial)(trial.commonId);
      const theirs = await trial.owner.ask(ask);
      const own = await trial.attacker.ask(ask);
      if (theirs.status >= 400 || own.status >= 400) return notApplicable(`the answer is ${own.status}`);
      return leakIn(own, trial) ?? held(`${own.status} without content of ${trial.owner.name}`);
    },
  }));
}

/** Ids of the other tenant, in writes. */
export function foreignWriteChecks(): readonly Check[] {
  return WRITES.map((attack) => ({
    ...toldOf(attack, THEIR_ID),
    expected: `${AS_UNUSED}, and theirs unchanged`,
    run: (trial) => unlessChanged(trial, trial.foreignId, () => compareIds(trial, requestOf(attack, trial))),
  }));
}

/** What only the other one has does not exist, and can be created. Each attack has a target of its own. */
export function creatingChecks(): readonly Check[] {
  return CREATING.map((attack) => ({
    ...toldOf(attack, THEIR_ID),
    expected: 'created, as with an id that nobody has',
    run: async (trial) => {
      const target = { ...trial, foreignId: trial.newId(), unusedId: trial.newId() };
      await trial.owner.plant(target.foreignId);
      return unlessChanged(target, target.foreignId, () => createBoth(attack, target));
    },
  }));
}

async function createBoth(attack: Attack, trial: Trial): Promise<Finding> {
  const { attacker, foreignId, unusedId } = trial;
  const ask = requestOf(attack, trial);
  const unused = await attacker.ask(ask(unusedId));
  if (unused.status >= 400) return notApplicable(`the server refuses it for every id: ${unused.status}`);
  const foreign = await attacker.ask(ask(foreignId));
  const difference = differenceOf(visible(foreign, foreignId), visible(unused, unusedId));
  return leakIn(foreign, trial) ?? (difference === undefined ? held(`${foreign.status}`) : leak(difference));
}

function toldOf(
  { name, number, method, path }: Attack,
  id: string,
): Pick<Check, 'attack' | 'number' | 'asked'> {
  return { attack: name, number, asked: `${method} ${decodeURIComponent(path(id))}`.trim() };
}

function requestOf({ method, path, sent }: Attack, { attacker, owner }: Trial): (id: string) => TenantAsked {
  const places = { own: attacker.base, theirs: owner.base };
  return (id) => ({ method, path: path(id), ...sent?.(id, places) });
}
