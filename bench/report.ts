import { AUTHENTICATION_LIMIT, type AuthenticationResult } from './authentication.js';
import { LOOP_LIMIT_MS, type LoopResult } from './event-loop.js';
import { PARTITION_LIMITS, type PartitionResult } from './partitions.js';
import { PLACED_START_LIMIT_MS, type PlacementResult } from './placement.js';
import { SEARCH_LIMITS, type SearchResult, type ShapeResult, type Times } from './search/measure-search.js';
import type { Comparison, Sample } from './throughput.js';

/** Everything that one run has measured. */
export interface BenchResult {
  readonly corpus: string;
  readonly store: string;
  readonly throughput: readonly Comparison[];
  readonly loop: LoopResult | undefined;
  readonly partitions: PartitionResult | undefined;
  readonly placement: PlacementResult | undefined;
  readonly authentication: AuthenticationResult | undefined;
  readonly search: SearchResult | undefined;
}

/** The result for people, and what missed its target. */
export function report(result: BenchResult): {
  readonly text: string;
  readonly misses: readonly string[];
} {
  const { corpus, store, throughput, loop, partitions, placement, authentication, search } = result;
  const rows = [
    `corpus: ${corpus}; store: ${store}`,
    ...(throughput.length > 0 ? [HEADING] : []),
    ...throughput.map(comparisonRow),
    ...(loop ? loopRows(loop) : []),
    ...(partitions ? partitionRows(partitions) : []),
    ...(placement ? placementRows(placement) : []),
    ...(authentication ? [authenticationRow(authentication)] : []),
    ...(search ? searchRows(search) : []),
  ];
  const misses = [
    ...throughput
      .filter(({ ratio, target }) => ratio < target)
      .map(({ name, ratio, target }) => `${name}: ${ratio.toFixed(2)} of the floor, not ${target}`),
    ...(loop ? loopMisses(loop) : []),
    ...(partitions ? partitionMisses(partitions) : []),
    ...(placement ? placementMisses(placement) : []),
    ...(authentication ? authenticationMisses(authentication) : []),
    ...(search ? searchMisses(search) : []),
  ];
  return { text: rows.join('\n'), misses };
}

const COLUMNS = [32, 10, 10, 7, 8, 11, 11, 11, 13, 13] as const;

const HEADING = line([
  'operation',
  'floor/s',
  'server/s',
  'ratio',
  'target',
  'floor µs',
  'server µs',
  'µs ratio',
  'floor p50/p99',
  'server p50/p99',
]);

function comparisonRow({ name, floor, server, ratio, target, cpuRatio }: Comparison): string {
  const [floorCpu, serverCpu] = [floor, server].map(({ cpu }) => cpu?.toFixed(0) ?? '-');
  return line([
    name,
    floor.rate.toFixed(0),
    server.rate.toFixed(0),
    ratio.toFixed(2),
    String(target),
    floorCpu!,
    serverCpu!,
    cpuRatio?.toFixed(2) ?? '-',
    latencies(floor),
    latencies(server),
  ]);
}

function latencies({ p50, p99 }: Sample): string {
  return `${p50}/${p99} ms`;
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, at) => (at === 0 ? cell.padEnd(COLUMNS[at]!) : cell.padStart(COLUMNS[at]! + 2)))
    .join('');
}

function loopRows({ idle, busy, bundleMs }: LoopResult): string[] {
  const rows = Object.entries({ idle, busy }).map(([name, { p50, p99, max, loop }]) => {
    const reads = [p50, p99, max].map((value) => value.toFixed(1)).join(' / ');
    return `  ${name}: reads p50 / p99 / max ${reads} ms; loop held for at most ${loop.maxMs.toFixed(1)} ms, ${loop.maxCpuMs.toFixed(1)} ms CPU`;
  });
  return [
    `200 reads a second beside transactions of 1,000 entries (${bundleMs.toFixed(0)} ms each):`,
    ...rows,
  ];
}

function partitionRows({ partitions, rates, startEmpty, startFull }: PartitionResult): string[] {
  return [
    `one partition against ${partitions}, same data:`,
    ...rates.map(
      ({ name, one, many, ratio }) =>
        `  ${name}: ${one.toFixed(0)}/s, ${many.toFixed(0)}/s, ratio ${ratio.toFixed(2)}`,
    ),
    `start until served: empty ${startEmpty.toFixed(0)} ms, with ${partitions} partitions ${startFull.toFixed(0)} ms`,
  ];
}

function placementRows({ placement, rates, partitions, idleKb, startMs }: PlacementResult): string[] {
  return [
    ...(rates.length > 0 ? [`200 partitions, shared against placement ${placement}:`] : []),
    ...rates.map(
      ({ name, shared, placed, ratio }) =>
        `  ${name}: ${shared.toFixed(0)}/s, ${placed.toFixed(0)}/s, ratio ${ratio.toFixed(2)}`,
    ),
    `${partitions} partitions, placement ${placement}: start ${startMs.toFixed(0)} ms, ${idleKb.toFixed(1)} KB for each that is idle`,
  ];
}

function placementMisses({ partitions, startMs }: PlacementResult): string[] {
  return startMs > PLACED_START_LIMIT_MS
    ? [`start with ${partitions} placed partitions: ${startMs.toFixed(0)} ms`]
    : [];
}

function authenticationRow({ open, guarded, ratio }: AuthenticationResult): string {
  const [without, withToken] = [open, guarded].map((us) => us.toFixed(0));
  return `read by id, p50 without authentication ${without} µs, with a token ${withToken} µs, ratio ${ratio.toFixed(2)}`;
}

function authenticationMisses({ ratio }: AuthenticationResult): string[] {
  return ratio > AUTHENTICATION_LIMIT
    ? [`a read with a token: ${ratio.toFixed(2)} times the one without`]
    : [];
}

function loopMisses({ busy }: LoopResult): string[] {
  return busy.loop.maxMs < LOOP_LIMIT_MS
    ? []
    : [`the event loop was held for ${busy.loop.maxMs.toFixed(0)} ms`];
}

function partitionMisses({ rates, startEmpty, startFull }: PartitionResult): string[] {
  const { ratio, startEmptyMs, startFullMs } = PARTITION_LIMITS;
  return [
    ...rates
      .filter((rate) => rate.ratio < ratio)
      .map((rate) => `${rate.name} over many partitions: ratio ${rate.ratio.toFixed(2)}`),
    ...(startEmpty > startEmptyMs ? [`start with an empty database: ${startEmpty.toFixed(0)} ms`] : []),
    ...(startFull > startFullMs ? [`start with many partitions: ${startFull.toFixed(0)} ms`] : []),
  ];
}

function searchRows({ resources, loads, shapes }: SearchResult): string[] {
  const columns = ['partitions', 'floor µs', 'store µs', 'ratio', 'HTTP µs'];
  const rates = loads.map(({ partitions, rate }) => `${rate.toFixed(0)}/s in ${partitions}`).join(', ');
  return [
    `${resources} resources loaded: ${rates} partitions`,
    `searches in ${resources} resources, p50 / p99:`,
    searchLine('', columns),
    ...shapes.map(shapeRow),
  ];
}

function shapeRow({ name, partitions, floor, store, http }: ShapeResult): string {
  const ratio = floor && store ? (store.p50 / floor.p50).toFixed(2) : '-';
  return searchLine(name, [String(partitions), toCell(floor), toCell(store), ratio, toCell(http)]);
}

function toCell(times: Times | undefined): string {
  return times ? `${times.p50.toFixed(0)} / ${times.p99.toFixed(0)}` : '-';
}

function searchLine(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(28)}${cells.map((cell) => cell.padStart(18)).join('')}`;
}

function searchMisses({ shapes }: SearchResult): string[] {
  return shapes.flatMap(({ name, partitions, floor, store, http }) => {
    const where = `${name} in ${partitions} partitions`;
    const ratio = floor && store ? store.p50 / floor.p50 : 0;
    const p99 = http.p99 / 1000;
    return [
      ...(ratio > SEARCH_LIMITS.ratio ? [`${where}: ${ratio.toFixed(2)} times the floor`] : []),
      ...(p99 > SEARCH_LIMITS.p99Ms ? [`${where}: ${p99.toFixed(0)} ms at p99`] : []),
    ];
  });
}
