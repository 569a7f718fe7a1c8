import type { PartitionScope } from '../../model/partition.js';
import type {
  CountedPage,
  ExplainedStatement,
  FirstWindow,
  IncludeQuery,
  SearchPlan,
  SearchRow,
  SearchStore,
  SearchWindow,
} from '../search-store.js';
import type { HomeRouter } from './home-router.js';
import { mergeSorted, searchOrder } from './merge.js';

/** Search over all homes. */
export class PlacedSearch implements SearchStore {
  constructor(private readonly router: HomeRouter) {}

  /** Each home continues below the same key: there is one order over all of them. */
  async page(scope: PartitionScope, plan: SearchPlan, window: SearchWindow): Promise<readonly SearchRow[]> {
    const { router } = this;
    if (router.isTogether(scope))
      return router.useTogether(scope, ({ search }) => search.page(scope, plan, window));
    const pages = await router.each(scope, ({ search }, part) => search.page(asSeveral(part), plan, window));
    return mergeSorted(pages, searchOrder(plan), window.count);
  }

  async firstPage(scope: PartitionScope, plan: SearchPlan, window: FirstWindow): Promise<CountedPage> {
    const { router } = this;
    if (router.isTogether(scope))
      return router.useTogether(scope, ({ search }) => search.firstPage(scope, plan, window));
    const rows = await this.page(scope, plan, window);
    const isFull = rows.length === window.count;
    return { rows, counted: isFull ? await this.count(scope, plan, window.countTo) : undefined };
  }

  async count(scope: PartitionScope, plan: SearchPlan, limit?: number): Promise<number> {
    const counts = await this.router.each(scope, ({ search }, part) => search.count(part, plan, limit));
    const total = counts.reduce((sum, count) => sum + count, 0);
    return limit === undefined ? total : Math.min(total, limit);
  }

  match(scope: PartitionScope, plan: SearchPlan): Promise<readonly SearchRow[]> {
    return this.page(scope, plan, { count: 2 });
  }

  async explain(
    scope: PartitionScope,
    plan: SearchPlan,
    window: SearchWindow,
  ): Promise<readonly ExplainedStatement[]> {
    const { router } = this;
    if (router.isTogether(scope))
      return router.useTogether(scope, ({ search }) => search.explain(scope, plan, window));
    const lists = await router.each(scope, ({ search }, part) =>
      search.explain(asSeveral(part), plan, window),
    );
    return lists.flat();
  }

  async hasStaleCopies(scope: PartitionScope, types: readonly string[]): Promise<boolean> {
    const answers = await this.router.each(scope, ({ search }, part) => search.hasStaleCopies(part, types));
    return answers.includes(true);
  }

  /** References lead to resources of the same home, so that each home is asked for its own. */
  async linked(scope: PartitionScope, query: IncludeQuery): Promise<readonly SearchRow[]> {
    const lists = await this.router.each(scope, ({ search }, part) => search.linked(part, query));
    return lists.length === 1 ? lists[0]! : lists.flat().slice(0, query.limit);
  }
}

/**
 * A search in one partition comes in the order that is cheapest there; in several it comes by its sort keys and row
 * ids. To be merged, every home must have the second: naming the partition twice asks for it.
 */
function asSeveral(scope: PartitionScope): PartitionScope {
  const { partitions } = scope;
  return partitions.length > 1 ? scope : { ...scope, partitions: [...partitions, ...partitions] };
}
