import { Command, CommanderError, Option } from 'commander';
import { nearestName } from '../model/nearest-name.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { addQuietSettingFlags, addSettingFlags, type Flags, nearestFlag } from './setting-flags.js';
import type { Terminal } from './terminal.js';

/**
 * Runs one command line, without `node` and the script's name in `words`.
 * @throws whatever the command throws; `toExit` makes text and an exit code of it.
 */
export async function runCommand(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const run: Run = { terminal, exit: EXIT.ok };
  const program = createProgram(run);
  const stranger = unknownCommand(program, words);
  if (stranger !== undefined) {
    terminal.complain(stranger);
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...words], { from: 'user' });
    return run.exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

interface Run {
  readonly terminal: Terminal;
  exit: ExitCode;
}

type Action = (terminal: Terminal, flags: Flags) => Promise<ExitCode>;
type NamedAction = (terminal: Terminal, name: string, flags: Flags) => Promise<ExitCode>;

/** The modules of commands are loaded when they are run: `serve` has to be ready in less than a second. */
function createProgram(run: Run): Command {
  const program = new Command('bulkhead');
  program
    .description('A multi-tenant FHIR R4 server.')
    .helpCommand('help [command]', 'Tells how a command is used.');
  addServe(program, run);
  addLoad(program, run);
  addExport(program, run);
  addPartition(program, run);
  addClients(program, run);
  addReindex(program, run);
  addVerifyIsolation(program, run);
  const config = program
    .command('config')
    .description('Prints every setting, its value and where it came from.');
  addSettingFlags(config).action(
    does(run, async (...args) => (await import('./config.js')).printConfig(...args)),
  );
  const migrate = program.command('migrate').description("Brings the database's schema up to date.");
  addQuietSettingFlags(migrate).action(
    does(run, async (...args) => (await import('./migrate.js')).migrateDatabase(...args)),
  );
  const doctor = program
    .command('doctor')
    .description('Checks settings, database and machine, and says what to do.');
  addQuietSettingFlags(doctor).action(
    does(run, async (...args) => (await import('./doctor.js')).doctor(...args)),
  );
  return speakingTo(program, run.terminal);
}

function addServe(program: Command, run: Run): void {
  const serve = program.command('serve', { isDefault: true }).description('Serves the FHIR API.');
  addSettingFlags(serve).action(does(run, async (...args) => (await import('./serve.js')).serve(...args)));
}

function addLoad(program: Command, run: Run): void {
  const load = program
    .command('load')
    .description(
      'Loads Bundles and resources from .json, .ndjson and .xml files, with or without .gz, and from folders.',
    )
    .argument('<path...>', 'files and folders')
    .option('--partition <name>', 'partition that the resources go to; DEFAULT if left out')
    .option('--concurrency <number>', 'files at a time', '4')
    .option('--url <base>', 'FHIR base of a running server, instead of the database')
    .option(
      '--header <header>',
      'with --url: a header such as "Authorization: Bearer …"; may be repeated',
      collect,
      [],
    )
    .option('--token-file <path>', 'with --url: a file with the bearer token that the server is shown');
  addQuietSettingFlags(load).action(async (paths: readonly string[], flags: Flags) => {
    const { loadPaths } = await import('./load.js');
    run.exit = await loadPaths(run.terminal, paths, flags);
  });
}

function addExport(program: Command, run: Run): void {
  const command = program
    .command('export')
    .description('Exports a partition, or part of it, as NDJSON files, beside servers that run.')
    .requiredOption('--out <folder>', 'where the files go; must be empty, or is made')
    .option('--partition <name>', 'partition that is exported; DEFAULT if left out')
    .option('--type <type>', 'only this resource type; may be repeated', collect, [])
    .option(
      '--type-filter <search>',
      'of a type only what a search finds: Type?…; may be repeated',
      collect,
      [],
    )
    .option('--since <time>', 'only what changed or was deleted after this time')
    .option('--until <time>', 'only what changed last before this time')
    .option('--elements <names>', 'only these elements, comma-separated, and mandatory ones')
    .option('--group <id>', 'only the members of this Group and what belongs to them')
    .option(
      '--patient <id>',
      'with --level patient or --group: only this patient; may be repeated',
      collect,
      [],
    )
    .option('--gzip', 'packs the files');
  command.addOption(
    new Option('--level <level>', 'system: everything; patient: patients and what belongs to them').choices([
      'system',
      'patient',
    ]),
  );
  addQuietSettingFlags(command).action(
    does(run, async (...args) => (await import('./export.js')).exportPartition(...args)),
  );
}

function addReindex(program: Command, run: Run): void {
  const reindex = program
    .command('reindex')
    .description('Makes the index of what is stored complete, beside servers that run.')
    .option('--partition <name>', 'only this partition; all if left out')
    .option('--type <type>', 'only this resource type; may be repeated', collect, [])
    .option('--parameter <url>', 'only the types of this search parameter; may be repeated', collect, []);
  addQuietSettingFlags(reindex).action(
    does(run, async (...args) => (await import('./reindex.js')).reindex(...args)),
  );
}

function addVerifyIsolation(program: Command, run: Run): void {
  const verify = program
    .command('verify-isolation')
    .description('Lets two partitions of a running server attack each other, and tells what leaks.')
    .requiredOption('--partitions <a,b>', 'two partitions that exist')
    .option('--url <base>', 'FHIR base of the server; the one of the settings if left out')
    .option('--module <file>', 'instead: a module whose function start answers { url, stop }')
    .option('--token-a <token>', 'a bearer token that opens the first partition alone')
    .option('--token-b <token>', 'one that opens the second alone')
    .option(
      '--token-file <path>',
      'a file with such a token; given twice, in the order of --partitions',
      collect,
      [],
    )
    .option('--only <attack>', 'only the attack of this name; may be repeated', collect, [])
    .option('--dry-run', 'lists the attacks, and sends nothing');
  verify.addOption(
    new Option('--tenant-in <place>', 'where requests name the tenant; header: X-Tenant-ID')
      .choices(['url', 'header', 'token'])
      .default('url'),
  );
  addQuietSettingFlags(verify).action(
    does(run, async (...args) => (await import('./verify-isolation.js')).printIsolation(...args)),
  );
}

function addPartition(program: Command, run: Run): void {
  const partition = program
    .command('partition')
    .description('Creates, lists, changes and deletes partitions.');
  const create = partition.command('create <name>').description('Creates a partition.');
  create
    .option('--id <integer>', 'id; the next free one if left out')
    .option('--description <text>', 'description');
  addQuietSettingFlags(create).action(
    doesTo(run, async (...args) => (await import('./partition.js')).createPartition(...args)),
  );
  const list = partition.command('list').description('Lists all partitions, DEFAULT first.');
  addQuietSettingFlags(list).action(
    does(run, async (...args) => (await import('./partition.js')).listPartitions(...args)),
  );
  const update = partition
    .command('update <name>')
    .description('Renames a partition, or changes its description.');
  update.option('--name <new>', 'new name').option('--description <text>', 'new description');
  addQuietSettingFlags(update).action(
    doesTo(run, async (...args) => (await import('./partition.js')).updatePartition(...args)),
  );
  const remove = partition.command('delete <name>').description('Deletes a partition that holds nothing.');
  remove.option('--purge', 'deletes everything that it holds first');
  addQuietSettingFlags(remove).action(
    doesTo(run, async (...args) => (await import('./partition.js')).deletePartition(...args)),
  );
  addPlaces(partition, run);
}

function addPlaces(partition: Command, run: Run): void {
  const move = partition
    .command('move <name>')
    .description('Moves a partition to another place while it is in service.');
  move.addOption(
    new Option('--to <placement>', 'where its rows go')
      .choices(['shared', 'schema', 'database'])
      .makeOptionMandatory(),
  );
  addQuietSettingFlags(move).action(
    doesTo(run, async (...args) => (await import('./partition.js')).movePartition(...args)),
  );
  const retain = partition
    .command('retain')
    .description('Deletes resources whose partition date is before a day, with every version.');
  retain
    .requiredOption('--before <date>', 'the first day that is kept: YYYY-MM-DD')
    .option('--partition <name>', 'only of this partition; of all if left out');
  addQuietSettingFlags(retain).action(
    does(run, async (...args) => (await import('./partition.js')).retainPartitions(...args)),
  );
  const recount = partition
    .command('recount')
    .description('Counts what partitions with quotas hold, and corrects what was kept.')
    .option('--partition <name>', 'this partition; every one that ever had a quota if left out');
  addQuietSettingFlags(recount).action(
    does(run, async (...args) => (await import('./partition.js')).recountPartitions(...args)),
  );
}

function addClients(program: Command, run: Run): void {
  const client = program.command('client').description('Says who gets tokens from this server.');
  const add = client.command('add').description('Registers a client, which signs with keys of its own.');
  add
    .requiredOption('--scope <words>', 'scopes that it may be granted: "system/*.rs system/Group.read"')
    .option('--jwks <file>', 'its public keys: a JSON Web Key Set')
    .option('--jwks-url <url>', 'where its public keys are, instead')
    .option('--id <id>', 'client id; a UUID if left out')
    .option('--name <text>', 'for people')
    .option('--tenant <name>', 'of clients of DEFAULT: a partition, or _ALL; may be repeated', collect, []);
  inPartition(add).action(does(run, async (...args) => (await import('./client.js')).addClient(...args)));
  const list = client.command('list').description('Lists the clients of a partition.');
  inPartition(list).action(does(run, async (...args) => (await import('./client.js')).listClients(...args)));
  const disable = client.command('disable <id>').description('Gives a client no tokens any more.');
  inPartition(disable).action(
    doesTo(run, async (...args) => (await import('./client.js')).disableClient(...args)),
  );
  const enable = client.command('enable <id>').description('Gives a disabled client tokens again.');
  inPartition(enable).action(
    doesTo(run, async (...args) => (await import('./client.js')).enableClient(...args)),
  );
  const remove = client.command('remove <id>').description('Removes a client.');
  inPartition(remove).action(
    doesTo(run, async (...args) => (await import('./client.js')).removeClient(...args)),
  );
}

function inPartition(command: Command): Command {
  return addQuietSettingFlags(
    command.option('--partition <name>', 'where the client is registered; DEFAULT if left out'),
  );
}

function does(run: Run, action: Action): (flags: Flags) => Promise<void> {
  return async (flags) => {
    run.exit = await action(run.terminal, flags);
  };
}

function doesTo(run: Run, action: NamedAction): (name: string, flags: Flags) => Promise<void> {
  return async (name, flags) => {
    run.exit = await action(run.terminal, name, flags);
  };
}

function collect(value: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, value];
}

/** Sends commander's own output to the terminal, and makes it throw where it would end the process. */
function speakingTo(command: Command, terminal: Terminal): Command {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.print(text.trimEnd()),
    writeErr: (text) => terminal.complain(withSuggestion(text.trimEnd())),
  });
  command.commands.forEach((child) => speakingTo(child, terminal));
  return command;
}

/** Commander suggests only flags that are in the help of the command. */
function withSuggestion(text: string): string {
  const flag = /unknown option '(--[^'=]+)/.exec(text)?.[1];
  const nearest = flag === undefined || text.includes('Did you mean') ? undefined : nearestFlag(flag);
  return nearest === undefined ? text : `${text} Did you mean ${nearest}?`;
}

/** A misspelt command would be taken for an argument of `serve`. */
function unknownCommand(program: Command, [first]: readonly string[]): string | undefined {
  if (first === undefined || first.startsWith('-') || first === 'help') return undefined;
  const names = program.commands.map((command) => command.name());
  if (names.includes(first)) return undefined;
  const nearest = nearestName(first, names);
  const advice = nearest === undefined ? 'See bulkhead --help.' : `Did you mean ${nearest}?`;
  return `error: there is no command '${first}'. ${advice}`;
}
