import type { DefinitionOf } from './pointcut-definition.js';
import { PARTITION_POINTCUTS } from './partition-pointcuts.js';
import type { BuiltInPointcuts } from './pointcuts.js';
import { onlyRemoved, sameKind, sameKindOrFalse, sameLength } from './replacement.js';

const HELD_UP =
  'All writers wait meanwhile, at most ten seconds; the hook must not wait for a write of its own.';

/** The built-in pointcuts at run time: the types' twin, and the manual. */
export const POINTCUTS = {
  INTERCEPTOR_REGISTERED: {
    mode: 'observe',
    manual:
      'Fires once, at once, for the interceptor that is being registered and for no other. Nothing is answered. ' +
      'A throw prevents the registration; a hook that fails asynchronously is only logged.',
  },
  SERVER_INCOMING_REQUEST_PRE_PROCESSED: {
    mode: 'veto',
    refusal: 'throw-or-false',
    manual:
      'Fires for every HTTP request before anything of it is read, the tenant included. Answer false after ' +
      'ending the raw response yourself. A throw becomes an OperationOutcome like any other error.',
  },
  SERVER_INCOMING_REQUEST_PRE_HANDLER_SELECTED: {
    mode: 'veto',
    refusal: 'throw-or-false',
    manual:
      'Fires when URL, headers and tenant are understood, before the interaction is chosen and the body read. ' +
      'Answer false after writing `response` yourself. A throw refuses the request: 401 belongs here.',
  },
  SERVER_INCOMING_REQUEST_POST_PROCESSED: {
    mode: 'veto',
    refusal: 'throw-or-false',
    manual:
      'Fires when the interaction is chosen and the body is read: the usual place for authorization. Answer ' +
      'false after writing `response` yourself. A throw refuses the request.',
  },
  SERVER_INCOMING_REQUEST_PRE_HANDLED: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires directly before the interaction runs, and once more for each entry of a batch or transaction. ' +
      'Nothing is answered. A throw refuses the request or the entry.',
  },
  SERVER_PRE_PROCESS_OUTGOING_EXCEPTION: {
    mode: 'decide',
    manual:
      'Fires on every failure, before it is turned into a FhirError; `error` is what was thrown. Answer another ' +
      'Error to replace it. A throw replaces it too. `request` is missing if the failure came before it was understood.',
  },
  SERVER_HANDLE_EXCEPTION: {
    mode: 'veto',
    refusal: 'throw-or-false',
    manual:
      'Fires on every failure, when the FhirError that will be sent is known. Answer false after writing ' +
      '`response` yourself. Headers that stand in it go with the error too; those of the error itself go before them. ' +
      'A throw is logged, and the server answers 500.',
  },
  SERVER_OUTGOING_RESPONSE: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires when a successful response is complete and nothing of it is sent. Answer another response to ' +
      'replace status, headers or body. A throw turns the response into an error; what was stored stays stored.',
  },
  SERVER_OUTGOING_FAILURE_OPERATIONOUTCOME: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires when the OperationOutcome of a failure is made and not sent; `status` is the HTTP status. Answer ' +
      'another OperationOutcome to replace it. A throw is logged, and the server answers 500.',
  },
  SERVER_PROCESSING_COMPLETED_NORMALLY: {
    mode: 'observe',
    errors: 'swallow',
    manual:
      'Fires after a successful response was handed over; the client may have it already. Nothing is answered. ' +
      'A throw is logged and changes nothing.',
  },
  SERVER_PROCESSING_COMPLETED: {
    mode: 'observe',
    errors: 'swallow',
    manual:
      'Fires at the end of every request, successful or not, after SERVER_PROCESSING_COMPLETED_NORMALLY. ' +
      'Nothing is answered. A throw is logged and changes nothing.',
  },
  SERVER_INTERACTION_COMPLETED: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires when what a request asks for is done, or has failed (`error`), and nothing of the answer is sent; for each ' +
      'entry of a batch, and of a transaction that is committed, and for the whole Bundle besides. What has failed before ' +
      'its partition was selected, and not with 401 or 403, has that done before. By `record` resources ' +
      'of your own are stored in a partition, where no further hook sees them. A throw becomes the answer of the request ' +
      'or the entry; what was stored stays stored.',
  },
  SERVER_STOPPING: {
    mode: 'observe',
    errors: 'swallow',
    manual:
      'Fires when the server stops: no more requests come, and storage is still open. Nothing is answered. A throw is ' +
      'logged and changes nothing.',
  },
  SERVER_CAPABILITY_STATEMENT_GENERATED: {
    mode: 'transform',
    check: sameKind,
    manual:
      "Fires when a tenant's CapabilityStatement is about to be answered. Answer another one to replace it. " +
      'A throw fails the request.',
  },
  STORAGE_PREACCESS_RESOURCES: {
    mode: 'transform',
    check: onlyRemoved,
    manual:
      'Fires when stored resources were found and are about to be returned, before they are parsed. Answer those ' +
      'that may be returned: entries can be left out, not added. A throw fails the request.',
  },
  STORAGE_PRESHOW_RESOURCES: {
    mode: 'transform',
    check: sameLength,
    manual:
      'Fires after STORAGE_PREACCESS_RESOURCES with the contents that will be shown. Answer a list of the same ' +
      'length to show other contents; what is stored does not change. A throw fails the request.',
  },
  STORAGE_PRESEARCH_REGISTERED: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires for every search when its partitions are known and its parameters are not parsed. Answer other ' +
      'parameters to search by these instead. A throw refuses the search.',
  },
  STORAGE_PRESTORAGE_RESOURCE_CREATED: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires before a resource is created, when its partition is chosen and what was sent is valid. Answer ' +
      'another resource of the same type to store that: it is validated again. A throw refuses the create. ' +
      'Fires again if another request came in between, so that the write is planned anew.',
  },
  STORAGE_PRESTORAGE_RESOURCE_UPDATED: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires before a resource is updated or patched, when what was sent is valid; `previous` is the stored ' +
      'content. Answer another resource of the same type to store that: it is validated again. A throw refuses it. Fires again if ' +
      'another request came in between, so that the write is planned anew.',
  },
  STORAGE_PRESTORAGE_RESOURCE_DELETED: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires before a resource is deleted. Nothing is answered. A throw refuses the delete. Fires again if another ' +
      'request came in between, so that the write is planned anew.',
  },
  STORAGE_PRESTORAGE_CLIENT_ASSIGNED_ID: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires before an update creates a resource under an id that the client chose. Nothing is answered. ' +
      'A throw refuses it.',
  },
  STORAGE_PRESTORAGE_RECORDS: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires when everything that a request or a transaction stores is decided, and nothing is stored; `writes` are the ' +
      'changes. Answer the list with resources of your own besides: they are stored in the same database transaction, as ' +
      'new ones with ids of the server, and as they are: not validated, and seen by no further hook. Their partitions must ' +
      'be among those of the writes. A throw refuses everything. Fires again where the write is planned anew.',
  },
  STORAGE_PRECOMMIT_RESOURCE_CREATED: {
    mode: 'observe',
    manual:
      'Fires inside the database transaction, after a resource was created and before the commit; in a ' +
      'transaction bundle after all entries. Nothing is answered. A throw rolls everything back. ' +
      HELD_UP,
  },
  STORAGE_PRECOMMIT_RESOURCE_UPDATED: {
    mode: 'observe',
    manual:
      'Fires inside the database transaction, after a resource was updated or patched and before the commit; not ' +
      'where nothing changed. Nothing is answered. A throw rolls everything back. ' +
      HELD_UP,
  },
  STORAGE_PRECOMMIT_RESOURCE_DELETED: {
    mode: 'observe',
    manual:
      'Fires inside the database transaction, after a resource was deleted and before the commit; `resource` is ' +
      'its last content. Nothing is answered. A throw rolls everything back. ' +
      HELD_UP,
  },
  STORAGE_PRESTORAGE_DELETE_CONFLICTS: {
    mode: 'decide',
    manual:
      'Fires when a resource that is to be deleted is still referred to. Answer "ignore" to delete it all the ' +
      'same. If nobody answers, or on a throw, the delete is refused.',
  },
  STORAGE_TRANSACTION_PROCESSING: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires before a batch or transaction bundle is worked on. Answer another Bundle to work on that. ' +
      'A throw refuses the bundle.',
  },
  STORAGE_TRANSACTION_PROCESSED: {
    mode: 'observe',
    manual:
      'Fires when a batch or transaction was committed, with the bundle and the response. Nothing is answered. ' +
      'A throw turns the response into an error; what was stored stays stored.',
  },
  STORAGE_PRE_INITIATE_BULK_EXPORT: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires for every kick-off of a bulk export when its partition is known and its parameters are not parsed. ' +
      'Answer other parameters to export by these instead; lists are comma-separated, references are texts. A throw ' +
      'refuses the export.',
  },
  STORAGE_INITIATE_BULK_EXPORT: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires when the parameters of a bulk export are checked and nothing is stored: the place to ask whether the ' +
      'caller may have it. Nothing is answered. A throw refuses the export.',
  },
  STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: {
    mode: 'transform',
    check: sameKindOrFalse,
    last: false,
    manual:
      'Fires in the background for every resource that is about to be written into a file of a bulk export, on the ' +
      'server that works on it, and again where work is repeated after a failure. Answer false to leave it out (no ' +
      'further hook is asked), or another content, which changes the file alone. A throw leaves it out, and a line in ' +
      '`error` of the manifest says so.',
  },
  STORAGE_PRESTORAGE_BATCH_JOB_CREATE: {
    mode: 'veto',
    refusal: 'throw',
    manual:
      'Fires after STORAGE_INITIATE_BULK_EXPORT, directly before the job is stored. Nothing is answered. A throw ' +
      'refuses the export.',
  },
  STORAGE_POSTSTORAGE_BATCH_JOB_CREATE: {
    mode: 'observe',
    manual:
      'Fires when the job of a bulk export is stored, and may be worked on already. Nothing is answered. A throw turns ' +
      'the response into an error, and the job is cancelled.',
  },
  STORAGE_POSTCOMPLETE_BATCH_JOB: {
    mode: 'observe',
    errors: 'swallow',
    manual:
      'Fires once at most for a bulk export that is complete, on the server that ended it; not where that one is killed ' +
      'at this moment. Nothing is answered. A throw is logged and changes nothing.',
  },
  VALIDATION_COMPLETED: {
    mode: 'transform',
    check: sameKind,
    manual:
      'Fires when a resource was validated, with the issues that were found. Answer another list to replace them: ' +
      'errors in it refuse a write. A throw fails the request.',
  },
  ...PARTITION_POINTCUTS,
} as const satisfies { readonly [P in keyof BuiltInPointcuts]: DefinitionOf<BuiltInPointcuts[P]> };

/** The built-in pointcuts' names as constants, for `@Hook(Pointcut.…)`. */
export const Pointcut = Object.freeze(
  Object.fromEntries(Object.keys(POINTCUTS).map((name) => [name, name])),
) as { readonly [P in keyof BuiltInPointcuts]: P };
