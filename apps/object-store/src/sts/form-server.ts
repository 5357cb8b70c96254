import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@aerie/observability';
import type { Caller } from '../access/caller.js';
import type { SignatureCheck } from '../access/signature.js';
import type { S3Request } from '../s3/s3-request.js';
import { S3Error } from '../s3/s3-error.js';
import { elements, escapeXml } from '../s3/xml.js';
import { type AssumeRole, checkPolicy } from './assume-role.js';
import { FormError } from './form-error.js';
import { FormParameters } from './form-parameters.js';
import { MAX_ROLE_POLICY_CHARACTERS, type RoleStore } from './role-store.js';

/** The longest policy, each character escaped, and the rest. */
const MAX_BODY_BYTES = 128 * 1024;
const NAME = /^[\w+=,.@-]{1,128}$/;

const SERVICES = {
  sts: { version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/' },
  iam: { version: '2010-05-08', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/' },
} as const;

interface Action {
  readonly service: keyof typeof SERVICES;
  /** Gives the content of the result; undefined for an action without one. */
  readonly run: (caller: Caller, form: FormParameters) => string | undefined | Promise<string | undefined>;
}

export interface FormServerOptions {
  readonly signatures: SignatureCheck;
  readonly roles: RoleStore;
  readonly assumeRole: AssumeRole;
  readonly logger: Logger;
}

/** `POST /`: the few calls of STS and IAM that there are, as forms in and XML out. */
export class FormServer {
  private readonly actions: Readonly<Record<string, Action>>;

  constructor(private readonly options: FormServerOptions) {
    const { roles, assumeRole } = options;
    this.actions = {
      AssumeRole: { service: 'sts', run: (caller, form) => assumeRole.execute(caller, form) },
      GetRolePolicy: {
        service: 'iam',
        run: (caller, form) => {
          const { RoleName, PolicyName } = readNames(caller, form, []);
          const text = roles.policyText(RoleName, PolicyName);
          return elements({ RoleName, PolicyName, PolicyDocument: encodeURIComponent(text) });
        },
      },
      PutRolePolicy: {
        service: 'iam',
        run: async (caller, form) => {
          const { RoleName, PolicyName } = readNames(caller, form, ['PolicyDocument']);
          const text = form.require('PolicyDocument', /./su);
          if (text.length > MAX_ROLE_POLICY_CHARACTERS) {
            throw new FormError('LimitExceeded', `A policy has at most ${MAX_ROLE_POLICY_CHARACTERS} characters.`);
          }
          checkPolicy(text);
          await roles.putPolicy(RoleName, PolicyName, text);
          return undefined;
        },
      },
      DeleteRolePolicy: {
        service: 'iam',
        run: async (caller, form) => {
          const { RoleName, PolicyName } = readNames(caller, form, []);
          await roles.deletePolicy(RoleName, PolicyName);
          return undefined;
        },
      },
    };
  }

  /** Answers one request. Rejects only when the body cannot be read. */
  async handle(request: S3Request, incoming: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    let namespace: string = SERVICES.sts.namespace;
    try {
      const body = await readForm(incoming);
      const form = new FormParameters(body);
      const name = form.get('Action') ?? '';
      const action = Object.hasOwn(this.actions, name) ? this.actions[name] : undefined;
      if (action === undefined) throw new FormError('InvalidAction', 'Could not find this operation.');
      const service = SERVICES[action.service];
      namespace = service.namespace;
      if (form.get('Version') !== service.version)
        throw new FormError('InvalidAction', 'The Version is not supported.');
      const { caller } = await this.options.signatures.checkForm(request, action.service, body);
      const result = await action.run(caller, form);
      const content = result === undefined ? '' : `<${name}Result>${result}</${name}Result>`;
      const meta = `<ResponseMetadata>${elements({ RequestId: id })}</ResponseMetadata>`;
      send(response, 200, `<${name}Response xmlns="${escapeXml(namespace)}">${content}${meta}</${name}Response>`);
    } catch (error) {
      const refusal = FormError.from(error);
      if (refusal.code === 'InternalFailure') this.options.logger.error({ err: error }, 'a form request failed');
      send(response, refusal.status, refusal.toXml(namespace, id));
    }
  }
}

function readNames(caller: Caller, form: FormParameters, more: readonly string[]) {
  if (caller.kind !== 'root') throw new FormError('AccessDenied', 'A session may not see or change policies.');
  form.allowOnly(['RoleName', 'PolicyName', ...more]);
  return { RoleName: form.require('RoleName', NAME), PolicyName: form.require('PolicyName', NAME) };
}

async function readForm(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new S3Error('EntityTooLarge', 'The form is too large.');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return;
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(status, { 'Content-Type': 'text/xml', 'Content-Length': Buffer.byteLength(text) }).end(text);
}
