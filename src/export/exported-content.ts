import { selectElements } from '../fhir/elements.js';
import type { HookRegistry } from '../hooks/registry.js';
import type { BulkExport } from '../model/bulk-export.js';
import type { OutcomeIssue, Resource } from '../model/resource.js';
import { linesOf, toLine } from './ndjson.js';
import { parsedResource, unreadableIssue } from './parsed-resource.js';

/** What becomes of the lines of a page. */
export interface AlteredLines {
  readonly lines: Uint8Array;
  readonly count: number;
  readonly issues: readonly OutcomeIssue[];
}

/**
 * What stored texts look like in files: as they are, unless elements are selected or a hook is asked. What a hook
 * throws about leaves the file out of one resource, and says so.
 */
export class ExportedContent {
  constructor(
    private readonly hooks: HookRegistry,
    private readonly job: BulkExport,
  ) {}

  /** Whether texts go into files untouched. */
  isAsStored(): boolean {
    return this.job.parameters.elements.length === 0 && !this.isHooked();
  }

  async alter(lines: Uint8Array): Promise<AlteredLines> {
    const kept: Uint8Array[] = [];
    const issues: OutcomeIssue[] = [];
    for (const line of linesOf(lines)) {
      const resource = parsedResource(Buffer.from(line).toString('utf8'));
      if (resource === undefined) {
        issues.push(unreadableIssue('A resource'));
        continue;
      }
      try {
        const shown = await this.shown(resource);
        if (shown !== false) kept.push(toLine(shown));
      } catch {
        issues.push(failedIssue(resource));
      }
    }
    return { lines: Buffer.concat(kept), count: kept.length, issues };
  }

  private async shown(resource: Resource): Promise<Resource | false> {
    const { elements } = this.job.parameters;
    const included = this.isHooked() ? await this.ask(resource) : resource;
    if (included === false || elements.length === 0) return included;
    return selectElements(included, elements);
  }

  private ask(resource: Resource): Resource | false | Promise<Resource | false> {
    return this.hooks.transform('STORAGE_BULK_EXPORT_RESOURCE_INCLUSION', { job: this.job }, resource);
  }

  private isHooked(): boolean {
    return this.hooks.has('STORAGE_BULK_EXPORT_RESOURCE_INCLUSION');
  }
}

function failedIssue({ resourceType, id }: Resource): OutcomeIssue {
  const diagnostics = `${resourceType}/${id} was left out: an interceptor failed on it.`;
  return { severity: 'error', code: 'exception', diagnostics };
}
