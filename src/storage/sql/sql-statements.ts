import { channel } from 'node:diagnostics_channel';

/**
 * Publishes the text of every SQL statement that is run, for guards and for looking into a server; whoever
 * listens must do so before the server is made. Values may stand in the text, so it is nothing for logs.
 */
export const SQL_STATEMENTS = channel('bulkhead:sql');
