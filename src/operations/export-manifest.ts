import { requestOf } from '../export/export-request.js';
import { fileName, manifestPages, toManifest } from '../export/manifest.js';
import { stringifyJson } from '../fhir/json.js';
import type { ServerParts } from '../interactions/server-parts.js';
import type { ExportFile } from '../storage/export-store.js';
import { expiryOf, type FoundExport, statusUrl, unknownExport } from './export-place.js';

/**
 * The manifest of an export, or the part of it that has the number.
 * @throws FhirError NOT_FOUND where there is no such part
 */
export async function manifestOf(server: ServerParts, found: FoundExport, page: number): Promise<string> {
  const { scope, job } = found;
  const request = requestOf(job);
  const files = await server.exports.jobs.files(scope, job.id);
  const pages = request.partialManifests ? manifestPages(files) : [files];
  const shown = pages[page - 1];
  if (shown === undefined) throw unknownExport(job.id);
  const next = page < pages.length ? `${statusUrl(request, job.id)}&page=${page + 1}` : undefined;
  return stringifyJson(await toManifest(shown, { job, request, next, ...accessTo(server, found) }));
}

/** How files are read: through the server, or from where they are by anybody who has the URL. */
function accessTo(
  server: ServerParts,
  { job }: FoundExport,
): { readonly requiresAccessToken: boolean; readonly urlOf: (file: ExportFile) => Promise<string> } {
  const { output } = server.exports;
  const { exportRequiresAccessToken, exportUrlSeconds, partitioning } = server.settings;
  const { base } = requestOf(job);
  const isPresigned = output.presign !== undefined && exportRequiresAccessToken !== true;
  const left = Math.ceil((expiryOf(server, job) - server.clock()) / 1000);
  const urlOf = async (file: ExportFile): Promise<string> => {
    const url = isPresigned && (await output.presign?.(file.key, Math.min(exportUrlSeconds, left)));
    return url || `${base}/$export-file/${job.id}/${fileName(file)}`;
  };
  const byToken = exportRequiresAccessToken === true || job.owner !== null || partitioning.includes('token');
  return { requiresAccessToken: !isPresigned && byToken, urlOf };
}
