import type { HttpMethod, RouteDescription } from './openapi/types.js';

interface Entry {
  readonly route: RouteDescription;
  readonly pattern: RegExp;
}

/** Finds the described routes of a request before Express does, by the same rules: any case, with or without a last slash. */
export class RouteTable {
  private readonly entries: readonly Entry[];

  constructor(routes: readonly RouteDescription[]) {
    // A literal part wins over a parameter: /missions/preview before /missions/{id}.
    this.entries = [...routes]
      .sort((one, other) => parametersIn(one) - parametersIn(other))
      .map((route) => ({ route, pattern: patternOf(route.path) }));
  }

  /** The methods that are answered at this path; none where no route has it. */
  methodsAt(path: string): readonly HttpMethod[] {
    return [...new Set(this.at(path).map(({ method }) => method))].sort();
  }

  find(method: string, path: string): RouteDescription | undefined {
    const wanted = method === 'HEAD' ? 'get' : method.toLowerCase();
    return this.at(path).find((route) => route.method === wanted);
  }

  private at(path: string): RouteDescription[] {
    return this.entries.filter(({ pattern }) => pattern.test(path)).map(({ route }) => route);
  }
}

const parametersIn = ({ path }: RouteDescription): number => path.split('{').length - 1;

function patternOf(path: string): RegExp {
  const parts = path.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+')}/?$`, 'i');
}
