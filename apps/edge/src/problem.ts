import type { ServerResponse } from 'node:http';

/** Answers with a problem as the services do. [RFC 9457] */
export function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  response.writeHead(status, {
    'content-type': 'application/problem+json; charset=utf-8',
    ...(status === 503 ? { 'retry-after': '2' } : {}),
  });
  const title = status === 503 ? 'Not available now' : 'Not found';
  response.end(JSON.stringify({ type: `urn:aerie:problem:${code}`, title, status, code, detail }));
}
