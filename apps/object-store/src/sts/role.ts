import { z } from 'zod';
import { MalformedPolicyError, parsePolicy } from '../policy/policy-document.js';

/** [STS, DurationSeconds] */
export const MIN_DURATION_SECONDS = 900;
const MAX_DURATION_SECONDS = 43_200;
const DEFAULT_DURATION_SECONDS = 3_600;

const ARN = /^arn:aws:iam::(\d{12})?:role\/([\w+=,.@-]{1,64})$/;

const role = z.strictObject({
  arn: z.string().regex(ARN, 'must be arn:aws:iam::<account or nothing>:role/<name>'),
  policy: z
    .unknown()
    .optional()
    .transform((document, context) => {
      if (document === undefined) return undefined;
      try {
        const text = JSON.stringify(document);
        parsePolicy(text);
        return text;
      } catch (error) {
        if (!(error instanceof MalformedPolicyError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    }),
  maxDurationSeconds: z
    .number()
    .int()
    .min(MIN_DURATION_SECONDS)
    .max(MAX_DURATION_SECONDS)
    .default(DEFAULT_DURATION_SECONDS),
});

/** A role of the configuration; `policy` is the text of a document that was found good. */
export type Role = z.output<typeof role>;

export const rolesSchema = z
  .array(role)
  .max(100)
  .refine((roles) => new Set(roles.map(roleName)).size === roles.length, 'has two roles of one name');

export const roleName = ({ arn }: { readonly arn: string }): string => ARN.exec(arn)?.[2] ?? '';

export const accountOf = ({ arn }: { readonly arn: string }): string => ARN.exec(arn)?.[1] ?? '';
