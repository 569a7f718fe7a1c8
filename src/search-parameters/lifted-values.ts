import type { SearchParameter } from '../fhir/index-values.js';
import {
  copiedPath,
  type Lift,
  type LiftedChain,
  liftedPath,
  type LiftedPaths,
  type LiftedTokens,
  type Uplifts,
} from '../fhir/uplift.js';
import type { CopyRule } from '../storage/store.js';
import type { OwnPath, PathKey } from './own-path.js';
import { isLiftable } from './uplift-findings.js';

/** A path that an uplift needs, whatever its state. */
export type UpliftPath = Omit<OwnPath, 'state' | 'since'>;

/** A parameter with uplifts, as it is on one type. */
export interface UpliftedParameter {
  readonly resourceType: string;
  readonly parameter: SearchParameter;
  readonly uplifts: Uplifts;
}

/** Where the parameters of target types are looked up. */
export interface TargetParameters {
  find(resourceType: string, code: string): SearchParameter | undefined;
}

/** Tokens of one system, on each path of the parameter. */
interface Tokens {
  readonly system: string;
  readonly paths: readonly UpliftPath[];
}

/** Values of a target type, on each path there and each path of the reference; `system` null: all of them. */
interface Copies {
  readonly system: string | null;
  readonly copies: readonly Copy[];
}

interface Copy {
  readonly linkPath: string;
  readonly from: UpliftPath;
  readonly to: UpliftPath;
}

interface Chain extends Pick<LiftedChain, 'targetType' | 'code' | 'kind' | 'targetPaths'> {
  readonly values: readonly Copies[];
}

/** Every path that has to be indexed: what is lifted, what is copied, and the copies. */
export function upliftPaths(lifted: UpliftedParameter, targets: TargetParameters): readonly UpliftPath[] {
  const chains = chainsOf(lifted, targets).flatMap(({ values }) => values.flatMap(({ copies }) => copies));
  return [...tokensOf(lifted).flatMap(({ paths }) => paths), ...chains.flatMap(({ from, to }) => [from, to])];
}

/** What has to be copied when a resource that refers, or a target, is written. */
export function copyRules(lifted: UpliftedParameter, targets: TargetParameters): readonly CopyRule[] {
  return chainsOf(lifted, targets).flatMap(({ targetType, values }) =>
    values.flatMap(({ copies }) =>
      copies.map(({ linkPath, from, to }) => ({
        type: lifted.resourceType,
        linkPath,
        copyPath: to.path,
        targetType,
        targetPath: from.path,
      })),
    ),
  );
}

/** What searches may go by: all data has it. */
export function liftedPaths(
  lifted: UpliftedParameter,
  targets: TargetParameters,
  isComplete: (path: PathKey) => boolean,
): LiftedPaths {
  const tokens = tokensOf(lifted).flatMap(({ system, paths }): LiftedTokens[] =>
    paths.every(isComplete) ? [{ system, paths: paths.map(({ path }) => path) }] : [],
  );
  const chains = chainsOf(lifted, targets).flatMap((chain) => toLiftedChain(chain, isComplete) ?? []);
  return { tokens, chains };
}

function toLiftedChain(
  { values, ...chain }: Chain,
  isComplete: (path: PathKey) => boolean,
): LiftedChain | undefined {
  const complete = values.filter(({ copies }) =>
    copies.every(({ from, to }) => isComplete(from) && isComplete(to)),
  );
  const all = complete.find(({ system }) => system === null);
  if (!all) return undefined;
  const tokens = complete.flatMap((one): LiftedTokens[] =>
    one.system === null ? [] : [{ system: one.system, paths: copyPaths(one) }],
  );
  return { ...chain, paths: copyPaths(all), tokens };
}

function copyPaths({ copies }: Copies): readonly string[] {
  return copies.map(({ to }) => to.path);
}

function tokensOf({ resourceType, parameter, uplifts }: UpliftedParameter): readonly Tokens[] {
  if (parameter.type !== 'token') return [];
  return uplifts.tokens.map(({ system, element }) => {
    const lift: Lift = { kind: 'token', system, element };
    const paths = parameter.paths.map((path) => toLifted(resourceType, lift, { ...parameter, path }));
    return { system, paths };
  });
}

function chainsOf(lifted: UpliftedParameter, targets: TargetParameters): readonly Chain[] {
  const { parameter, uplifts } = lifted;
  if (parameter.type !== 'reference') return [];
  return uplifts.chains.flatMap(({ code, element }) =>
    parameter.targets.flatMap((targetType): Chain[] => {
      const target = targets.find(targetType, code);
      if (!target || !isLiftable(target) || target.paths.length === 0) return [];
      const kind = target.type === 'token' ? 'token' : 'string';
      const systems = kind === 'token' ? uplifts.tokens : [];
      const values = [{ system: null, element }, ...systems].map((one) => ({
        system: one.system,
        copies: copiesOf(lifted, { ...one, targetType, target, kind }),
      }));
      return [{ targetType, code, kind, targetPaths: target.paths, values }];
    }),
  );
}

/** One kind of values of one target type. */
interface Copied {
  readonly system: string | null;
  readonly element: string;
  readonly targetType: string;
  readonly target: SearchParameter;
  readonly kind: Lift['kind'];
}

function copiesOf(
  { resourceType, parameter }: UpliftedParameter,
  { system, element, targetType, target, kind }: Copied,
): readonly Copy[] {
  const lift: Lift = { kind, system };
  return target.paths.flatMap((targetPath) => {
    const from = toLifted(targetType, lift, { ...target, path: targetPath });
    return parameter.paths.map((linkPath): Copy => {
      const path = copiedPath({ element, path: linkPath, targetType, targetPath: from.path });
      const to: UpliftPath = {
        resourceType,
        kind: 'composite',
        path,
        expression: '',
        copiedFrom: { resourceType: targetType, kind: 'composite', path: from.path },
      };
      return { linkPath, from, to };
    });
  });
}

function toLifted(
  resourceType: string,
  lift: Lift,
  { path, expression }: { readonly path: string; readonly expression: string },
): UpliftPath {
  const kind = lift.element === undefined ? 'composite' : lift.kind;
  return { resourceType, kind, path: liftedPath(lift, path), expression, lift };
}
