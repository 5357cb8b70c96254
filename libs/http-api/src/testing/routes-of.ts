import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import {
  GUARDS_METADATA,
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';

/** A route as Nest knows it. */
export interface RunningRoute {
  readonly method: string;
  /** In the manner of OpenAPI: parameters in braces. */
  readonly path: string;
  /** Null: the handler writes its own status. */
  readonly status: number | null;
  readonly guarded: boolean;
}

export type ControllerClass = abstract new (...args: never[]) => object;

/** What the decorators of some controllers say, which is all that Nest itself goes by. */
export function routesOf(controllers: readonly ControllerClass[]): RunningRoute[] {
  return controllers.flatMap((controller) => {
    const prototype = controller.prototype as Readonly<Record<string, object>>;
    const guarded = Reflect.hasMetadata(GUARDS_METADATA, controller);
    return Object.getOwnPropertyNames(prototype).flatMap((name): RunningRoute[] => {
      const handler = prototype[name];
      if (handler === undefined || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      const path = pathOf([controller, handler].map((part) => String(Reflect.getMetadata(PATH_METADATA, part))));
      const declared = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
      const status = writesItself(controller, name) ? null : (declared ?? (method === 'POST' ? 201 : 200));
      return [{ method: method.toLowerCase(), path, status, guarded }];
    });
  });
}

function pathOf(parts: readonly string[]): string {
  const names = parts.flatMap((part) => part.split('/')).filter((part) => part !== '');
  return `/${names.join('/')}`.replace(/:(\w+)/g, '{$1}');
}

/** Whether the handler takes the whole response, and with it the status. */
function writesItself(controller: ControllerClass, name: string): boolean {
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) === true) return false;
  const taken = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object;
  return Object.keys(taken).some((key) => Number(key.split(':')[0]) === Number(RouteParamtypes.RESPONSE));
}
