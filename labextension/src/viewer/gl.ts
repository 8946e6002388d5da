/** Slices drawn by WebGL2: window and level in the shader, numbers in textures. */
import type { Look, Painter, Placement } from './painter';
import type { Pixels, Slice } from './source';

const VERTEX = `#version 300 es
in vec2 corner;
void main() { gl_Position = vec4(corner, 0.0, 1.0); }`;

/** `KIND` is the prefix of the sampler type: u, i or nothing. */
const fragment = (kind: string): string => `#version 300 es
precision highp float;
precision highp int;
precision highp ${kind}sampler2D;
uniform ${kind}sampler2D numbers;
uniform vec2 origin, scale, size, canvas;
uniform float slope, intercept, low, width;
uniform bool smoothly, invert, colour;
out vec4 painted;

vec4 value(ivec2 at) {
  at = clamp(at, ivec2(0), ivec2(size) - 1);
  return vec4(texelFetch(numbers, at, 0)) * slope + intercept;
}

float shade(float value) {
  float part = (value - low) / width;
  float grey = part > 0.0 ? min(part, 1.0) : 0.0; // NaN is black
  return invert ? 1.0 - grey : grey;
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, canvas.y - gl_FragCoord.y);
  vec2 at = (pixel - origin) / scale;
  if (at.x < 0.0 || at.y < 0.0 || at.x >= size.x || at.y >= size.y) {
    painted = vec4(0.0, 0.0, 0.0, 1.0);
    return;
  }
  vec4 found;
  if (smoothly) {
    vec2 middle = at - 0.5;
    ivec2 corner = ivec2(floor(middle));
    vec2 part = fract(middle);
    found = mix(
      mix(value(corner), value(corner + ivec2(1, 0)), part.x),
      mix(value(corner + ivec2(0, 1)), value(corner + ivec2(1, 1)), part.x),
      part.y);
  } else {
    found = value(ivec2(at));
  }
  float red = shade(found.r);
  painted = vec4(red, red, red, 1.0);
  if (colour) {
    painted.gb = vec2(shade(found.g), shade(found.b));
  }
}`;

type Kind = 'u' | 'i' | '';
const KEPT = 16; // textures

/** Whether the processor draws: not every browser says so when it is asked for a context. */
function isComputed(gl: WebGL2RenderingContext): boolean {
  const known = gl.getExtension('WEBGL_debug_renderer_info');
  const name: unknown = gl.getParameter(
    known ? known.UNMASKED_RENDERER_WEBGL : gl.RENDERER
  );
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(
    String(name)
  );
}

interface Program {
  program: WebGLProgram;
  at: (name: string) => WebGLUniformLocation | null;
}

export class GlPainter implements Painter {
  readonly name = 'webgl2';

  /**
   * A painter, or null where WebGL2 is missing, or is itself computed by the
   * processor: that takes ten times as long as computing the picture.
   */
  static create(): GlPainter | null {
    const canvas = document.createElement('canvas');
    const gl = canvas.getContext('webgl2', {
      alpha: false,
      antialias: false,
      depth: false,
      failIfMajorPerformanceCaveat: true
    });
    if (!gl || isComputed(gl)) {
      return null;
    }
    try {
      return new GlPainter(canvas, gl);
    } catch (error) {
      console.warn('Blueno: WebGL2 is there but does not work.', error);
      return null;
    }
  }

  private constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext
  ) {
    this.prepare();
    canvas.addEventListener('webglcontextlost', event => {
      event.preventDefault(); // else it would never be given back
      this.alive = false;
    });
    canvas.addEventListener('webglcontextrestored', () => this.prepare());
  }

  alive = false;

  paint(
    target: CanvasRenderingContext2D,
    slice: Slice,
    at: Placement,
    look: Look
  ): void {
    const { gl, canvas } = this;
    const { width, height } = target.canvas;
    if (canvas.width < width || canvas.height < height) {
      canvas.width = Math.max(canvas.width, width);
      canvas.height = Math.max(canvas.height, height);
    }
    const { program, at: place } = this.programs[kindOf(slice.data)];
    gl.useProgram(program);
    gl.viewport(0, canvas.height - height, width, height);
    this.bind(slice);
    gl.uniform2f(place('origin'), at.x, at.y);
    gl.uniform2f(place('scale'), at.columnSize, at.rowSize);
    gl.uniform2f(place('size'), slice.columns, slice.rows);
    gl.uniform2f(place('canvas'), width, canvas.height);
    gl.uniform1f(place('slope'), look.slope);
    gl.uniform1f(place('intercept'), look.intercept);
    gl.uniform1f(place('low'), look.level - look.window / 2);
    gl.uniform1f(place('width'), look.window);
    gl.uniform1i(place('smoothly'), look.smooth ? 1 : 0);
    gl.uniform1i(place('invert'), look.invert ? 1 : 0);
    gl.uniform1i(place('colour'), slice.channels > 1 ? 1 : 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    // In the same task as the drawing: the buffer is still there.
    target.drawImage(canvas, 0, 0, width, height, 0, 0, width, height);
  }

  dispose(): void {
    this.alive = false;
    this.textures.clear();
    this.gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  private prepare(): void {
    const { gl } = this;
    this.textures.clear();
    this.programs = { u: this.link('u'), i: this.link('i'), '': this.link('') };
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    // One triangle that covers the canvas.
    const corners = new Float32Array([-1, -1, 3, -1, -1, 3]);
    gl.bufferData(gl.ARRAY_BUFFER, corners, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    this.alive = true;
  }

  private link(kind: Kind): Program {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, fragment(kind)]
    ] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, 'corner');
    gl.linkProgram(program);
    if (
      !gl.getProgramParameter(program, gl.LINK_STATUS) &&
      !gl.isContextLost()
    ) {
      throw new Error(gl.getProgramInfoLog(program) ?? 'link failed');
    }
    const found = new Map<string, WebGLUniformLocation | null>();
    return {
      program,
      at: name => {
        if (!found.has(name)) {
          found.set(name, gl.getUniformLocation(program, name));
        }
        return found.get(name)!;
      }
    };
  }

  /** Bind a slice's texture; the last few are kept, so that a drag uploads nothing. */
  private bind(slice: Slice): void {
    const { gl, textures } = this;
    let texture = textures.get(slice);
    if (texture) {
      textures.delete(slice);
      textures.set(slice, texture);
      gl.bindTexture(gl.TEXTURE_2D, texture);
      return;
    }
    for (const [old, its] of textures) {
      if (textures.size < KEPT) {
        break;
      }
      gl.deleteTexture(its);
      textures.delete(old);
    }
    texture = gl.createTexture();
    textures.set(slice, texture);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    const [inner, format, type] = this.formatOf(slice);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      inner,
      slice.columns,
      slice.rows,
      0,
      format,
      type,
      slice.data
    );
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
      gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    }
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
      gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    }
  }

  private formatOf(slice: Slice): [number, number, number] {
    const { gl } = this;
    const { data, channels } = slice;
    if (channels > 1) {
      return channels === 3
        ? [gl.RGB8UI, gl.RGB_INTEGER, gl.UNSIGNED_BYTE]
        : [gl.RGBA8UI, gl.RGBA_INTEGER, gl.UNSIGNED_BYTE];
    }
    if (data instanceof Uint8Array) {
      return [gl.R8UI, gl.RED_INTEGER, gl.UNSIGNED_BYTE];
    }
    if (data instanceof Int8Array) {
      return [gl.R8I, gl.RED_INTEGER, gl.BYTE];
    }
    if (data instanceof Uint16Array) {
      return [gl.R16UI, gl.RED_INTEGER, gl.UNSIGNED_SHORT];
    }
    if (data instanceof Int16Array) {
      return [gl.R16I, gl.RED_INTEGER, gl.SHORT];
    }
    return [gl.R32F, gl.RED, gl.FLOAT];
  }

  private programs!: Record<Kind, Program>;
  private readonly textures = new Map<Slice, WebGLTexture>(); // oldest use first
}

function kindOf(data: Pixels): Kind {
  if (data instanceof Float32Array) {
    return '';
  }
  return data instanceof Int8Array || data instanceof Int16Array ? 'i' : 'u';
}
