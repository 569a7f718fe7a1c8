import type { Check } from './check.js';
import { exportChecks } from './export-checks.js';
import { commonReadChecks, creatingChecks, foreignReadChecks, foreignWriteChecks } from './id-checks.js';
import { strayWriteChecks, totalChecks, unnamedReadChecks, versionChecks } from './own-content-checks.js';
import { brokenPageCheck, pageChecks } from './page-checks.js';
import { entryUrlChecks, headerChecks, pathChecks, tokenChecks } from './place-checks.js';

/** Every attack that can be asked from outside, in the order in which they are tried: what writes comes last. */
export function allChecks(): readonly Check[] {
  return [
    ...foreignReadChecks(),
    ...commonReadChecks(),
    ...versionChecks(),
    ...totalChecks(),
    ...unnamedReadChecks(),
    ...headerChecks(),
    ...pathChecks(),
    ...pageChecks(),
    brokenPageCheck(),
    ...tokenChecks(),
    ...exportChecks(),
    ...entryUrlChecks(),
    ...foreignWriteChecks(),
    ...creatingChecks(),
    ...strayWriteChecks(),
  ];
}
