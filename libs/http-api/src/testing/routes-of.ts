import {
  GUARDS_METADATA,
  HTTP_CODE_METADATA,
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { type HandledRoute, routeHandledBy } from '../running-route.js';

/** A route as Nest knows it. */
export interface RunningRoute extends HandledRoute {
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
      const handled = handler === undefined ? null : routeHandledBy(controller, handler);
      if (handler === undefined || handled === null) return [];
      const declared = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
      const status = writesItself(controller, name) ? null : (declared ?? (handled.method === 'post' ? 201 : 200));
      return [{ ...handled, status, guarded }];
    });
  });
}

/** Whether the handler takes the whole response, and with it the status. */
function writesItself(controller: ControllerClass, name: string): boolean {
  if (Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, controller, name) === true) return false;
  const taken = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as object;
  return Object.keys(taken).some((key) => Number(key.split(':')[0]) === Number(RouteParamtypes.RESPONSE));
}
