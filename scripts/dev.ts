/** `npm run dev`: compiles on every change, and restarts the server on every compilation. */
import { spawn } from 'node:child_process';

function main(flags: readonly string[]): void {
  const compiler = spawn('tsc', ['-p', '.', '--watch', '--preserveWatchOutput'], { stdio: 'inherit' });
  const server = spawn(
    process.execPath,
    [
      '--watch',
      '--watch-preserve-output',
      '--enable-source-maps',
      'build/src/cli/main.js',
      'serve',
      ...flags,
    ],
    { stdio: 'inherit' },
  );
  const stop = (): void => {
    compiler.kill();
    server.kill();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  compiler.on('exit', stop);
  server.on('exit', stop);
}

main(process.argv.slice(2));
