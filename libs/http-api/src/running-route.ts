import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';

/** Method and path of a handler, as an OpenAPI document writes them. */
export interface HandledRoute {
  readonly method: string;
  /** From the root, with parameters in braces. */
  readonly path: string;
}

/** What the decorators of a handler say, which is all that Nest itself goes by; null: it handles no route. */
export function routeHandledBy(controller: object, handler: object): HandledRoute | null {
  if (!Reflect.hasMetadata(METHOD_METADATA, handler)) return null;
  const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  const path = pathOf([controller, handler].map((part) => String(Reflect.getMetadata(PATH_METADATA, part))));
  return { method: method.toLowerCase(), path };
}

/** The status with which Nest answers what a handler has carried out. */
export function statusHandledBy(handler: object): number {
  const told = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
  return told ?? (Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST ? 201 : 200);
}

function pathOf(parts: readonly string[]): string {
  const names = parts.flatMap((part) => part.split('/')).filter((part) => part !== '');
  return `/${names.join('/')}`.replace(/:(\w+)/g, '{$1}');
}
