import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { paths } from './generated';
import type { Answered, Problem } from './types';

/** Below the Jupyter server's base URL; `PREFIX` of the server. */
const PREFIX = 'blueno/api';

/** The server's answer was an error, or there was no answer (`status` 0). */
export class ApiError extends Error {
  constructor(
    /** Stable, for programs: `already_exists`, `http_404`, `unreachable` … */
    readonly code: string,
    /** One sentence: what happened, what to do next. */
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Nobody answered: the server is away, or the network is. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

/** Whether an error only says that somebody aborted the request. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** What to tell a person about any error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, object> ? P : never;
}[keyof paths];

type OperationOf<P extends keyof paths, M extends Method> =
  paths[P] extends Record<M, infer O> ? O : never;

type PathFields<O> = O extends { parameters: { path: infer V } }
  ? { path: V }
  : unknown;
type QueryFields<O> = O extends { parameters: { query: infer V } }
  ? { query: V }
  : O extends { parameters: { query?: infer V } }
    ? { query?: V }
    : unknown;
type BodyField<O, P> = O extends {
  requestBody: { content: { 'application/json': infer V } };
}
  ? { body: Omit<V, keyof P> }
  : O extends {
        requestBody: { content: { 'application/octet-stream': unknown } };
      }
    ? { content: Blob | ArrayBuffer | Uint8Array<ArrayBuffer> }
    : OptionalBody<O, P>;
type OptionalBody<O, P> = O extends { requestBody?: infer B }
  ? [NonNullable<B>] extends [{ content: { 'application/json': infer V } }]
    ? [NonNullable<B>] extends [never]
      ? unknown
      : { body?: Omit<V, keyof P> }
    : unknown
  : unknown;
type PathValues<O> = O extends { parameters: { path: infer V } }
  ? V
  : Record<never, never>;

/** What a call takes: path fields, query, body, as the contract says. */
type Ask<O> = PathFields<O> &
  QueryFields<O> &
  BodyField<O, PathValues<O>> & { signal?: AbortSignal };

type Done<O> = O extends { responses: { 200: infer R } }
  ? R
  : O extends { responses: { 201: infer R } }
    ? R
    : never;
type Answer<O> =
  Done<O> extends { content: { 'application/json': infer B } }
    ? Answered<B>
    : never;

/** Makes the second argument optional where nothing is required. */
type Arguments<O> =
  Record<never, never> extends Ask<O> ? [ask?: Ask<O>] : [ask: Ask<O>];

/** Bytes with the headers they came with. */
export interface Bytes {
  body: ArrayBuffer;
  headers: Headers;
}

interface Loose {
  path?: object;
  query?: object;
  body?: unknown;
  content?: BodyInit;
  signal?: AbortSignal;
}

/**
 * The platform's HTTP interface, typed by the contract.
 *
 * A call rejects with `ApiError`, or with the `AbortError` of its signal.
 */
export class Api {
  constructor(
    readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()
  ) {}

  get<P extends PathOf<'get'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'get'>>
  ): Promise<Answer<OperationOf<P, 'get'>>> {
    return this.json('GET', path, ask);
  }

  post<P extends PathOf<'post'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'post'>>
  ): Promise<Answer<OperationOf<P, 'post'>>> {
    return this.json('POST', path, ask);
  }

  put<P extends PathOf<'put'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'put'>>
  ): Promise<Answer<OperationOf<P, 'put'>>> {
    return this.json('PUT', path, ask);
  }

  patch<P extends PathOf<'patch'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'patch'>>
  ): Promise<Answer<OperationOf<P, 'patch'>>> {
    return this.json('PATCH', path, ask);
  }

  delete<P extends PathOf<'delete'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'delete'>>
  ): Promise<Answer<OperationOf<P, 'delete'>>> {
    return this.json('DELETE', path, ask);
  }

  /** GET what is not JSON: tiles, pictures, slices, logs. */
  async bytes<P extends PathOf<'get'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'get'>>
  ): Promise<Bytes> {
    const response = await this.request('GET', path, ask as Loose);
    const body = await answered(response.arrayBuffer(), ask as Loose);
    return { body, headers: response.headers };
  }

  /** The address of something that a GET answers, for `<img>` and downloads. */
  url<P extends PathOf<'get'>>(
    path: P,
    ...[ask]: Arguments<OperationOf<P, 'get'>>
  ): string {
    const { token, appendToken } = this.settings;
    const url = this.address(path, ask as Loose);
    if (!appendToken || !token) {
      return url;
    }
    const and = url.includes('?') ? '&' : '?';
    return `${url}${and}token=${encodeURIComponent(token)}`;
  }

  private async json<T>(
    method: string,
    path: string,
    ask?: unknown
  ): Promise<T> {
    const response = await this.request(method, path, ask as Loose);
    return answered(response.json() as Promise<T>, ask as Loose);
  }

  private async request(
    method: string,
    path: string,
    ask: Loose = {}
  ): Promise<Response> {
    ask.signal?.throwIfAborted();
    // Without this, a number against caches is added to the query, and unknown
    // fields are refused; the server says itself what may be kept.
    const init: RequestInit = { method, cache: 'default', signal: ask.signal };
    if (ask.content !== undefined) {
      init.body = ask.content;
      init.headers = { 'Content-Type': 'application/octet-stream' };
    } else if (['POST', 'PUT', 'PATCH'].includes(method)) {
      init.body = JSON.stringify(ask.body ?? {});
    }
    const response = await answered(
      ServerConnection.makeRequest(
        this.address(path, ask),
        init,
        this.settings
      ),
      ask
    );
    if (!response.ok) {
      throw await errorOf(response);
    }
    return response;
  }

  private address(path: string, { path: fields, query }: Loose = {}): string {
    const filled = path.replace(/{(\w+)}/g, (_, name: string) =>
      encodeURIComponent(String((fields as Record<string, unknown>)[name]))
    );
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) {
          search.append(name, String(one));
        }
      }
    }
    const url = URLExt.join(this.settings.baseUrl, PREFIX) + filled;
    return search.size ? `${url}?${search}` : url;
  }
}

/** Wait for a piece of an answer; a broken connection is an `ApiError`. */
async function answered<T>(piece: Promise<T>, ask: Loose = {}): Promise<T> {
  try {
    return await piece;
  } catch {
    ask.signal?.throwIfAborted();
    throw new ApiError(
      'unreachable',
      'The Jupyter server does not answer. Is it still running?',
      0
    );
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as Problem;
    if (problem.code && problem.message) {
      return new ApiError(problem.code, problem.message, response.status);
    }
  } catch {
    // Not ours: a proxy's page, or nothing.
  }
  return new ApiError(
    `http_${response.status}`,
    `The server answered ${response.status} ${response.statusText}.`,
    response.status
  );
}
