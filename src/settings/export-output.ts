import { dirname, join } from 'node:path';
import { withoutEndSlashes } from './addresses.js';
import type { Settings } from './schema.js';

/** Where the settings say that exports are kept; what a store of exports' files is opened with. */
export type ExportOutput =
  /** Without a folder the database is temporary, and so are its exports. */
  | { readonly kind: 'local'; readonly folder: string | undefined }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Empty, or ends with a slash. */
      readonly prefix: string;
      readonly endpoint: string | undefined;
      readonly region: string | undefined;
      readonly pathStyle: boolean;
      /** Undefined: those of the AWS environment. */
      readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
    };

const S3_URL = /^s3:\/\/([^/]+)(?:\/(.*))?$/s;

/** Where exports are kept. */
export function exportOutputOf(settings: Settings): ExportOutput {
  const [, bucket, path = ''] = S3_URL.exec(settings.exportOutput) ?? [];
  if (bucket === undefined) return { kind: 'local', folder: settings.exportDir ?? besideDatabase(settings) };
  const prefix = withoutEndSlashes(path);
  const { exportS3AccessKeyId: accessKeyId, exportS3SecretAccessKey: secretAccessKey } = settings;
  return {
    kind: 's3',
    bucket,
    prefix: prefix === '' ? '' : `${prefix}/`,
    endpoint: settings.exportS3Endpoint,
    region: settings.exportS3Region,
    pathStyle: settings.exportS3PathStyle,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
  };
}

/** What is wrong with the settings of exports together, each as the name of a setting and words about it. */
export function exportContradictions(settings: Settings): readonly (readonly [keyof Settings, string])[] {
  const { exportS3AccessKeyId: id, exportS3SecretAccessKey: key } = settings;
  const problems: (readonly [keyof Settings, string])[] = [];
  if (id && !key) problems.push(['exportS3SecretAccessKey', 'needed with exportS3AccessKeyId']);
  if (key && !id) problems.push(['exportS3AccessKeyId', 'needed with exportS3SecretAccessKey']);
  if (settings.exportRequiresAccessToken === false && settings.exportOutput === 'local') {
    problems.push([
      'exportRequiresAccessToken',
      'files of a folder are read through the server, as everything is; "false" needs an exportOutput on S3',
    ]);
  }
  return problems;
}

function besideDatabase({ databaseUrl }: Settings): string | undefined {
  if (/^postgres(ql)?:/.test(databaseUrl)) return join('data', 'exports');
  const path = databaseUrl.replace(/^sqlite:(\/\/)?/, '');
  return path === ':memory:' ? undefined : join(dirname(path), 'exports');
}
