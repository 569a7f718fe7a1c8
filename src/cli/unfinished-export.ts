/** In the folder of an export that has not come to its end, with what there is of it. */
export const UNFINISHED = '.unfinished';

/** What is said of a folder whose export was interrupted for good. */
export function unfinishedMessage(folder: string): string {
  return `${folder} holds an export that was not finished: empty the folder, and export again.`;
}
