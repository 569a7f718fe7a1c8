import { readFile, writeFile } from 'node:fs/promises';
import { settingsTable } from '../src/settings/describe.js';

const PAGE = 'docs/settings.md';
const TABLE = /(<!-- settings:.*?-->).*?(<!-- end of settings -->)/s;

const page = await readFile(PAGE, 'utf8');
await writeFile(
  PAGE,
  page.replace(TABLE, (_, begin, end) => `${begin}\n\n${settingsTable()}\n\n${end}`),
);
