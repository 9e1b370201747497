// The spots on the map: one drawing of all of them, however many, and a change of one is two numbers that are sent to the graphics processor.
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from 'maplibre-gl';
import { statuses, type Status } from '../live/wire';
import type { Cloud } from './cloud';
import type { Colours } from './colours';
import { flat, halves, metresAcross } from './geo';
import { fragmentShader, vertexShader } from './shaders';

const glow = 1.7; // seconds for which a change is shown
const uniforms = ['u_matrix', 'u_eye', 'u_radius', 'u_now', 'u_shown', 'u_picked', 'u_opacity', 'u_tones', 'u_plates', 'u_focus'] as const;

export class SpotLayer implements CustomLayerInterface {
  readonly id = 'spots';
  readonly type = 'custom' as const;
  readonly renderingMode = '2d' as const;

  shown: ReadonlySet<Status> = new Set(statuses);
  picked = -1;
  motion = true;
  #map: MapLibre | undefined;
  #program: WebGLProgram | undefined;
  #array: WebGLVertexArrayObject | null = null;
  #places: WebGLBuffer | null = null;
  #looks: WebGLBuffer | null = null;
  #at: Partial<Record<(typeof uniforms)[number], WebGLUniformLocation | null>> = {};
  #shape = -1;

  /** goOn is called when the next drawing is due, as something glows. */
  constructor(private readonly cloud: Cloud, public colours: Colours, private readonly goOn: () => void) {}

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#program = link(gl);
    for (const name of uniforms) this.#at[name] = gl.getUniformLocation(this.#program, name);
    this.#array = gl.createVertexArray();
    this.#places = gl.createBuffer();
    this.#looks = gl.createBuffer();
    gl.bindVertexArray(this.#array);
    for (const [name, buffer, size] of [['a_place', this.#places, 4], ['a_look', this.#looks, 2]] as const) {
      const at = gl.getAttribLocation(this.#program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    }
    gl.bindVertexArray(null);
    this.#shape = -1;
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    gl.deleteVertexArray(this.#array);
    gl.deleteBuffer(this.#places);
    gl.deleteBuffer(this.#looks);
    if (this.#program) gl.deleteProgram(this.#program);
    this.#map = undefined;
  }

  /** How large signs are at present, in pixels of the page: as a bay is, within what one can see and touch. */
  radius(map: MapLibre): number {
    const perMetre = (512 * 2 ** map.getZoom()) / metresAcross(map.getCenter().lat);
    return Math.max(1.4, Math.min(14, perMetre * 0.95));
  }

  render(gl: WebGL2RenderingContext, { defaultProjectionData }: CustomRenderMethodInput): void {
    const map = this.#map;
    const zoom = map?.getZoom() ?? 0;
    const opacity = Math.min(1, Math.max(0, (zoom - 10.5) / 1.5)); // from afar, the lots' own signs tell it
    if (!map || !this.#program || this.cloud.count === 0 || opacity === 0) return;
    this.#send(gl);
    const { lat, lng } = map.getCenter();
    const eye = flat({ lat, lon: lng });
    const [xHigh, xLow] = halves(eye.x);
    const [yHigh, yLow] = halves(eye.y);
    const { seconds } = this.cloud;
    const ratio = map.getPixelRatio();
    gl.useProgram(this.#program);
    gl.bindVertexArray(this.#array);
    gl.uniformMatrix4fv(this.#at.u_matrix!, false, shifted(defaultProjectionData.mainMatrix, eye.x, eye.y));
    gl.uniform4f(this.#at.u_eye!, xHigh, yHigh, xLow, yLow);
    gl.uniform1f(this.#at.u_radius!, this.radius(map) * ratio);
    gl.uniform1f(this.#at.u_now!, this.motion ? seconds : 1e6);
    gl.uniform1f(this.#at.u_opacity!, opacity);
    gl.uniform1i(this.#at.u_shown!, statuses.reduce((bits, status, i) => (this.shown.has(status) ? bits | (1 << i) : bits), 0));
    gl.uniform1i(this.#at.u_picked!, this.picked);
    gl.uniform3fv(this.#at.u_tones!, this.colours.tones);
    gl.uniform3fv(this.#at.u_plates!, this.colours.plates);
    gl.uniform3fv(this.#at.u_focus!, this.colours.focus);
    gl.drawArrays(gl.POINTS, 0, this.cloud.count);
    if (this.picked >= 0 && this.picked < this.cloud.count) gl.drawArrays(gl.POINTS, this.picked, 1); // above its neighbours
    gl.bindVertexArray(null);
    if (this.motion && seconds - this.cloud.pulsedAt < glow) this.goOn();
  }

  #send(gl: WebGL2RenderingContext): void {
    const shape = this.cloud.shape.peek();
    const fresh = this.cloud.take();
    if (shape !== this.#shape) {
      this.#shape = shape;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#places);
      gl.bufferData(gl.ARRAY_BUFFER, this.cloud.places, gl.STATIC_DRAW);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#looks);
      gl.bufferData(gl.ARRAY_BUFFER, this.cloud.looks, gl.DYNAMIC_DRAW);
    } else if (fresh) {
      const [from, to] = fresh;
      gl.bindBuffer(gl.ARRAY_BUFFER, this.#looks);
      gl.bufferSubData(gl.ARRAY_BUFFER, from * 8, this.cloud.looks, from * 2, (to - from) * 2);
    }
  }
}

/** The matrix for places relative to (x, y). It is computed here, in full length. */
export function shifted(matrix: ArrayLike<number>, x: number, y: number): Float32Array<ArrayBuffer> {
  const moved = Float32Array.from(matrix);
  for (let row = 0; row < 4; row++) moved[12 + row] = matrix[row]! * x + matrix[4 + row]! * y + matrix[12 + row]!;
  return moved;
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertexShader], [gl.FRAGMENT_SHADER, fragmentShader]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) throw new Error('The graphics processor takes no program.'); // the context is lost
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`The signs of the spots cannot be drawn: ${gl.getProgramInfoLog(program)}`);
  return program;
}
