import { createRequire } from 'node:module';

/** What is wrong with a value, one line for each finding. Empty: nothing. */
export type SchemaCheck = (value: unknown) => string[];

interface Validate {
  (value: unknown): boolean;
  errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}
interface Ajv {
  addSchema(schema: object, key: string): void;
  compile(schema: object): Validate;
}
type AjvClass = new (options: object) => Ajv;

/**
 * Compiles schemas of draft 2020-12 that lie inside a document and refer to its other parts. Throws where one is no
 * valid schema, or refers to nothing.
 */
export function schemaCompiler(document: object): (pointer: string) => SchemaCheck {
  // The validator comes with the parser of AsyncAPI, the only one of our tools that brings it in this version.
  const fromParser = createRequire(createRequire(import.meta.url).resolve('@asyncapi/parser'));
  const { default: Ajv2020 } = fromParser('ajv/dist/2020.js') as { default: AjvClass };
  const { default: addFormats } = fromParser('ajv-formats') as { default: (ajv: Ajv) => void };
  // Words of OpenAPI beside those of JSON Schema are no mistake.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema(document, 'document');
  return (pointer) => {
    const validate = ajv.compile({ $ref: `document#${pointer}` });
    return (value) => {
      if (validate(value)) return [];
      return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
    };
  };
}
