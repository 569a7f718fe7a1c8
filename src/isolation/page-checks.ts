import type { Bundle } from '../model/resource.js';
import { type Check, type Finding, held, leak, leakIn, notApplicable, type Trial } from './check.js';
import type { Answer } from './connection.js';
import { pathBelow } from './link-path.js';
import { TAG_SYSTEM } from './marks.js';
import type { TenantAsked } from './tested-tenant.js';

/** How the path of a page is asked for that the other tenant was led to. */
const WAYS: readonly { readonly attack: string; readonly ask: (path: string) => TenantAsked }[] = [
  { attack: "the other one's page link", ask: (path) => ({ method: 'GET', path }) },
  {
    attack: "the other one's page link in a bundle",
    ask: (path) => ({
      method: 'POST',
      path: '',
      body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: path } }] },
    }),
  },
];

/** Links to further pages of searches and histories, under another tenant. */
export function pageChecks(): readonly Check[] {
  return ['Patient?_tag=', 'Patient/_history?'].flatMap((search) =>
    WAYS.map<Check>(({ attack, ask }) => ({
      attack,
      number: 34,
      asked: `the second page of their GET ${search.replace(/[?=]|_tag/g, '')}`,
      expected: 'nothing of theirs, and no page where the link has a token',
      run: async (trial) => {
        const next = await nextPath(trial, search);
        if (next === undefined) return notApplicable(`${trial.owner.name} is given no further page`);
        return judge(trial, ask(next), TOKEN.test(next));
      },
    })),
  );
}

/** What nobody can have made up. A link of offsets and searches may be anybody's. */
const TOKEN = /[?&][\w-]+=[\w-]{24,}(&|$)/;

async function judge(trial: Trial, asked: TenantAsked, hasToken: boolean): Promise<Finding> {
  const { attacker, owner } = trial;
  if (!owner.isToldIn(await owner.ask(asked)))
    return notApplicable(`the page shows ${owner.name} nothing either`);
  const answer = await attacker.ask(asked);
  const told = leakIn(answer, trial);
  if (told) return told;
  if (hasToken && isPage(answer)) return leak(`${answer.status}: the link is taken`);
  return held(`${answer.status} without content of ${owner.name}`);
}

/** Whether the page came, by itself or as the answer of an entry. */
function isPage({ status, text }: Answer): boolean {
  return status < 300 && !/"status":\s*"4/.test(text);
}

/** The path of the second page, which shows something that is planted. */
async function nextPath({ owner }: Trial, search: string): Promise<string | undefined> {
  const tag = search.endsWith('_tag=') ? `${TAG_SYSTEM}|` : '';
  const answer = await owner.get(`${search}${tag}&_count=1`);
  if (answer.status !== 200) return undefined;
  const { link = [] } = JSON.parse(answer.text) as Bundle & { link?: { relation: string; url: string }[] };
  const next = link.find(({ relation }) => relation === 'next')?.url;
  return next === undefined ? undefined : pathBelow(owner, next);
}

/** A page link that was changed tells nothing of why it is refused. */
export function brokenPageCheck(): Check {
  return {
    attack: 'a page link that was changed',
    number: 35,
    asked: 'the second page of their search, with another end',
    expected: 'an error',
    run: async (trial) => {
      const next = await nextPath(trial, 'Patient?_tag=');
      const token = /_page=[\w-]+/.exec(next ?? '')?.[0];
      if (token === undefined) return notApplicable('page links have no token');
      const changed = token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
      const answer = await trial.attacker.get(`?${changed}`);
      return (
        leakIn(answer, trial) ?? (answer.status >= 400 ? held(`${answer.status}`) : leak(`${answer.status}`))
      );
    },
  };
}
