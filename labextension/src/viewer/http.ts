/** Slices from the Blueno server. */
import {
  PLANES,
  type Plane,
  type Slice,
  type SliceSource,
  SourceError,
  type VolumeInfo,
  type WireType,
  pixelsOf
} from './source';

/** A sample of a dataset, or a file below the server's root. */
export type Address =
  { dataset_id: number; ordinal: number } | { path: string };

/** Sends a GET request below Blueno's API; rejects only when nobody answers. */
export type Request = (
  path: string,
  query: Record<string, string | number>,
  signal?: AbortSignal
) => Promise<Response>;

export class HttpSource implements SliceSource {
  constructor(
    private readonly request: Request,
    readonly address: Address
  ) {}

  async info(signal?: AbortSignal): Promise<VolumeInfo> {
    const response = await this.get('/volumes/info', {}, signal);
    const info = (await response.json()) as VolumeInfo;
    this.tag = info.tag;
    // A picture: the other planes of a single slice are lines.
    const only = PLANES.find(plane => info[plane].count === 1);
    return only ? { ...info, planes: [only] } : info;
  }

  async slice(
    plane: Plane,
    index: number,
    frame: number,
    signal?: AbortSignal
  ): Promise<Slice> {
    const query = { plane, index, frame, tag: this.tag };
    const response = await this.get('/volumes/slice', query, signal);
    const shape = response.headers.get('X-Blueno-Shape') ?? '';
    const [rows, columns, channels = 1] = shape.split(',').map(Number);
    const type = response.headers.get('X-Blueno-Dtype') as WireType;
    const data = pixelsOf(type, await response.arrayBuffer());
    if (data.length !== rows * columns * channels) {
      throw new SourceError('The slice came incomplete.', 'incomplete', true);
    }
    return { rows, columns, channels: channels as Slice['channels'], data };
  }

  private get(
    path: string,
    query: Record<string, string | number>,
    signal?: AbortSignal
  ): Promise<Response> {
    return answered(
      this.request(path, { ...this.address, ...query }, signal),
      signal
    );
  }

  private tag = '';
}

/** The response if it is a success; else a `SourceError` with the server's sentence. */
export async function answered(
  asked: Promise<Response>,
  signal?: AbortSignal
): Promise<Response> {
  let response: Response;
  try {
    response = await asked;
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    throw new SourceError('The server does not answer.', 'unreachable', true);
  }
  if (response.ok) {
    return response;
  }
  const problem = await response.json().catch(() => ({}));
  // A proxy's 502, or a server that is just starting (404 without our body).
  const again = response.status >= 502 || problem.code === undefined;
  throw new SourceError(
    problem.message ?? `The server answered ${response.status}.`,
    problem.code ?? `http_${response.status}`,
    again
  );
}
