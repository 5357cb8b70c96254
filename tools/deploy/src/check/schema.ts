import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { type Json, type KubeObject, titleOf } from './objects.js';

interface Attribute {
  readonly baseName: string;
  /** `string`, `V1PodSpec`, `Array<V1Container>`, `{ [key: string]: string; }`, `IntOrString`, … */
  readonly type: string;
}

/** A class of the official client: it lists what an object may hold, and of which type. */
interface ModelClass {
  getAttributeTypeMap(): readonly Attribute[];
}

/** A model that knows what is required, and which words are allowed. */
interface Validating {
  new (data: unknown): { validate(): void };
}

/** Judges objects by two libraries, since neither sees everything: unknown fields by one, what is required by the other. */
export class Schemas {
  private constructor(
    private readonly client: Readonly<Record<string, ModelClass | undefined>>,
    private readonly load: (name: string) => Promise<Readonly<Record<string, Validating>>>,
  ) {}

  /** @param folder where both are installed */
  static async from(folder: string): Promise<Schemas> {
    // By the file: the packages say where it lies to `import` alone, and that looks from here.
    const load = async (file: string): Promise<never> =>
      (await import(pathToFileURL(path.join(folder, 'node_modules', file)).href)) as never;
    return new Schemas(await load('@kubernetes/client-node/dist/index.js'), load);
  }

  async findings(object: KubeObject): Promise<string[]> {
    const found = await this.judge(object);
    return found.map((text) => `${titleOf(object)}: ${text}`);
  }

  private async judge(object: KubeObject): Promise<string[]> {
    const { apiVersion, kind } = object;
    if (apiVersion === EXTERNAL_SECRETS) return externalSecretFindings(object);
    const [version = '', group] = apiVersion.split('/').reverse();
    const library = group?.endsWith('keda.sh') ? '@kubernetes-models/keda' : 'kubernetes-models';
    const required = await this.required(`${library}/${apiVersion}/${kind}.js`, kind, object);
    if (group?.endsWith('keda.sh')) return required;
    const name = `${version.replace('v', 'V')}${kind}`;
    if (this.client[name] === undefined) return [`${apiVersion} ${kind} is not known`];
    return [...this.walk(object as unknown as Json, name, ''), ...required];
  }

  private async required(module: string, kind: string, object: KubeObject): Promise<string[]> {
    try {
      const models = await this.load(module);
      const Model = models[kind];
      if (Model === undefined) return [`${object.apiVersion} ${kind} is not known`];
      new Model(object).validate();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  /** Unknown fields and wrong types. */
  private walk(value: Json, type: string, at: string): string[] {
    const list = /^Array<(.+)>$/.exec(type)?.[1];
    if (list !== undefined) {
      if (!Array.isArray(value)) return [`${at} must be a list`];
      return (value as readonly Json[]).flatMap((one, index) => this.walk(one, list, `${at}[${index}]`));
    }
    const dictionary = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
    if (dictionary !== undefined) {
      if (!isDictionary(value)) return [`${at} must hold names with values`];
      return Object.entries(value).flatMap(([key, one]) => this.walk(one, dictionary, `${at}.${key}`));
    }
    const model = this.client[type];
    if (model === undefined || !('getAttributeTypeMap' in model)) return simpleFindings(value, type, at);
    if (!isDictionary(value)) return [`${at || 'the object'} must hold fields`];
    const attributes = new Map(model.getAttributeTypeMap().map(({ baseName, type: own }) => [baseName, own]));
    return Object.entries(value).flatMap(([key, one]) => {
      const own = attributes.get(key);
      return own === undefined ? [`${at}.${key} is no field of ${type}`] : this.walk(one, own, `${at}.${key}`);
    });
  }
}

const isDictionary = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function simpleFindings(value: Json, type: string, at: string): string[] {
  const wanted = type === 'IntOrString' ? ['number', 'string'] : type === 'Date' ? ['string'] : [type];
  if (!['string', 'number', 'boolean'].includes(wanted[0] ?? '')) return [];
  return wanted.includes(typeof value) ? [] : [`${at} must be a ${wanted.join(' or a ')}, and is a ${typeof value}`];
}

const EXTERNAL_SECRETS = 'external-secrets.io/v1';

/** What we use of it; no library has its schema. */
const externalSecret = z.strictObject({
  apiVersion: z.literal(EXTERNAL_SECRETS),
  kind: z.literal('ExternalSecret'),
  metadata: z.strictObject({ name: z.string(), namespace: z.string() }),
  spec: z.strictObject({
    refreshInterval: z.string().regex(/^\d+[smh]$/),
    secretStoreRef: z.strictObject({ kind: z.enum(['ClusterSecretStore', 'SecretStore']), name: z.string() }),
    target: z.strictObject({ name: z.string(), creationPolicy: z.enum(['Owner', 'Merge', 'None', 'Orphan']) }),
    data: z
      .array(
        z.strictObject({ secretKey: z.string(), remoteRef: z.strictObject({ key: z.string(), property: z.string() }) }),
      )
      .min(1),
  }),
});

function externalSecretFindings(object: KubeObject): string[] {
  const { error } = externalSecret.safeParse(object);
  return (error?.issues ?? []).map(({ path: at, message }) => `${at.join('.')}: ${message}`);
}
